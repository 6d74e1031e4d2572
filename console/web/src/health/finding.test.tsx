import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { expect, test, vi } from "vitest";
import { api } from "../api/client";
import type { Alert } from "../api/types";
import { setLanguage } from "../i18n";
import { AlertLine, FindingCard, guess, joined, valueWords } from "./FindingCard";

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

const at = Date.parse("2026-11-22T03:00:00Z");
const disk = {
	name: "system.filesystem.utilization",
	unit: "1",
	attributes: { "system.filesystem.mountpoint": "/home" },
	points: [
		[at - 60_000, 0.5],
		[at, 0.97],
	],
};
const cleared = {
	...alert,
	machine_id: "m1",
	check: "filesystem.full",
	state: "resolved",
	resolved_at: "2026-11-22T03:10:00Z",
	evidence: { vitals: [disk], processes: [], limit: null },
} as unknown as Alert;

type Query = { params: { query: Record<string, unknown> } };

/** Draws a finding; answers what was asked for of the machine's vitals. */
const draw = (shown: Alert, series: unknown[]): Record<string, unknown>[] => {
	const asked: Record<string, unknown>[] = [];
	vi.spyOn(api, "GET").mockImplementation(((path: string, of: Query) => {
		if (path.includes("vitals")) asked.push(of.params.query);
		return Promise.resolve({ data: path.includes("vitals") ? { series } : { items: [] }, response: { ok: true } });
	}) as never);
	render(
		<QueryClientProvider client={new QueryClient()}>
			{wrapper({ children: <FindingCard alert={shown} /> })}
		</QueryClientProvider>,
	);
	return asked;
};

test("the chart of a cleared alert goes on until it was over, and a little longer", async () => {
	await act(() => setLanguage("en"));
	const other = { ...disk, attributes: { "system.filesystem.mountpoint": "/" }, points: [[at + 60_000, 0.99]] };
	const fell = {
		...disk,
		points: [
			[at - 30_000, 0.6],
			[at + 300_000, 0.97],
			[at + 595_000, 0.96],
			[at + 610_000, 0.41],
			[at + 700_000, 0.4],
		],
	};
	const asked = draw(cleared, [other, fell]);
	expect(await screen.findByText(/^41%, cleared /)).toBeTruthy();
	expect(asked).toMatchObject([
		{ name: [disk.name], from: new Date(at).toISOString(), to: "2026-11-22T03:12:00.000Z" },
	]);
	fireEvent.click(screen.getByText("As a table"));
	const cells = [...document.querySelectorAll("td.r")].map((cell) => cell.textContent?.replace(/\u00a0/g, " "));
	expect(cells).toEqual(["40%", "41%", "96%", "97%", "97%", "50%"]);
});

test("what is true now stands before what was, and what was says when", () => {
	const over = {
		...cleared,
		plain: { en: "Almost full: 1 MB left.", pl: "Prawie pełny: 1 MB." },
		finding: { en: "97.5% used", pl: "zajęte 97,5%" },
		done: { en: "Enough free space again: 40 GB.", pl: "Znów jest miejsce: 40 GB." },
		values: { used: 0.4, value: 0.4 },
	} as unknown as Alert;
	draw(over, []);
	const all = document.querySelector(".finding")?.textContent?.replace(/\u00a0/g, " ") ?? "";
	const order = ["Enough free space again", "Then (", "Almost full", "in use 40%", "Then (", "97.5% used"];
	let at = 0;
	for (const words of order) {
		at = all.indexOf(words, at);
		expect(at, words).toBeGreaterThanOrEqual(0);
	}
	expect(all).not.toContain("value");
	cleanup();
	draw({ ...over, done: null }, []);
	expect(screen.getByText("This is over.")).toBeTruthy();
});

test("every number that a check tells has a word", () => {
	const folder = join(import.meta.dirname, "../../../../protocol/catalogue/checks");
	const details = readdirSync(folder).flatMap((file) =>
		[...readFileSync(join(folder, file), "utf8").matchAll(/\{name: (\w+),.*format: (\w+)\}/g)].filter(
			([, , format]) => format !== "drive",
		),
	);
	expect(details.length).toBeGreaterThan(9);
	for (const [, name = ""] of details) expect(valueWords[name], name).toBeTruthy();
});

test("where the machine has no such vital the chart stays the evidence", async () => {
	expect(draw(alert, [])).toHaveLength(0);
	draw(cleared, []);
	expect(await screen.findByText(/^cleared \d/, { selector: "svg text" })).toBeTruthy();
	expect(screen.queryByText(/%, cleared /)).toBeNull();
});

test("a value that was not read for a while leaves a hole in the chart", () => {
	const { points } = joined(disk.points, { step: 15, points: [[at + 600_000, 0.4]] });
	expect(points.map(([, value]) => value)).toEqual([0.5, 0.97, null, 0.4]);
});
