import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { expect, test } from "vitest";
import type { Alert } from "../api/types";
import { setLanguage } from "../i18n";
import { AlertLine, FindingCard, guess } from "./FindingCard";

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

test("values of a finding have their unit, and what only names something is not grouped", () => {
	const said = (name: string, value: number) => guess(name, value).replace(/\u00a0/g, " ");
	expect(said("pid", 2659)).toBe("2659");
	expect(said("memory", 326_754_304)).toMatch(/^\d+(\.\d)? MB$/);
	expect(said("available", 1.5e9)).toMatch(/GB$/);
	expect(said("used", 0.93)).toBe("93%");
	expect(said("swap", 0.5)).toBe("50%");
	expect(said("files", 120_000)).toBe("120,000");
});

const wrapper = ({ children }: { children: ReactNode }) => <I18nProvider i18n={i18n}>{children}</I18nProvider>;

test("a finding names its program where the processes of that moment have it", () => {
	const evidence = {
		vitals: [],
		processes: [
			{ pid: 7, name: "cron" },
			{ pid: 2659, name: "backup" },
		],
	};
	render(<AlertLine alert={{ ...alert, values: { pid: 2659 }, evidence } as unknown as Alert} />, { wrapper });
	render(<AlertLine alert={{ ...alert, evidence } as unknown as Alert} />, { wrapper });
	expect(screen.getByText("Busy: backup")).toBeTruthy();
	expect(screen.getByText("Busy")).toBeTruthy();
});
