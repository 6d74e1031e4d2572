import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { api } from "../api/client";
import { MeContext } from "../api/me";
import type { Me } from "../api/types";
import { ChecksPage } from "./ChecksPage";

const check = {
	id: "filesystem.full",
	enabled: true,
	title: { en: "Disk nearly full", pl: "Kończy się miejsce na dysku" },
	value: "it.used",
	warning: ">= 0.85",
	for: "1m",
	version: 1,
};

test("who cancels has the old value back, and no error over it", async () => {
	const client = new QueryClient({ defaultOptions: { queries: { enabled: false } } });
	client.setQueryData(["checks"], [check]);
	vi.spyOn(api, "PATCH").mockResolvedValue({
		error: { status: 422, detail: "no", errors: [{ location: "body.warning", message: "not a threshold" }] },
		response: new Response(null, { status: 422 }),
	} as never);
	render(
		<QueryClientProvider client={client}>
			<I18nProvider i18n={i18n}>
				<MantineProvider>
					<MeContext value={{ rights: ["check.write"] } as unknown as Me}>
						<ChecksPage />
					</MeContext>
				</MantineProvider>
			</I18nProvider>
		</QueryClientProvider>,
	);
	const field = screen.getByLabelText<HTMLInputElement>("Warning");
	fireEvent.change(field, { target: { value: "a lot" } });
	fireEvent.click(screen.getByRole("button", { name: "Save" }));
	expect(await screen.findByText("not a threshold")).toBeTruthy();
	fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
	await waitFor(() => expect(screen.queryByText("not a threshold")).toBeNull());
	expect(field.value).toBe(">= 0.85");
});
