import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call, socketAddress } from "../api/client";
import type { Machine } from "../api/types";

export const socketOf = (id: string) => socketAddress(`/sessions/${encodeURIComponent(id)}/socket`);

export function useSession(id: string) {
	return useQuery({
		queryKey: ["session", id],
		queryFn: () => call(api.GET("/sessions/{id}", { params: { path: { id } } })),
		refetchInterval: (query) =>
			["waiting_consent", "opening"].includes(query.state.data?.state ?? "") ? 1_000 : false,
	});
}

export function useSessions(of: { machine_id?: string; ticket_id?: string }) {
	return useQuery({
		queryKey: ["sessions", of],
		queryFn: () => call(api.GET("/sessions", { params: { query: { ...of, limit: 20 } } })),
	});
}

export function useConnect() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (body: { machine_id: string; reason: string; ticket_id?: string; columns: number; rows: number }) =>
			call(api.POST("/sessions", { body: { ...body, kind: "terminal" } })),
		onSuccess: (session) => {
			client.setQueryData(["session", session.id], session);
			void client.invalidateQueries({ queryKey: ["sessions"] });
		},
	});
}

export function useEnd() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (id: string) => call(api.POST("/sessions/{id}/end", { params: { path: { id } } })),
		onSuccess: (session) => {
			client.setQueryData(["session", session.id], session);
			void client.invalidateQueries({ queryKey: ["sessions"] });
		},
	});
}

/** Asks the console anew whether a session goes on. */
export function useGoesOn(id: string): () => Promise<boolean> {
	const client = useQueryClient();
	return async () => {
		const session = await client.fetchQuery({
			queryKey: ["session", id],
			queryFn: () => call(api.GET("/sessions/{id}", { params: { path: { id } } })),
			staleTime: 0,
		});
		return session.state === "open" || session.state === "opening";
	};
}

export function useRecording(id: string, on: boolean) {
	return useQuery({
		queryKey: ["session", id, "recording"],
		queryFn: () => call(api.GET("/sessions/{id}/recording", { params: { path: { id } }, parseAs: "text" })),
		enabled: on,
		staleTime: Number.POSITIVE_INFINITY,
		gcTime: 60_000,
	});
}

export function useTarget(id: string | undefined) {
	return useQuery<Machine>({
		queryKey: ["machine", id],
		queryFn: () => call(api.GET("/machines/{id}", { params: { path: { id: id ?? "" } } })),
		enabled: !!id,
	});
}
