import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Facts, Machine } from "../api/types";
import { FactsPane } from "./MachineFacts";

const facts = { hardware: {}, network: [], unreadable: [], people: [], uptime_seconds: null } as unknown as Facts;
const machine = {
	os: { family: "linux", name: "Debian", version: "13", kernel: "6", arch: "amd64" },
	agent: { version: "1" },
	policy: { profile: "trial", terminal: "off" },
	enrolled_at: "2026-11-01T08:00:00Z",
} as Machine;

const draw = (more: Partial<Machine>) =>
	render(
		<I18nProvider i18n={i18n}>
			<FactsPane
				facts={facts}
				machine={{ ...machine, clock_ahead_seconds: 0, lost_messages: 0, lost_at: null, ...more }}
			/>
		</I18nProvider>,
	);

test("a clock that is wrong is said, and messages that were lost, and neither where there is none", () => {
	const well = draw({});
	expect(screen.queryByText("Clock")).toBeNull();
	expect(screen.queryByText("Lost")).toBeNull();
	well.unmount();
	const days = (n: number) => new Date(Date.now() - n * 24 * 3600_000).toISOString();
	const ahead = draw({ clock_ahead_seconds: 3600, lost_messages: 7, lost_at: days(29) });
	expect(screen.getByText("1 h ahead when it connected")).toBeTruthy();
	expect(screen.getByText(/^7 messages, last /).closest(".warning")).toBeTruthy();
	ahead.unmount();
	const old = draw({ lost_messages: 7, lost_at: days(31) });
	expect(screen.getByText(/^7 messages, last /).closest(".warning")).toBeNull();
	old.unmount();
	draw({ clock_ahead_seconds: -172800 });
	expect(screen.getByText("2 days behind when it connected")).toBeTruthy();
	expect(screen.queryByText("Lost")).toBeNull();
});
