/** The queue: what I do next. Views of tickets, most urgent first. */

import { Link } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useActs } from "../api/acts";
import { useCan, useMe } from "../api/me";
import type { Ticket, TicketCounts } from "../api/types";
import { type MessageId, useT } from "../i18n";
import { lasted, number } from "../i18n/format";
import { shortNumber, titleOf } from "../i18n/words";
import { List, ListBones } from "../ui/list";
import { say } from "../ui/notices";
import { Btn, Empty, useSentence, Wrong } from "../ui/parts";
import { SearchField } from "../ui/search";
import { useSelection } from "../ui/selection";
import { ticketColumns } from "./columns";
import { QueueSelection } from "./QueueSelection";
import { type TicketFilter, usePatchTicket, useTicketCounts, useTicketNews, useTickets, type View } from "./queries";
import { nextOf } from "./words";
import "./desk.css";

type Props = { filter: TicketFilter; set: (change: { q?: string; sort?: string }) => void; open: (id: string) => void };

const views: { view: View; word: MessageId; count?: (counts: TicketCounts) => number; wants?: boolean }[] = [
	{ view: "mine", word: "queue.mine", count: (c) => c.mine },
	{ view: "unassigned", word: "queue.unassigned", count: (c) => c.unassigned, wants: true },
	{ view: "open", word: "queue.open", count: (c) => c.new + c.open + c.on_hold },
	{ view: "waiting", word: "queue.waiting", count: (c) => c.on_hold },
	{ view: "done", word: "queue.done" },
];

/** Takes a ticket for oneself; the notice has the way back. */
export function useTake() {
	const t = useT();
	const me = useMe();
	const patch = usePatchTicket();
	const sentence = useSentence();
	return (ticket: Ticket) =>
		patch.mutate(
			{ ticket, change: { assignee_id: me.id, ...(ticket.state === "new" ? { state: "open" } : {}) } },
			{
				onSuccess: (fresh) =>
					say(t("ticket.taken", { number: shortNumber(ticket.number) }), () =>
						patch.mutate({ ticket: fresh, change: { assignee_id: ticket.assignee?.id ?? null } }),
					),
				onError: (reason) => say(sentence(reason)),
			},
		);
}

