import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, call } from "../api/client";
import type { Found } from "../api/types";

/** A search takes this many letters: by fewer nearly everything would be found. */
export const LETTERS = 2;

export const isEmpty = (found: Found) => found.people.length + found.machines.length + found.tickets.length === 0;

/** People, computers and tickets for a few letters: five of each. */
export function useSearch(q: string) {
	return useQuery({
		queryKey: ["search", q],
		queryFn: ({ signal }) => call(api.GET("/search", { params: { query: { q } }, signal })),
		enabled: q.trim().length >= LETTERS,
		placeholderData: keepPreviousData,
		staleTime: 5_000,
	});
}
