/** What happened in a ticket: people first, machines one grey line each, repeats as a counter. */
import { useMemo, useState } from "react";
import type { Ticket, TimelineItem } from "../api/types";
import { type MessageId, useT } from "../i18n";
import { clock, moment, when } from "../i18n/format";
import { Icon, type IconName } from "../ui/icons";
import { Bones, Btn, Empty, Face, Seg, Wrong } from "../ui/parts";
import { useTimeline } from "./queries";
import type { TicketParts } from "./TicketPage";
import { reasonOf, toldOf } from "./told";
import { canRead } from "./words";

type Shown = "all" | "people" | "machine";
export type Entry = { item: TimelineItem; times: number; last: string };

const byPeople = (item: TimelineItem) => item.kind === "message" || item.kind === "note";

/** The run or the session that an item is about. */
const refOf = (item: TimelineItem) => String(item.data.run_id ?? item.data.session_id ?? "");

/**
 * Neighbours of a machine that say the same become one entry with a counter. A run, and a session, is one entry where it was asked
 * for: what is shown of it is always how it is now.
 */
export function fold(items: TimelineItem[]): Entry[] {
	const entries: Entry[] = [];
	const shown = new Set<string>();
	for (const item of items) {
		const ref = item.kind === "run" || item.kind === "session" ? refOf(item) : "";
		if (ref && shown.has(ref)) continue;
		shown.add(ref);
		const before = entries.at(-1);
		const repeats = before && item.kind === "alert" && before.item.kind === "alert" && before.item.text === item.text;
		if (repeats) {
			before.times++;
			before.last = item.at;
		} else entries.push({ item, times: 1, last: item.at });
	}
	return entries;
}

export function Timeline({ ticket, parts }: { ticket: Ticket; parts: TicketParts }) {
	const t = useT();
	const timeline = useTimeline(ticket.id);
	const [shown, setShown] = useState<Shown>("all");
	const entries = useMemo(
		() => fold((timeline.data ?? []).filter((item) => shown === "all" || byPeople(item) === (shown === "people"))),
		[timeline.data, shown],
	);
	if (timeline.error && !timeline.isFetchNextPageError)
		return (
			<div className="sec">
				<Wrong reason={timeline.error} retry={() => void timeline.refetch()} />
			</div>
		);
	if (!timeline.data)
		return (
			<div className="sec">
				<Bones lines={5} />
			</div>
		);
	return (
		<section aria-label={t("ticket.timeline")}>
			<div className="line timeline-head">
				<h2 className="grow">{t("ticket.timeline")}</h2>
				{timeline.data.some(byPeople) && !timeline.data.every(byPeople) && (
					<Seg
						label={t("ticket.timeline")}
						value={shown}
						onChange={setShown}
						options={[
							{ value: "all", label: t("timeline.all") },
							{ value: "people", label: t("timeline.people") },
							{ value: "machine", label: t("timeline.machine") },
						]}
					/>
				)}
			</div>
			{timeline.hasNextPage && (
				<div className="sec">
					{timeline.isFetchNextPageError && <Wrong reason={timeline.error} />}
					<Btn low loading={timeline.isFetchingNextPage} onClick={() => void timeline.fetchNextPage()}>
						{t("timeline.earlier")}
					</Btn>
				</div>
			)}
			{entries.length === 0 && !timeline.hasNextPage && (
				<div className="sec">
					<Empty>{t("timeline.empty")}</Empty>
				</div>
			)}
			<ol className="timeline">
				{entries.map((entry) => (
					<One key={entry.item.id} entry={entry} parts={parts} ticket={ticket} />
				))}
			</ol>
		</section>
	);
}

const marks: Record<TimelineItem["kind"], IconName> = {
	message: "reply",
	note: "lock",
	alert: "warning",
	run: "play",
	session: "terminal",
	state: "state",
};

function One({ entry: { item, times, last }, parts, ticket }: { entry: Entry; parts: TicketParts; ticket: Ticket }) {
	const t = useT();
	const person = byPeople(item);
	const ref = refOf(item);
	const severity = item.data.severity === "critical" ? "critical" : "warning";
	const over = item.kind === "alert" && item.data.state === "resolved";
	const mark = over ? "ok" : item.kind === "alert" ? severity : marks[item.kind];
	return (
		<li className={`${person ? "" : "machine"} ${item.kind}`}>
			<time dateTime={item.at} title={moment(item.at)}>
				{isToday(item.at) ? clock(item.at) : when(item.at)}
			</time>
			<span className="mark">
				{person ? (
					<Face name={item.by.name} />
				) : (
					<span className={`tone ${item.kind === "alert" ? mark : ""}`}>
						<Icon name={mark} />
					</span>
				)}
			</span>
			<div className="said">
				{item.kind === "run" && ref ? (
					<>
						<parts.Run run={ref} />
						{reasonOf(t, item) && <p className="dim">{reasonOf(t, item)}</p>}
					</>
				) : item.kind === "session" && ref ? (
					<parts.Session session={ref} />
				) : person ? (
					<>
						<p>
							<b>{item.by.name}</b>{" "}
							<span className="dim">{t(addressed(item, ticket), { name: ticket.requester?.name ?? "" })}</span>
						</p>
						<p className="text">{item.text}</p>
					</>
				) : (
					<p>
						{toldOf(t, item)}
						{times > 1 && (
							<>
								{" "}
								<span className="times">{t("timeline.times", { n: times, since: clock(item.at) })}</span>{" "}
								<span className="dim">{t("timeline.last", { at: clock(last) })}</span>
							</>
						)}
						{reasonOf(t, item) && <span className="dim"> · {reasonOf(t, item)}</span>}
						{item.by.kind === "technician" && item.by.name && item.data.to !== item.by.name && (
							<span className="dim"> · {item.by.name}</span>
						)}
					</p>
				)}
			</div>
		</li>
	);
}

function addressed(item: TimelineItem, ticket: Ticket): MessageId {
	if (item.kind === "note") return "timeline.note";
	if (item.by.kind === "technician") return canRead(ticket) ? "timeline.to" : "timeline.told";
	return canRead(ticket) ? "timeline.wrote" : "timeline.said";
}

const isToday = (at: string) => new Date(at).toDateString() === new Date().toDateString();
