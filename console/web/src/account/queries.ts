import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "../api/client";
import type { Me, Person, Role, Trust } from "../api/types";

export function useSignedIn() {
	return useQuery({
		queryKey: ["me"],
		queryFn: () => call(api.GET("/me")),
		staleTime: Number.POSITIVE_INFINITY,
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

const PAGE = 100;

/** The audit log, newest first. */
export function useAudit() {
	return useInfiniteQuery({
		queryKey: ["audit"],
		queryFn: ({ pageParam }) => call(api.GET("/audit", { params: { query: { limit: PAGE, cursor: pageParam } } })),
		initialPageParam: undefined as string | undefined,
		getNextPageParam: (last) => last.next ?? undefined,
		staleTime: 5_000,
	});
}

export type PeopleState = "active" | "disabled" | "all";

/** People with an account. Its key begins as that of every list of people: a change reaches them all. */
export function usePersons(state: PeopleState, q: string) {
	return useInfiniteQuery({
		queryKey: ["people", { state, q }],
		queryFn: ({ pageParam }) =>
			call(
				api.GET("/people", {
					params: { query: { state, q: q || undefined, limit: PAGE, cursor: pageParam } },
				}),
			),
		initialPageParam: undefined as string | undefined,
		getNextPageParam: (last) => last.next ?? undefined,
		placeholderData: keepPreviousData,
	});
}

/** Changes a person with the version that was seen; whatever comes of it, the lists are fetched again. */
export function useChangePerson() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: ({ person, change }: { person: Person; change: { role?: Role; disabled?: boolean } }) =>
			call(
				api.PATCH("/people/{id}", {
					params: { path: { id: person.id } },
					body: { version: person.version, ...change },
				}),
			),
		onSettled: () =>
			Promise.all([
				client.invalidateQueries({ queryKey: ["people"] }),
				client.invalidateQueries({ queryKey: ["tokens"] }),
			]),
	});
}

export function useTokens() {
	return useInfiniteQuery({
		queryKey: ["tokens"],
		queryFn: ({ pageParam }) => call(api.GET("/tokens", { params: { query: { limit: PAGE, cursor: pageParam } } })),
		initialPageParam: undefined as string | undefined,
		getNextPageParam: (last) => last.next ?? undefined,
	});
}

export function useRevoke() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (id: string) => call(api.DELETE("/tokens/{id}", { params: { path: { id } } })),
		onSettled: () => client.invalidateQueries({ queryKey: ["tokens"] }),
	});
}

/** Brings what was signed elsewhere; with `look`, only tells what would be then. */
export function useBring() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (body: { statement: string; look?: boolean }): Promise<Trust> => call(api.POST("/trust", { body })),
		onSuccess: (trust, { look }) => {
			if (!look) client.setQueryData<Trust>(["trust"], trust);
		},
	});
}
