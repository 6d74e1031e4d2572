/** The two lines on top of a ticket that never scroll away. */
import { Menu } from "@mantine/core";
import type { ReactNode } from "react";
import { useCan, useMe } from "../api/me";
import type { Ticket } from "../api/types";
import { useT } from "../i18n";
import { lasted, moment } from "../i18n/format";
import { titleOf } from "../i18n/words";
import { Icon } from "../ui/icons";
import { Btn, Face, Wrong } from "../ui/parts";
import { Colleagues } from "./Colleagues";
import { type TicketChange, usePatchTicket } from "./queries";
import { heldFor, holdReasons, isOver, stateWord } from "./words";

export function TicketHead({ ticket, resolve }: { ticket: Ticket; resolve: () => void }) {
	const t = useT();
	const me = useMe();
	const can = useCan();
	const patch = usePatchTicket();
	const change = (what: TicketChange) => () => patch.mutate({ ticket, change: what });
	const priority = ticket.priority as 1 | 2 | 3 | 4 | 5;
	const writes = can("ticket.write");
	return (
		<section className="page-head ticket-head">
			<div className="line first-line">
				<span className="mono dim number">{ticket.number}</span>
				<h1 className="grow cut" title={titleOf(ticket)}>
					{titleOf(ticket)}
				</h1>
				<Pick word={`P${priority}`} title={t(`priority.${priority}`)} fixed={!writes}>
					{([1, 2, 3, 4, 5] as const).map((p) => (
						<Menu.Item key={p} onClick={change({ priority: p })}>
							P{p} {t(`priority.${p}`)}
						</Menu.Item>
					))}
				</Pick>
				<Pick word={<State ticket={ticket} />} title={t("ticket.state_title")} fixed={!writes}>
					{ticket.state !== "open" && (
						<Menu.Item onClick={change({ state: "open" })}>
							{t(isOver(ticket) ? "act.reopen" : "ticket.state.open")}
						</Menu.Item>
					)}
					{!isOver(ticket) &&
						holdReasons.map((reason) => (
							<Menu.Item key={reason} onClick={change({ state: "on_hold", hold_reason: reason })}>
								{t(`ticket.hold.${reason}`)}
							</Menu.Item>
						))}
					{!isOver(ticket) && (
						<>
							<Menu.Divider />
							<Menu.Item onClick={resolve} rightSection={<kbd>d</kbd>}>
								{t("act.resolve")}
							</Menu.Item>
						</>
					)}
					{ticket.state === "resolved" && (
						<Menu.Item onClick={change({ state: "closed" })}>{t("act.close_ticket")}</Menu.Item>
					)}
				</Pick>
				<Pick
					word={
						<span className="line">
							{ticket.assignee && <Face name={ticket.assignee.name} />}
							<span className="cut">{ticket.assignee?.name ?? t("queue.nobody")}</span>
						</span>
					}
					title={t("ticket.assignee")}
					fixed={!writes}
				>
					{ticket.assignee?.id !== me.id && (
						<Menu.Item
							onClick={change({ assignee_id: me.id, ...(ticket.state === "new" ? { state: "open" } : {}) })}
							rightSection={<kbd>t</kbd>}
						>
							{t("act.take")}
						</Menu.Item>
					)}
					<Colleagues choose={(assignee_id) => change({ assignee_id })()} />
					{ticket.assignee && <Menu.Item onClick={change({ assignee_id: null })}>{t("ticket.unassign")}</Menu.Item>}
				</Pick>
			</div>
			<div className="line meta wrap">
				{ticket.requester ? <b>{ticket.requester.name}</b> : <span>{t("ticket.noticed")}</span>}
				{ticket.can_work && !ticket.says && <span className="tag">{t(`can_work.${ticket.can_work}`)}</span>}
				<span className="tag">{t(`kind.${ticket.kind}`)}</span>
				<span className="grow" />
				<span title={moment(ticket.created_at)}>
					{isOver(ticket) && ticket.resolved_at
						? t("ticket.over_since", { age: lasted(ticket.resolved_at) })
						: t(ticket.state === "on_hold" ? "ticket.opened" : "ticket.waits", { age: lasted(ticket.created_at) })}
				</span>
				{ticket.last_message_by === "person" && (
					<b className="line">
						{t("queue.their_word")}
						<span className="dot" />
					</b>
				)}
			</div>
			{patch.error && <Wrong reason={patch.error} />}
		</section>
	);
}

/** The state. Where it does not fit beside the assignee a shorter one is shown, and the whole one is read aloud. */
function State({ ticket }: { ticket: Ticket }) {
	const t = useT();
	const full = t(stateWord(ticket));
	const reason = heldFor(ticket);
	const narrow = reason ? t(`ticket.hold_narrow.${reason}`) : full;
	if (narrow === full) return full;
	return (
		<>
			<span className="not-narrow">{full}</span>
			<span className="only-narrow">
				<span aria-hidden="true">{narrow}</span>
				<span className="out-of-sight">{full}</span>
			</span>
		</>
	);
}

function Pick({
	word,
	title,
	fixed,
	children,
}: {
	word: ReactNode;
	title: string;
	fixed: boolean;
	children: ReactNode;
}) {
	if (fixed)
		return (
			<span className="sub pick" title={title}>
				{word}
			</span>
		);
	return (
		<Menu position="bottom-end">
			<Menu.Target>
				<Btn kind="bare" className="pick" title={title} rightSection={<Icon name="down" />}>
					<span className="out-of-sight">{title}: </span>
					{word}
				</Btn>
			</Menu.Target>
			<Menu.Dropdown>{children}</Menu.Dropdown>
		</Menu>
	);
}
