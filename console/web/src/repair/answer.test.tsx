import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import type { Run } from "../api/types";
import { RunAnswer } from "./RunAnswer";

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

const said = (shown: Run) => {
	cleanup();
	const client = new QueryClient({ defaultOptions: { queries: { enabled: false } } });
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
