/** One change to many tickets: one after the other, each with its own version, and what did not work. */
import { useState } from "react";
import type { Ticket } from "../api/types";
import { type TicketChange, usePatchTicket } from "./queries";

export type Bulk = {
	/** While it runs: how many of how many are done. */
	running?: { done: number; of: number };
	failed: { ticket: Ticket; reason: unknown }[];
};
/** What changed, with what takes it back. */
type Done = { fresh: Ticket; back: TicketChange };

/**
 * Changes each of the tickets; one that fails does not keep the others back. Returns those that
 * were changed, and what failed.
 */
export async function changeEach(
	tickets: Ticket[],
	change: (ticket: Ticket) => TicketChange,
	patch: (ticket: Ticket, change: TicketChange) => Promise<Ticket>,
	progress: (done: number) => void,
): Promise<{ changed: Done[]; failed: Bulk["failed"] }> {
	const changed: Done[] = [];
	const failed: Bulk["failed"] = [];
	for (const [i, ticket] of tickets.entries()) {
		try {
			changed.push({ fresh: await patch(ticket, change(ticket)), back: before(ticket) });
		} catch (reason) {
			failed.push({ ticket, reason });
		}
		progress(i + 1);
	}
	return { changed, failed };
}

/** The change that makes a ticket again what it was; nothing goes back to being new. */
export function before(ticket: Ticket): TicketChange {
	return {
		assignee_id: ticket.assignee?.id ?? null,
		state: ticket.state === "new" ? "open" : ticket.state,
		...(ticket.state === "on_hold" && ticket.hold_reason ? { hold_reason: ticket.hold_reason } : {}),
	};
}

export function useBulk() {
	const patch = usePatchTicket();
	const [bulk, setBulk] = useState<Bulk>({ failed: [] });
	const run = async (tickets: Ticket[], change: (ticket: Ticket) => TicketChange) => {
		const of = tickets.length;
		setBulk({ running: { done: 0, of }, failed: [] });
		const { changed, failed } = await changeEach(
			tickets,
			change,
			(ticket, what) => patch.mutateAsync({ ticket, change: what }),
			(done) => setBulk((now) => ({ ...now, running: { done, of } })),
		);
		setBulk({ failed });
		return changed;
	};
	return { bulk, run, forget: () => setBulk({ failed: [] }) };
}
