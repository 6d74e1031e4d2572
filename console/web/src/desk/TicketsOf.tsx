/** Other tickets of the same machine and person, and the numbers on top of a machine's page. */
import { Link } from "@tanstack/react-router";
import type { Machine, Ticket } from "../api/types";
import { useT } from "../i18n";
import { age } from "../i18n/format";
import { shortNumber, titleOf } from "../i18n/words";
import { useTicketsOf } from "./queries";
import { isOver } from "./words";

function Lines({ tickets }: { tickets: Ticket[] }) {
	return (
		<ul className="rows">
			{tickets.slice(0, 5).map((ticket) => (
				<li key={ticket.id}>
					<time>{age(ticket.updated_at)}</time>
					<Link to="/tickets/$id" params={{ id: ticket.id }} className="link cut" title={titleOf(ticket)}>
						{shortNumber(ticket.number)} {titleOf(ticket)}
					</Link>
				</li>
			))}
		</ul>
	);
}

export function TicketsOf({ ticket }: { ticket: Ticket }) {
	const t = useT();
	const machine = ticket.machine_ids[0];
	const ofMachine = useTicketsOf({ machine_id: machine });
	const ofPerson = useTicketsOf({ requester_id: ticket.requester?.id });
	const other = (tickets?: Ticket[]) => (tickets ?? []).filter((one) => one.id !== ticket.id);
	const here = other(ofMachine.data?.items);
	const theirs = other(ofPerson.data?.items).filter((one) => !here.some((h) => h.id === one.id));
	return (
		<>
			{machine && (
				<section>
					<h2>{t("ticket.of_machine")}</h2>
					{here.length > 0 ? <Lines tickets={here} /> : <p className="empty">{t("ticket.no_others")}</p>}
				</section>
			)}
			{ticket.requester && (
				<section>
					<h2>{ticket.requester.name}</h2>
					{theirs.length > 0 ? <Lines tickets={theirs} /> : <p className="empty">{t("ticket.no_others")}</p>}
				</section>
			)}
		</>
	);
}

/** “open: 097, 118” */
export function OpenTickets({ machine }: { machine: Machine }) {
	const t = useT();
	const tickets = useTicketsOf({ machine_id: machine.id });
	const open = (tickets.data?.items ?? []).filter((ticket) => !isOver(ticket));
	if (open.length === 0) return null;
	return (
		<span className="sub">
			{t("machine.open_tickets")}{" "}
			{open.slice(0, 4).map((ticket, i) => (
				<span key={ticket.id}>
					{i > 0 && ", "}
					<Link to="/tickets/$id" params={{ id: ticket.id }} className="link within" title={titleOf(ticket)}>
						{shortNumber(ticket.number)}
					</Link>
				</span>
			))}
		</span>
	);
}
