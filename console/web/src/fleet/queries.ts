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
import { factsOf, type Group, type Health, type List, type Machine, type Settings } from "../api/types";

export type MachineFilter = {
	q?: string;
	presence?: "online" | "offline";
	health?: Health;
	group?: string;
	sort?: string;
};
type Pages = InfiniteData<List<Machine>, string | undefined>;

const PAGE = 200;
/** Above this many changed rows the pages are fetched again instead of the rows. */
const ONE_BY_ONE = 20;

export function useMachines(filter: MachineFilter) {
	return useInfiniteQuery({
		queryKey: ["machines", filter],
		queryFn: ({ pageParam, signal }): Promise<List<Machine>> =>
			call(api.GET("/machines", { params: { query: { ...filter, limit: PAGE, cursor: pageParam } }, signal })),
		initialPageParam: undefined as string | undefined,
		getNextPageParam: (last) => last.next ?? undefined,
		placeholderData: keepPreviousData,
		staleTime: Number.POSITIVE_INFINITY,
		gcTime: 5 * 60_000,
	});
}

export function useMachineCounts() {
	return useQuery({ queryKey: ["machine-counts"], queryFn: () => call(api.GET("/machines/counts")), staleTime: 5_000 });
}

export function useMachine(id: string) {
	return useQuery({
		queryKey: ["machine", id],
		queryFn: () => call(api.GET("/machines/{id}", { params: { path: { id } } })),
		enabled: id !== "",
	});
}

/** Asks a machine for a round of readings now; what it finds comes in as changes. */
export function useCheckNow(id: string) {
	const client = useQueryClient();
	return useMutation({
		mutationFn: () => call(api.POST("/machines/{id}/check-now", { params: { path: { id } } })),
		onSuccess: (fresh) => client.setQueryData(["machine", id], fresh),
	});
}

/** Expels a machine as it was seen; a conflict brings in how it is now. */
export function useExpel() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: ({ id, version }: Pick<Machine, "id" | "version">) =>
			call(api.POST("/machines/{id}/revoke", { params: { path: { id } }, body: { version } })),
		onSuccess: (fresh) => {
			client.setQueryData(["machine", fresh.id], fresh);
			void client.invalidateQueries({ queryKey: ["machines"] });
			void client.invalidateQueries({ queryKey: ["machine-counts"] });
		},
		onError: (_, { id }) => void client.invalidateQueries({ queryKey: ["machine", id] }),
	});
}

export function useFacts(id: string) {
	return useQuery({
		queryKey: ["machine", id, "facts"],
		queryFn: () => call(api.GET("/machines/{id}/facts", { params: { path: { id } } })).then(factsOf),
	});
}

/**
 * Keeps the rows of a list fresh without moving them: machines that changed and
 * are on the page are fetched and replaced in place. `news` says that something
 * changed which may belong elsewhere in the list; `refresh` takes it in.
 */
export function useMachineNews(filter: MachineFilter): { news: boolean; refresh: () => void } {
	const client = useQueryClient();
	const [news, setNews] = useState(false);
	const key = JSON.stringify(filter);
	const current = useRef(filter);
	current.current = filter;
	const refresh = useCallback(() => {
		setNews(false);
		void client.resetQueries({ queryKey: ["machines", current.current] });
	}, [client]);
	// biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list
	useEffect(() => setNews(false), [key]);
	useEffect(() => {
		const queryKey = () => ["machines", current.current];
		const replace = (fresh: Machine) =>
			client.setQueryData<Pages>(queryKey(), (data) => {
				if (!data) return data;
				const pages = data.pages.map((page) =>
					page.items.some((m) => m.id === fresh.id)
						? { ...page, items: page.items.map((m) => (m.id === fresh.id ? fresh : m)) }
						: page,
				);
				return { ...data, pages };
			});
		return live.onChanges((changes) => {
			const data = client.getQueryData<Pages>(queryKey());
			if (changes === "everything" || !data) return;
			const shown = new Map(data.pages.flatMap((page) => page.items).map((m) => [m.id, m]));
			const ids = new Set((changes as Change[]).filter((c) => c.kind === "machine").map((c) => c.id));
			const here = [...ids].filter((id) => shown.has(id));
			if (ids.size > here.length) setNews(true);
			if (here.length > ONE_BY_ONE) void client.invalidateQueries({ queryKey: queryKey() });
			else
				for (const id of here)
					void call(api.GET("/machines/{id}", { params: { path: { id } } })).then((fresh) => {
						if (fresh.health !== shown.get(id)?.health) setNews(true);
						replace(fresh);
					}, ignore);
		});
	}, [client]);
	return { news, refresh };
}

