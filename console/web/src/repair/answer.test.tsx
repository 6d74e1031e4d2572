import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { type Acts, ActsContext } from "../api/acts";
import { MeContext } from "../api/me";
import type { Me, Run } from "../api/types";
import { RunAnswer } from "./RunAnswer";
import { Suggested } from "./Suggested";

const run = {
	id: "r1",
	script: "free-disk-space",
	state: "succeeded",
	dry_run: true,
	exit_code: 0,
	duration_seconds: 2,
	result: {},
	output: { bytes: 0, truncated: false },
	refusal: null,
	verify: { check: "filesystem.full", verdict: "not_run" },
} as unknown as Run;

// The output is read as it comes; none comes.
beforeEach(() => void vi.spyOn(globalThis, "fetch").mockReturnValue(new Promise(() => {})));

const said = (shown: Run, output?: string) => {
	cleanup();
	const client = new QueryClient({ defaultOptions: { queries: { enabled: false } } });
	if (output) client.setQueryData(["run", shown.id, "output"], { text: output, done: true });
	render(
		<QueryClientProvider client={client}>
			<I18nProvider i18n={i18n}>
				<MantineProvider>
					<RunAnswer run={shown} />
				</MantineProvider>
			</I18nProvider>
		</QueryClientProvider>,
	);
	return document.body.textContent ?? "";
};

test("a run without changes cures nothing, and says nothing of a check", () => {
	expect(said(run)).toContain("Tried without changes");
	expect(said(run)).not.toContain("filesystem.full");
	const cured = { ...run, dry_run: false, verify: { check: "filesystem.full", verdict: "verified" } } as unknown as Run;
	expect(said(cured)).toContain("Verified: filesystem.full is fine again.");
});

test("what a script hands over is said once and by words, what is unknown keeps its name whole on hover", () => {
	const told = { ...run, result: { would_free_bytes: 1500000, rotated_archives: 3 } } as unknown as Run;
	const text = said(told, "Nothing was removed.\ndeskside: would_free_bytes=1500000\ndeskside: later=1\n");
	expect(text).toContain("Nothing was removed.");
	expect(text).toContain("later=1");
	expect(text).not.toContain("would_free_bytes");
	expect(text.replace(/\u00a0/g, " ")).toMatch(/Would free1\.[45]\d* M/);
	expect(document.querySelector("[title=rotated_archives]")).toBeTruthy();
});

test("whatever a machine calls its results, nothing that it wrote is hidden but them", () => {
	const odd = { ...run, result: { "": 1, toString: 2 } } as unknown as Run;
	const text = said(odd, "Nothing was removed.\ndeskside: constructor=1\n");
	expect(text).toContain("Nothing was removed.");
	expect(text).toContain("constructor=1");
	expect(text).toContain("toString");
});

test("a ticket without a finding misses no repair", async () => {
	const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
	client.setQueryData(["scripts", { machine_id: "m1", ticket_id: "t1" }], [{ id: "s1", fits: false }]);
	const beside = (finding: boolean) => {
		cleanup();
		render(
			<QueryClientProvider client={client}>
				<I18nProvider i18n={i18n}>
					<ActsContext.Provider value={{} as Acts}>
						<MeContext.Provider value={{ rights: ["run.start"] } as unknown as Me}>
							<Suggested machine="m1" ticket="t1" finding={finding} />
						</MeContext.Provider>
					</ActsContext.Provider>
				</I18nProvider>
			</QueryClientProvider>,
		);
		return document.body.textContent ?? "";
	};
	expect(beside(true)).toContain("No approved repair for this finding.");
	expect(beside(false)).toBe("");
});
