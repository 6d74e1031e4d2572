import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { api } from "../api/client";
import { MeContext } from "../api/me";
import type { Me, Settings } from "../api/types";
import { setLanguage, translate } from "../i18n";
import { fieldProblem } from "../i18n/words";
import { ConsoleSettings, misread } from "./ConsoleSettings";

const settings = {
	beat: "30s",
	offline_after: "1m30s",
	upload_every: "1m",
	join_window: "1h",
	auto_resolve_after: "30m",
	storm: { machines: 20, window: "10m" },
	watched_services: [],
	version: 3,
} as unknown as Settings;

afterEach(() => vi.restoreAllMocks());

test("each wrong field says in the reader's language what it wants, and nothing is sent", async () => {
	await setLanguage("pl");
	const patch = vi.spyOn(api, "PATCH").mockReturnValue(new Promise(() => {}) as never);
	const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
	client.setQueryData(["settings"], settings);
	render(
		<QueryClientProvider client={client}>
			<I18nProvider i18n={i18n}>
				<MantineProvider>
					<MeContext.Provider value={{ rights: ["settings.write"] } as unknown as Me}>
						<ConsoleSettings />
					</MeContext.Provider>
				</MantineProvider>
			</I18nProvider>
		</QueryClientProvider>,
	);
	const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } });
	const save = () => fireEvent.submit(screen.getByLabelText("Rytm").closest("form") as HTMLFormElement);
	type("Rytm", "abc");
	type("Offline po", "5");
	type("Lawina alertów: liczba komputerów", "abc");
	expect(screen.queryByText(/^Podaj/)).toBeNull();
	save();
	expect(screen.getAllByText(/^Podaj\sczas/)).toHaveLength(2);
	expect(screen.getAllByText(/^Podaj\sliczbę/)).toHaveLength(1);
	expect(patch).not.toHaveBeenCalled();
	type("Rytm", "20s");
	type("Offline po", "5m");
	type("Lawina alertów: liczba komputerów", "30");
	save();
	expect(screen.queryByText(/^Podaj/)).toBeNull();
	await vi.waitFor(() => expect(patch).toHaveBeenCalledOnce());
});

test("times are read as the console reads them", () => {
	for (const beat of ["0", "30s", "1h30m", "1.5m", "500ms"]) expect(misread({ beat })).toEqual({});
	for (const beat of ["", "abc", "5", "5 m", "5d", "-5m"])
		expect(misread({ beat })).toEqual({ beat: "settings.not_a_span" });
	expect(misread({ watched_services: ["cups"] })).toEqual({});
	expect(fieldProblem(translate, "expected integer")).toMatch(/^must be a\swhole number$/);
});
