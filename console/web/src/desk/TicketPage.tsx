/**
 * A ticket: who, what they said, what was measured, what was done about it, and
 * the next word. The machine stands beside it, never instead of it.
 */
import { type ComponentType, useEffect, useState } from "react";
import { useActs } from "../api/acts";
import { useCan } from "../api/me";
import type { Ticket } from "../api/types";
import { useT } from "../i18n";
import { shortNumber, titleOf } from "../i18n/words";
import { useKeys } from "../ui/keyboard";
import { useNarrow } from "../ui/list";
import { say } from "../ui/notices";
import { Bones, Wrong } from "../ui/parts";
import { Editors } from "./Editors";
import { useTake } from "./QueuePage";
import { usePatchTicket, useTicket } from "./queries";
import { ResolveDialog } from "./ResolveDialog";
import { TicketHead } from "./TicketHead";
import { TicketMachines } from "./TicketMachines";
import { TicketsOf } from "./TicketsOf";
import { Timeline } from "./Timeline";
import { isOver } from "./words";
import "./desk.css";

export type TicketParts = {
	/** The findings of its alerts, with their evidence; `resolve` opens the dialog, for who may. */
	Findings: ComponentType<{ ticket: Ticket; resolve?: () => void }>;
	/** One machine in a few lines: how it is, what can be done, how it is now. */
	Machine: ComponentType<{ machine: string; ticket: Ticket }>;
	/** A run in the timeline. */
	Run: ComponentType<{ run: string }>;
	/** A session in the timeline. */
	Session: ComponentType<{ session: string }>;
	/** Whether its checks still fail, in a sentence, or nothing. */
	StillFailing: ComponentType<{ ticket: Ticket }>;
};

export function TicketPage({ id, parts, back }: { id: string; parts: TicketParts; back: () => void }) {
	const t = useT();
	const ticket = useTicket(id);
	const title = ticket.data && `${shortNumber(ticket.data.number)} ${titleOf(ticket.data)}`;
	useEffect(() => {
		document.title = `${title ?? t("nav.queue")} · Deskside`;
	}, [title, t]);
	if (ticket.error) return <Wrong reason={ticket.error} retry={() => void ticket.refetch()} large />;
	if (!ticket.data)
		return (
			<div className="page-head">
				<Bones lines={3} />
			</div>
		);
	return <Open ticket={ticket.data} parts={parts} back={back} />;
}

function Open({ ticket, parts, back }: { ticket: Ticket; parts: TicketParts; back: () => void }) {
	const t = useT();
	const can = useCan();
	const acts = useActs();
	const take = useTake();
	const patch = usePatchTicket();
	const narrow = useNarrow();
	const [side, setSide] = useState<"talk" | "machine">("talk");
	const [resolving, setResolving] = useState(false);
	const machine = ticket.machine_ids[0];
	const writes = can("ticket.write");
	const focus = (name: string) => () => document.querySelector<HTMLElement>(`textarea[name=${name}]`)?.focus();
	useKeys([
		{
			keys: "y",
			does: "key.copy_number",
			run: () => void navigator.clipboard.writeText(ticket.number).then(() => say(t("act.copied"))),
		},
		{ keys: "Escape", does: "key.back", run: back },
		...(writes
			? [
					{ keys: "r", does: "key.reply" as const, run: focus("reply") },
					{ keys: "i", does: "key.note" as const, run: focus("note") },
					{ keys: "t", does: "key.take" as const, run: () => take(ticket) },
					{ keys: "d", does: "key.resolve" as const, run: () => !isOver(ticket) && setResolving(true) },
				]
			: []),
		...(machine && can("run.start")
			? [{ keys: "s", does: "key.run" as const, run: () => acts.run({ machine, ticket: ticket.id }) }]
			: []),
		...(machine && can("session.open")
			? [{ keys: "o", does: "key.connect" as const, run: () => acts.connect({ machine, ticket: ticket.id }) }]
			: []),
	]);
	const talk = (
		<div className="talk">
			<div className="scroll">
				<Says ticket={ticket} />
				<parts.Findings ticket={ticket} resolve={writes ? () => setResolving(true) : undefined} />
				<Timeline ticket={ticket} parts={parts} />
			</div>
			{writes && (
				<Editors
					ticket={ticket}
					resolve={() => setResolving(true)}
					reopen={() => patch.mutate({ ticket, change: { state: "open" } })}
				/>
			)}
		</div>
	);
	const pane = (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
		<aside className="pane" tabIndex={0} aria-label={t("ticket.machine")}>
			{ticket.machine_ids.map((id) => (
				<parts.Machine key={id} machine={id} ticket={ticket} />
			))}
			<TicketMachines ticket={ticket} writes={writes} />
			<TicketsOf ticket={ticket} />
		</aside>
	);
	return (
		<div className="page">
			<TicketHead ticket={ticket} resolve={() => setResolving(true)} />
			{patch.error && <Wrong reason={patch.error} />}
			{narrow ? (
				<>
					<div className="halves" role="tablist">
						<button type="button" role="tab" aria-selected={side === "talk"} onClick={() => setSide("talk")}>
							{t("ticket.conversation")}
						</button>
						<button type="button" role="tab" aria-selected={side === "machine"} onClick={() => setSide("machine")}>
							{t("ticket.machine")}
						</button>
					</div>
					{side === "talk" ? talk : <div className="scroll">{pane}</div>}
				</>
			) : (
				<div className="split">
					{talk}
					{pane}
				</div>
			)}
			{resolving && (
				<ResolveDialog ticket={ticket} StillFailing={parts.StillFailing} close={() => setResolving(false)} />
			)}
		</div>
	);
}

/** The first words, kept as they were said. */
function Says({ ticket }: { ticket: Ticket }) {
	const t = useT();
	if (!ticket.says) return null;
	return (
		<div className="says">
			<span className="label">{t("ticket.says")}</span>
			<blockquote className="text">{t("ticket.quoted", { words: ticket.says })}</blockquote>
			{ticket.can_work && <span className="tag">{t(`can_work.${ticket.can_work}`)}</span>}
		</div>
	);
}
