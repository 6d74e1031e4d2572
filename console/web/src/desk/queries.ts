import {
	type InfiniteData,
	keepPreviousData,
	useInfiniteQuery,
	useMutation,
	useQuery,
	useQueryClient,
} from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { api, call, rows } from "../api/client";
import { type Change, live } from "../api/live";
import type { CanWork, List, Ticket, TicketState, TimelineItem } from "../api/types";

export type View = "mine" | "unassigned" | "open" | "waiting" | "done";
export type TicketFilter = { view: View; q?: string; sort?: string };
type Pages = InfiniteData<List<Ticket>, string | undefined>;

const views: Record<View, { state: TicketState[]; assignee_id?: string }> = {
	mine: { state: ["new", "open"], assignee_id: "me" },
	unassigned: { state: ["new", "open"], assignee_id: "none" },
	open: { state: ["new", "open", "on_hold"] },
	waiting: { state: ["on_hold"] },
	done: { state: ["resolved", "closed"] },
};

export function useTickets({ view, q, sort }: TicketFilter) {
	return useInfiniteQuery({
		queryKey: ["tickets", { view, q, sort }],
		queryFn: ({ pageParam, signal }): Promise<List<Ticket>> =>
			call(
				api.GET("/tickets", {
					params: {
						query: {
							...views[view],
							q,
							sort: sort ?? (view === "done" ? "-updated_at" : "turn"),
							limit: 100,
							cursor: pageParam,
						},
					},
					signal,
				}),
			),
		initialPageParam: undefined as string | undefined,
		getNextPageParam: (last) => last.next ?? undefined,
		placeholderData: keepPreviousData,
		staleTime: Number.POSITIVE_INFINITY,
	});
}

export function useTicketCounts(on = true) {
	return useQuery({
		queryKey: ["ticket-counts"],
		queryFn: () => call(api.GET("/tickets/counts")),
		enabled: on,
		staleTime: 5_000,
	});
}

export function useTicket(id: string) {
	return useQuery({
		queryKey: ["ticket", id],
		queryFn: () => call(api.GET("/tickets/{id}", { params: { path: { id } } })),
	});
}

/** What happened to a ticket: the newest 500 items, and 500 more with each `fetchNextPage`; `data` is in the order in which it happened. */
export function useTimeline(id: string) {
	return useInfiniteQuery({
		queryKey: ["ticket", id, "timeline"],
		queryFn: ({ pageParam }): Promise<List<TimelineItem>> =>
			call(
				api.GET("/tickets/{id}/timeline", {
					params: { path: { id }, query: { sort: "-at", limit: 500, cursor: pageParam } },
				}),
			),
		initialPageParam: undefined as string | undefined,
		getNextPageParam: (last) => last.next ?? undefined,
		select: inOrder,
	});
}

const inOrder = (data: InfiniteData<List<TimelineItem>>) => data.pages.flatMap((page) => page.items).reverse();

/** Other tickets of the same machine or person; without an id nothing is asked, since an empty filter lists everybody's. */
export function useTicketsOf(of: { machine_id?: string } | { requester_id?: string }) {
	return useQuery({
		queryKey: ["tickets-of", of],
		queryFn: () => call(api.GET("/tickets", { params: { query: { ...of, limit: 20, sort: "-updated_at" } } })),
		enabled: Object.values(of).some(Boolean),
	});
}

/** Everybody with an account who may sign in, as far as one answer goes: 500. */
export function usePeople() {
	return useQuery({
		queryKey: ["people"],
		queryFn: () => call(api.GET("/people", { params: { query: { limit: 500 } } })).then(rows),
		staleTime: 300_000,
	});
}

export function useFind(q: string) {
	return useQuery({
		queryKey: ["search", q],
		queryFn: ({ signal }) => call(api.GET("/search", { params: { query: { q } }, signal })),
		enabled: q.trim().length > 1,
		placeholderData: keepPreviousData,
		staleTime: 5_000,
	});
}

export type TicketChange = {
	state?: TicketState;
	hold_reason?: NonNullable<Ticket["hold_reason"]>;
	assignee_id?: string | null;
	priority?: number;
	resolution?: { text: string; plain?: { en: string; pl: string } };
	/** All that the ticket is about from now on. */
	machine_ids?: string[];
};

