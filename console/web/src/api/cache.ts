/**
 * The rules between live events and the query cache. A key begins with the kind
 * of thing and its id: ["machine", id, "facts"]. A changed thing makes the
 * queries that show it fetch again. Long lists are not fetched again while
 * somebody reads them: the rows in them that changed are replaced in place, and
 * what does not belong there yet waits behind a button (see `useListNews`).
 */
import { QueryClient, type QueryKey } from "@tanstack/react-query";
import { Failure } from "./client";
import type { Change } from "./live";

export function newQueryClient(): QueryClient {
	return new QueryClient({
		defaultOptions: {
			queries: {
				staleTime: 60_000,
				refetchOnWindowFocus: false,
				retry: (tries, reason) => tries < 2 && !(reason instanceof Failure && reason.status > 0 && reason.status < 500),
				retryDelay: (tries) => 400 * 2 ** tries,
			},
			mutations: { retry: false },
		},
	});
}

/** What has to be fetched again when a thing of this kind changed. */
export function keysOf({ kind, id }: Change): QueryKey[] {
	switch (kind) {
		case "machine":
			return [["machine", id], ["machine-counts"]];
		case "group":
			return [["groups"]];
		case "alert":
			return [["alerts"], ["alert", id], ["machine-counts"]];
		case "ticket":
			return [["ticket", id], ["ticket-counts"], ["tickets-of"], ["alerts", { ticket_id: id }], ["help"]];
		case "run":
			return [["run", id], ["runs"]];
		case "question":
			return [["question", id]];
		case "session":
			return [["session", id], ["sessions"]];
		case "check":
			return [["checks"]];
		case "settings":
			return [["settings"]];
		default:
			return [];
	}
}

/** Marks what changed as old; what is on the page is fetched again at once. */
export function apply(client: QueryClient, changes: Change[] | "everything"): void {
	if (changes === "everything") {
		void client.invalidateQueries();
		return;
	}
	const seen = new Set<string>();
	for (const change of changes) {
		for (const queryKey of keysOf(change)) {
			const text = JSON.stringify(queryKey);
			if (seen.has(text)) continue;
			seen.add(text);
			void client.invalidateQueries({ queryKey });
		}
	}
}
