import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, call } from "../api/client";

/** People, computers and tickets for a few letters: five of each. */
export function useSearch(q: string) {
	return useQuery({
		queryKey: ["search", q],
		queryFn: ({ signal }) => call(api.GET("/search", { params: { query: { q } }, signal })),
		enabled: q.trim().length > 1,
		placeholderData: keepPreviousData,
		staleTime: 5_000,
	});
}
