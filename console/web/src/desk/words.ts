import type { CanWork, Ticket } from "../api/types";
import type { MessageId } from "../i18n";

export const holdReasons = ["requester", "vendor", "change", "problem"] as const;
export type HoldReason = (typeof holdReasons)[number];

export const canWork: { value: CanWork; word: MessageId; key: string }[] = [
	{ value: "no", word: "can_work.no", key: "1" },
	{ value: "with_difficulty", word: "can_work.with_difficulty", key: "2" },
	{ value: "yes", word: "can_work.yes", key: "3" },
];

type State = Pick<Ticket, "state" | "hold_reason">;

/** What a ticket on hold waits for, where it is something that we know. */
export const heldFor = (ticket: State): HoldReason | undefined =>
	ticket.state === "on_hold" ? holdReasons.find((reason) => reason === ticket.hold_reason) : undefined;

/** The state with its reason, where it is on hold for one that we know. */
export function stateWord(ticket: State): MessageId {
	const reason = heldFor(ticket);
	return reason ? `ticket.hold.${reason}` : `ticket.state.${ticket.state}`;
}

/** Whether who asked can read what we write: a caller without a page of their own is told by word of mouth. */
export const canRead = (ticket: Pick<Ticket, "requester">) => !!ticket.requester?.id;

/** What the resolve dialog begins with, in the language of who reads it. */
export const farewell = { en: "It works again. Please try it.", pl: "Już działa. Proszę sprawdzić." };

export const isOver = (ticket: Pick<Ticket, "state">) => ticket.state === "resolved" || ticket.state === "closed";

/** The first of a list that waits for us: one on hold waits for somebody else, however urgent it is. */
export const nextOf = <T extends Pick<Ticket, "state">>(rows: T[]) => rows.find((ticket) => ticket.state !== "on_hold");
