import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, call } from "./client";
import { live } from "./live";

/** What the organisation has signed, as this console carries it. */
export function useTrust() {
	const client = useQueryClient();
	useEffect(
		() =>
			live.onChanges((changes) => {
				if (changes === "everything" || changes.some((c) => c.kind === "trust" || c.kind === "machine"))
					void client.invalidateQueries({ queryKey: ["trust"] });
			}),
		[client],
	);
	return useQuery({ queryKey: ["trust"], queryFn: () => call(api.GET("/trust")), staleTime: 5_000 });
}
