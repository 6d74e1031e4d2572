import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { expect, test, vi } from "vitest";
import { api } from "../api/client";
import type { Machine } from "../api/types";
import { translate } from "../i18n";
import { presence, presenceSentence } from "../i18n/words";
import { ExpelMenu } from "./Expel";

const machine = { id: "m1", name: "LAP-1", version: 7, presence: "online", last_seen_at: null } as Machine;
const around = ({ children }: { children: ReactNode }) => (
	<QueryClientProvider client={new QueryClient()}>
		<I18nProvider i18n={i18n}>
			<MantineProvider>{children}</MantineProvider>
		</I18nProvider>
	</QueryClientProvider>
);

test("a computer is expelled only when its very name was typed", async () => {
	const post = vi.spyOn(api, "POST").mockReturnValue(new Promise(() => {}) as never);
	render(<ExpelMenu machine={machine} />, { wrapper: around });
	fireEvent.click(screen.getByRole("button", { name: "More for this computer" }));
	fireEvent.click(await screen.findByText("Expel this computer…"));
	expect(await screen.findByText(/deskside-agent enroll --replace/)).toBeTruthy();
	const field = await screen.findByLabelText(/^To confirm, type the name/);
	const button = () => screen.getByRole<HTMLButtonElement>("button", { name: "Expel the computer" });
	for (const typed of ["", "LAP-", "LAP-11"]) {
		fireEvent.change(field, { target: { value: typed } });
		expect(button().disabled).toBe(true);
		fireEvent.submit(field);
	}
	await act(async () => {});
	expect(post).not.toHaveBeenCalled();
	fireEvent.change(field, { target: { value: "LAP-1" } });
	fireEvent.submit(field);
	await vi.waitFor(() => expect(post).toHaveBeenCalledOnce());
	expect(post.mock.calls[0]).toMatchObject([
		"/machines/{id}/revoke",
		{ params: { path: { id: "m1" } }, body: { version: 7 } },
	]);
});

test("a computer that was expelled is not said to be online, or asleep", () => {
	const gone = { ...machine, revoked: true };
	expect(presence(translate, gone)).toBe("expelled");
	expect(presenceSentence(translate, gone)).toMatch(/^This computer was expelled/);
});
