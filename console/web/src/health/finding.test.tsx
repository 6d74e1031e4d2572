import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Alert } from "../api/types";
import { setLanguage } from "../i18n";
import { FindingCard } from "./FindingCard";

const alert = {
	id: "a",
	check: "process.cpu",
	severity: "warning",
	state: "firing",
	title: { en: "Busy", pl: "Zajęty" },
	plain: { en: "It is busy.", pl: "Jest zajęty." },
	finding: { en: "sh: 0.8 cores", pl: "sh: 0,8 rdzenia" },
	values: {},
	evidence: { vitals: [], processes: [] },
	started_at: "2026-11-22T03:00:00Z",
	resolved_at: null,
} as unknown as Alert;

test("a finding is said in the reader's language as soon as that is known, until another is chosen", async () => {
	render(
		<QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { enabled: false } } })}>
			<I18nProvider i18n={i18n}>
				<FindingCard alert={alert} />
			</I18nProvider>
		</QueryClientProvider>,
	);
	expect(screen.getByText("It is busy.")).toBeTruthy();
	await act(() => setLanguage("pl"));
	expect(screen.getByText("Jest zajęty.")).toBeTruthy();
	fireEvent.click(screen.getByText("EN"));
	expect(screen.getByText("It is busy.")).toBeTruthy();
});
