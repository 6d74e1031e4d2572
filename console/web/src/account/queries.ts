import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "../api/client";
import type { Me } from "../api/types";

export function useSignedIn() {
	return useQuery({
		queryKey: ["me"],
		queryFn: () => call(api.GET("/me")),
		staleTime: Number.POSITIVE_INFINITY,
		retry: 1,
	});
}

/** Signs in by name and password, or by a one-time link; the answer is the person. */
export function useSignIn() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (by: { name: string; password: string } | { link: string }) =>
			"link" in by ? call(api.POST("/sign-in/link", { body: by })) : call(api.POST("/sign-in", { body: by })),
		onSuccess: (me) => {
			client.clear();
			client.setQueryData<Me>(["me"], me);
		},
	});
}

export function useSignOut() {
	return useMutation({ mutationFn: () => call(api.POST("/sign-out")) });
}

export function usePatchMe() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (body: Partial<Pick<Me, "language" | "theme" | "display_name">>) => call(api.PATCH("/me", { body })),
		onSuccess: (me) => client.setQueryData<Me>(["me"], me),
	});
}

/** The newest entries of the audit log. */
export function useAudit() {
	return useQuery({
		queryKey: ["audit"],
		queryFn: () => call(api.GET("/audit", { params: { query: { limit: 100 } } })),
		staleTime: 5_000,
	});
}
