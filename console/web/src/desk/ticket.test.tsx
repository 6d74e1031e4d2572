import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, renderHook, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { api } from "../api/client";
import type { Ticket } from "../api/types";
import { Editors } from "./Editors";
import { useTicketsOf } from "./queries";
import { ResolveDialog } from "./ResolveDialog";

const around = ({ children }: { children: ReactNode }) => (
	<QueryClientProvider client={new QueryClient()}>
		<I18nProvider i18n={i18n}>
			<MantineProvider>{children}</MantineProvider>
		</I18nProvider>
	</QueryClientProvider>
);

afterEach(() => vi.restoreAllMocks());

test("without an id nobody's tickets are asked for: an empty filter would list everybody's", () => {
	const get = vi.spyOn(api, "GET").mockReturnValue(new Promise(() => {}) as never);
	renderHook(() => useTicketsOf({ requester_id: "" }), { wrapper: around });
	renderHook(() => useTicketsOf({ machine_id: undefined }), { wrapper: around });
	expect(get).not.toHaveBeenCalled();
	renderHook(() => useTicketsOf({ requester_id: "p1" }), { wrapper: around });
	expect(get).toHaveBeenCalledOnce();
});

const ticket = { id: "t1", state: "open", requester: { id: "p1", name: "Maria Nowak" } } as Ticket;
const nothing = () => {};

test.each(["reply", "note"])("what was sent lets go of the keys: a letter typed then goes into no %s", async (name) => {
	const post = vi.spyOn(api, "POST").mockReturnValue(new Promise(() => {}) as never);
	render(<Editors ticket={ticket} resolve={nothing} reopen={nothing} />, { wrapper: around });
	const field = document.querySelector<HTMLTextAreaElement>(`textarea[name=${name}]`);
	if (!field) throw new Error(`no editor ${name}`);
	field.focus();
	fireEvent.focus(field);
	expect(screen.getByText("Esc leaves the field.")).toBeTruthy();
	fireEvent.change(field, { target: { value: "We look into it." } });
	fireEvent.keyDown(field, { key: "Enter", ctrlKey: true });
	await vi.waitFor(() => expect(post).toHaveBeenCalledOnce());
	expect(document.activeElement).toBe(document.body);
});

test("a button that cannot be pressed says what it waits for", () => {
	render(<ResolveDialog ticket={ticket} StillFailing={() => null} close={nothing} />, { wrapper: around });
	const button = () => screen.getByRole<HTMLButtonElement>("button", { name: /Mark as resolved/ });
	expect(button().disabled).toBe(true);
	expect(screen.getByText(/^Say here what was done/)).toBeTruthy();
	fireEvent.change(screen.getByLabelText("What was done"), { target: { value: "New toner." } });
	expect(button().disabled).toBe(false);
	expect(screen.queryByText(/^Say here what was done/)).toBeNull();
});