/** Writes to a ticket with its version; a conflict brings the row as it is now into the cache. */
export function usePatchTicket() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: ({ ticket, change }: { ticket: Pick<Ticket, "id" | "version">; change: TicketChange }) =>
			call(
				api.PATCH("/tickets/{id}", {
					params: { path: { id: ticket.id } },
					body: { version: ticket.version, ...change },
				}),
			),
		onSuccess: (fresh) => {
			client.setQueryData(["ticket", fresh.id], fresh);
			void client.invalidateQueries({ queryKey: ["ticket", fresh.id, "timeline"] });
			void client.invalidateQueries({ queryKey: ["alerts", { ticket_id: fresh.id }] });
			void client.invalidateQueries({ queryKey: ["ticket-counts"] });
			replaceTicket(client, fresh);
		},
		onError: (_, { ticket }) => void client.invalidateQueries({ queryKey: ["ticket", ticket.id] }),
	});
}

function replaceTicket(client: ReturnType<typeof useQueryClient>, fresh: Ticket): void {
	client.setQueriesData<Pages>({ queryKey: ["tickets"] }, (data) =>
		data
			? {
					...data,
					pages: data.pages.map((page) => ({
						...page,
						items: page.items.map((ticket) => (ticket.id === fresh.id ? fresh : ticket)),
					})),
				}
			: data,
	);
}

export function useReply(id: string) {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (body: { text: string; wait?: boolean }) =>
			call(api.POST("/tickets/{id}/messages", { params: { path: { id } }, body })),
		onSuccess: () => client.invalidateQueries({ queryKey: ["ticket", id] }),
	});
}

export function useNote(id: string) {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (text: string) => call(api.POST("/tickets/{id}/notes", { params: { path: { id } }, body: { text } })),
		onSuccess: () => client.invalidateQueries({ queryKey: ["ticket", id] }),
	});
}

/** Adds what a caller said to a ticket that is already open. */
export function useAddCall() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: ({ id, text }: { id: string; text: string }) =>
			call(api.POST("/tickets/{id}/notes", { params: { path: { id } }, body: { text } })),
		onSuccess: (_, { id }) => client.invalidateQueries({ queryKey: ["ticket", id] }),
	});
}

export type NewTicket = {
	title?: string;
	says?: string;
	machine_id?: string;
	requester_name?: string;
	can_work?: CanWork;
	kind?: Ticket["kind"];
};

export function useCreateTicket() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (body: NewTicket) => call(api.POST("/tickets", { body })),
		onSuccess: (ticket) => {
			client.setQueryData(["ticket", ticket.id], ticket);
			void client.invalidateQueries({ queryKey: ["ticket-counts"] });
			void client.invalidateQueries({ queryKey: ["tickets"] });
		},
	});
}

/** As for machines: rows are replaced in place, new ones are counted and wait for `refresh`. */
export function useTicketNews(filter: TicketFilter): { fresh: number; refresh: () => void } {
	const client = useQueryClient();
	const [waiting, setWaiting] = useState<ReadonlySet<string>>(new Set());
	const key = JSON.stringify(filter);
	const { view, q, sort } = filter;
	const current = useRef({ view, q, sort });
	current.current = { view, q, sort };
	const refresh = useCallback(() => {
		setWaiting(new Set());
		void client.resetQueries({ queryKey: ["tickets", current.current] });
	}, [client]);
	// biome-ignore lint/correctness/useExhaustiveDependencies: another view has other news
	useEffect(() => setWaiting(new Set()), [key]);
	useEffect(
		() =>
			live.onChanges((changes) => {
				const data = client.getQueryData<Pages>(["tickets", current.current]);
				if (changes === "everything" || !data) return;
				const shown = new Set(data.pages.flatMap((page) => page.items).map((ticket) => ticket.id));
				for (const id of new Set((changes as Change[]).filter((c) => c.kind === "ticket").map((c) => c.id))) {
					void call(api.GET("/tickets/{id}", { params: { path: { id } } })).then((ticket) => {
						client.setQueryData(["ticket", id], ticket);
						if (shown.has(id)) replaceTicket(client, ticket);
						else if (belongs(ticket, current.current.view)) setWaiting((ids) => new Set([...ids, id]));
					}, ignore);
				}
			}),
		[client],
	);
	return { fresh: waiting.size, refresh };
}

/** The row keeps its old value; the next change or refresh brings the new one. */
const ignore = () => {};

/** Whether a ticket that changed elsewhere may belong to a view; “mine” is decided by the console. */
export function belongs(ticket: Ticket, view: View): boolean {
	const { state, assignee_id } = views[view];
	return (
		state.includes(ticket.state) &&
		(assignee_id !== "none" || ticket.assignee === null) &&
		(assignee_id !== "me" || ticket.assignee !== null)
	);
}
