import type { Ticket } from "../api/types";
import type { Translate } from "../i18n";
import { age, moment } from "../i18n/format";
import { titleOf } from "../i18n/words";
import type { Column } from "../ui/list";
import type { View } from "./queries";
import { heldFor, isOver, stateWord } from "./words";

/** The columns of the queue. The title is in the person's own words. */
export function ticketColumns(t: Translate, view: View): Column<Ticket>[] {
	const showsState = (ticket: Ticket) =>
		(view === "open" || view === "waiting" || view === "done") && ticket.state !== "open";
	return [
		{
			id: "waits",
			head: t("queue.waits"),
			width: "72px",
			sort: "created_at",
			down: true,
			area: "start",
			cell: (ticket) => (
				<span className="mid" title={moment(ticket.created_at)}>
					{age(ticket.created_at)}
				</span>
			),
		},
		{
			id: "priority",
			head: t("queue.priority"),
			width: "28px",
			sort: "turn",
			cell: (ticket) => (
				<span className="mid" title={t(`priority.${ticket.priority as 1 | 2 | 3 | 4 | 5}`)}>
					P{ticket.priority}
				</span>
			),
		},
		{
			id: "title",
			head: t("queue.what"),
			width: "minmax(200px, 1fr)",
			area: "title",
			cell: (ticket) => (
				<span className="line">
					<span className="title cut" title={titleOf(ticket)}>
						{titleOf(ticket)}
					</span>
					{ticket.can_work === "no" && !isOver(ticket) && (
						<span className="tag yields not-narrow" title={t("can_work.tag_no")}>
							{t("can_work.tag_no")}
						</span>
					)}
					{showsState(ticket) && (
						<span
							className={heldFor(ticket) ? "tag yields first not-narrow" : "tag not-narrow"}
							title={t(stateWord(ticket))}
						>
							{t(stateWord(ticket))}
						</span>
					)}
				</span>
			),
		},
		{
			id: "who",
			head: t("queue.who"),
			width: "clamp(96px, 10vw, 170px)",
			area: "under",
			cell: (ticket) => (
				<>
					{ticket.requester ? (
						<span title={ticket.requester.name}>{ticket.requester.name}</span>
					) : (
						<span className="dim">{t("queue.noticed")}</span>
					)}
					{ticket.can_work === "no" && !isOver(ticket) && (
						<span className="only-narrow"> · {t("can_work.tag_no")}</span>
					)}
					{showsState(ticket) && <span className="only-narrow"> · {t(`ticket.state.${ticket.state}`)}</span>}
				</>
			),
		},
		{
			id: "computer",
			head: t("computers.computer"),
			width: "clamp(88px, 8.5vw, 150px)",
			area: "under-end",
			cell: (ticket) => (
				<span className="line">
					<span className="mono cut" title={ticket.machines[0]?.name}>
						{ticket.machines[0]?.name}
					</span>
					{ticket.machines.length > 1 && <span className="times">+{ticket.machines.length - 1}</span>}
				</span>
			),
		},
		...(view === "mine"
			? []
			: [
					{
						id: "assignee",
						head: t("queue.assignee"),
						width: "clamp(88px, 8vw, 130px)",
						cell: (ticket: Ticket) =>
							ticket.assignee ? (
								<span title={ticket.assignee.name}>{ticket.assignee.name}</span>
							) : (
								<span className="dim">{t("queue.nobody")}</span>
							),
					},
				]),
		{
			id: "last",
			head: t("queue.last"),
			width: "84px",
			sort: "updated_at",
			down: true,
			end: true,
			area: "end",
			cell: (ticket) => (
				<span className="line last-word" title={moment(ticket.updated_at)}>
					<span className="mid">
						{ticket.last_message_by === "technician" ? t("queue.us") : age(ticket.updated_at)}
					</span>
					{ticket.last_message_by === "person" ? (
						<span className="dot" role="img" aria-label={t("queue.their_word")} />
					) : (
						<span className="dot none" />
					)}
				</span>
			),
		},
	];
}
