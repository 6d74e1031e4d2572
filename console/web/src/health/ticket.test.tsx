import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { Alert, Ticket } from "../api/types";
import { goneSince, TicketFindings } from "./TicketFindings";

const alert = (id: string, resolved_at: string | null) =>
	({
		id,
		check: "process.cpu",
		instance: "",
		severity: "warning",
		state: resolved_at ? "resolved" : "firing",
		title: { en: "Busy", pl: "Zajęty" },
		plain: { en: "It is busy.", pl: "Jest zajęty." },
		finding: { en: "sh: 0.8 cores", pl: "sh: 0,8 rdzenia" },
		values: {},
		evidence: { vitals: [], processes: [] },
		started_at: "2026-11-22T03:00:00Z",
		resolved_at,
	}) as unknown as Alert;
const ticket = {
	id: "t",
	state: "open",
	source: "alert",
	requester: { kind: "person", id: null, name: "Ewa" },
	alert_ids: ["a", "b"],
} as unknown as Ticket;
const early = alert("a", "2026-11-22T03:10:00Z");
const late = alert("b", "2026-11-22T03:20:00Z");

test("a cause is gone when the last of the alerts is, and nobody is told of a ticket that is over", () => {
	expect(goneSince(ticket, [late, early])).toBe(late.resolved_at);
	expect(goneSince(ticket, [late, alert("c", null)])).toBeUndefined();
	expect(goneSince({ ...ticket, state: "resolved" }, [late])).toBeUndefined();
	expect(goneSince(ticket, [])).toBeUndefined();
	for (const source of ["person", "api"] as const)
		expect(goneSince({ ...ticket, source }, [late, early])).toBeUndefined();
});

const draw = (shown: Ticket, resolve: () => void) => {
	const client = new QueryClient({ defaultOptions: { queries: { enabled: false } } });
	client.setQueryData(["alerts", { ticket_id: "t" }], [early, late]);
	return render(
		<QueryClientProvider client={client}>
			<I18nProvider i18n={i18n}>
				<MantineProvider>
					<TicketFindings ticket={shown} resolve={resolve} />
				</MantineProvider>
			</I18nProvider>
		</QueryClientProvider>,
	);
};

test("a ticket that stays open without its cause says why, with the way to resolve it", () => {
	const resolve = vi.fn();
	draw(ticket, resolve);
	expect(screen.queryByText(/at the same time/)).toBeNull();
	expect(screen.getByText(/^The cause is gone since .*resolved by people/)).toBeTruthy();
	fireEvent.click(screen.getByRole("button", { name: /Mark as resolved/ }));
	expect(resolve).toHaveBeenCalledOnce();
});

test("where nobody reported it nobody has to be satisfied", () => {
	draw({ ...ticket, requester: null }, () => {});
	expect(screen.getByText(/^The cause is gone since .*Nobody has reported it/)).toBeTruthy();
	expect(screen.queryByText(/satisfied/)).toBeNull();
});

test("beside what a person wrote, alerts are what the computer reports, and no cause", () => {
	draw({ ...ticket, source: "person" }, () => {});
	expect(screen.getByText(/^What this computer reports at the same time/)).toBeTruthy();
	expect(screen.queryByText(/cause is gone/)).toBeNull();
	expect(screen.queryByRole("button", { name: /Mark as resolved/ })).toBeNull();
});