/** The row keeps its old value; the next change or refresh brings the new one. */
const ignore = () => {};

export function useEnrol() {
	return useMutation({
		mutationFn: (body: { uses: number; expires_in_seconds: number }) => call(api.POST("/enrolments", { body })),
	});
}

export function useExamples() {
	return useQuery({
		queryKey: ["question-examples"],
		queryFn: () => call(api.GET("/questions/examples")).then(rows),
		staleTime: Number.POSITIVE_INFINITY,
	});
}

export function useFields() {
	return useQuery({
		queryKey: ["expression-fields"],
		queryFn: () => call(api.GET("/expression/fields")).then(rows),
		staleTime: Number.POSITIVE_INFINITY,
	});
}

export function useAsk() {
	return useMutation({
		mutationFn: (body: { expression: string; group?: string }) => call(api.POST("/questions", { body })),
	});
}

export function useQuestion(id: string | undefined) {
	return useQuery({
		queryKey: ["question", id],
		queryFn: () => call(api.GET("/questions/{id}", { params: { path: { id: id ?? "" } } })),
		enabled: !!id,
		refetchInterval: (query) => (query.state.data?.state === "asking" ? 2_000 : false),
	});
}

/** All answers that have come in so far, page after page. `came` counts them, those that were refused too. */
export function useAnswers(id: string | undefined, came: number) {
	return useQuery({
		queryKey: ["question", id, "answers", came],
		queryFn: async () => {
			const all = [];
			let cursor: string | undefined;
			do {
				const page = await call(
					api.GET("/questions/{id}/answers", { params: { path: { id: id ?? "" }, query: { limit: 500, cursor } } }),
				);
				all.push(...rows(page));
				cursor = page.next ?? undefined;
			} while (cursor);
			return all;
		},
		enabled: !!id && came > 0,
		placeholderData: keepPreviousData,
	});
}

export function useSettings() {
	return useQuery({ queryKey: ["settings"], queryFn: () => call(api.GET("/settings")) });
}

/** What the console that answers holds in its process. */
export function useNode(may: boolean) {
	return useQuery({ queryKey: ["node"], queryFn: () => call(api.GET("/node")), refetchInterval: 30_000, enabled: may });
}

export type SettingsChange = Partial<Omit<Settings, "version">>;

export function usePatchSettings() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: ({ version, change }: { version: number; change: SettingsChange }) =>
			call(api.PATCH("/settings", { body: { version, ...change } })),
		onSuccess: (fresh) => client.setQueryData(["settings"], fresh),
		onError: () => client.invalidateQueries({ queryKey: ["settings"] }),
	});
}

/** An organisation has at most 200 groups: one page holds them all. */
export function useGroups() {
	return useQuery({
		queryKey: ["groups"],
		queryFn: () => call(api.GET("/groups", { params: { query: { limit: 500 } } })).then(rows),
		// Who is in a group follows the facts of machines, of which no list is told one by one.
		staleTime: 5_000,
	});
}

export type GroupText = { name: string; rule: string };

/** Makes a group, or changes the one that is given. */
export function useWriteGroup() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: ({ group, text }: { group?: Group; text: GroupText }) =>
			group
				? call(
						api.PATCH("/groups/{id}", {
							params: { path: { id: group.id } },
							body: { version: group.version, ...text },
						}),
					)
				: call(api.POST("/groups", { body: text })),
		onSettled: () => client.invalidateQueries({ queryKey: ["groups"] }),
	});
}

export function useDeleteGroup() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (group: Group) =>
			call(api.DELETE("/groups/{id}", { params: { path: { id: group.id }, query: { version: group.version } } })),
		onSettled: () => client.invalidateQueries({ queryKey: ["groups"] }),
	});
}