export function QueuePage({ filter, set, open }: Props) {
	const t = useT();
	const can = useCan();
	const take = useTake();
	const tickets = useTickets(filter);
	const counts = useTicketCounts();
	const news = useTicketNews(filter);
	const columns = useMemo(() => ticketColumns(t, filter.view), [t, filter.view]);
	const rows = useMemo(() => tickets.data?.pages.flatMap((page) => page.items) ?? [], [tickets.data]);
	const { total, over } = tickets.data?.pages[0] ?? { total: 0, over: false };
	const first = nextOf(rows);
	const allHeld =
		filter.view === "open" && !filter.q && rows.length > 0 && !first && !(filter.sort && tickets.hasNextPage);
	const unfinished = counts.data && counts.data.new + counts.data.open + counts.data.on_hold;
	const nobodyWaits = unfinished === 0 && tickets.isSuccess && total === 0 && filter.view !== "done" && !filter.q;
	const selection = useSelection(useMemo(() => rows.map((ticket) => ticket.id), [rows]));
	const chosen = rows.filter((ticket) => selection.ids.has(ticket.id));
	const writes = can("ticket.write");
	useEffect(() => {
		document.title = `${t("nav.queue")} · Deskside`;
	}, [t]);
	return (
		<div className="page">
			<section className="page-head queue-head line">
				<h1 className="sentence grow">
					{first && !filter.q
						? sentenceOf(t, filter.view, first, total, over)
						: nobodyWaits || allHeld
							? t(allHeld ? "queue.all_held" : "queue.nobody_waits")
							: t(views.find((v) => v.view === filter.view)?.word ?? "nav.queue")}
				</h1>
				{first && (
					<Btn kind="first" kbd={first === rows[0] ? "Enter" : undefined} onClick={() => open(first.id)}>
						{t("act.open")}
					</Btn>
				)}
			</section>
			<nav className="views" aria-label={t("nav.queue")}>
				{views.map(({ view, word, count, wants }) => {
					const n = counts.data && count?.(counts.data);
					return (
						<Link
							key={view}
							to="/queue/$view"
							params={{ view }}
							search={{}}
							aria-current={view === filter.view ? "page" : undefined}
						>
							{t(word)}
							{n !== undefined && <span className={wants && n > 0 ? "n wants" : "n"}>{number(n)}</span>}
						</Link>
					);
				})}
				<span className="grow" />
				{news.fresh > 0 && (
					<Btn kind="bare" go onClick={news.refresh}>
						{t("queue.show_new", { n: news.fresh })}
					</Btn>
				)}
				<SearchField
					className="queue-filter not-narrow"
					value={filter.q ?? ""}
					onChange={(q) => set({ q: q || undefined })}
				/>
			</nav>
			{tickets.error ? (
				<Wrong reason={tickets.error} retry={() => void tickets.refetch()} large />
			) : tickets.isPending ? (
				<ListBones columns={columns} selectable={writes && filter.view !== "done"} />
			) : rows.length === 0 ? (
				<Nothing filter={filter} counts={counts.data} clear={() => set({ q: undefined })} open={open} />
			) : (
				<List
					label={t("nav.queue")}
					columns={columns}
					rows={rows}
					total={total}
					over={over}
					keyOf={(ticket) => ticket.id}
					open={(ticket) => open(ticket.id)}
					more={() => !tickets.isFetchingNextPage && tickets.hasNextPage && void tickets.fetchNextPage()}
					sort={filter.sort}
					onSort={(sort) => set({ sort: sort === "turn" ? undefined : sort })}
					unread={(ticket) => ticket.state === "new" || ticket.last_message_by === "person"}
					keys={writes ? [{ keys: "t", does: "key.take", run: take }] : []}
					selection={writes && filter.view !== "done" ? selection : undefined}
					nameOf={titleOf}
				/>
			)}
			{chosen.length > 0 && <QueueSelection tickets={chosen} selection={selection} />}
		</div>
	);
}

function sentenceOf(t: ReturnType<typeof useT>, view: View, first: Ticket, total: number, over: boolean): string {
	if (view === "done") return t(over ? "queue.done_over" : "queue.done_sentence", { n: total });
	return t("queue.next", { title: titleOf(first), age: lasted(first.created_at) });
}

function Nothing({
	filter,
	counts,
	clear,
	open,
}: {
	filter: TicketFilter;
	counts?: TicketCounts;
	clear: () => void;
	open: (id: string) => void;
}) {
	const t = useT();
	const can = useCan();
	const acts = useActs();
	const take = useTake();
	const waiting = useTickets({ view: "unassigned" });
	const urgent = waiting.data?.pages[0]?.items[0];
	if (filter.q)
		return (
			<Empty large action={<Btn onClick={clear}>{t("act.clear_filter")}</Btn>}>
				{t("queue.nothing_for", { q: filter.q })}
			</Empty>
		);
	if (filter.view === "mine" && counts && counts.unassigned > 0)
		return (
			<Empty
				large
				action={
					can("ticket.write") &&
					urgent && (
						<Btn
							kind="first"
							onClick={() => {
								take(urgent);
								open(urgent.id);
							}}
						>
							{t("queue.take_urgent")}
						</Btn>
					)
				}
			>
				{t("queue.nothing_mine", { n: counts.unassigned })}
			</Empty>
		);
	if (filter.view === "done" || filter.view === "waiting")
		return <Empty large>{t(filter.view === "done" ? "queue.nothing_done" : "queue.nothing_waiting")}</Empty>;
	if (counts && counts.new + counts.open + counts.on_hold > 0)
		return <Empty large>{t(filter.view === "mine" ? "queue.nothing_yours" : "queue.nothing_unassigned")}</Empty>;
	return (
		<Empty large action={can("ticket.write") && <Btn onClick={acts.call}>{t("queue.register_call")}</Btn>}>
			{t("queue.nothing")}
		</Empty>
	);
}
