import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, base, call, Failure, rows } from "../api/client";
import type { Machine, Run, RunState, Script } from "../api/types";

export function useScripts(of: { machine_id?: string; ticket_id?: string }, on = true) {
	return useQuery({
		queryKey: ["scripts", of],
		queryFn: () => call(api.GET("/scripts", { params: { query: of } })).then(rows),
		enabled: on,
	});
}

export function useRuns(of: { machine_id?: string; ticket_id?: string; state?: RunState }) {
	return useQuery({
		queryKey: ["runs", of],
		queryFn: () => call(api.GET("/runs", { params: { query: { ...of, limit: 100 } } })),
	});
}

export const isRunning = (run: Pick<Run, "state"> | undefined) =>
	!!run && ["queued", "sent", "running"].includes(run.state);

export function useRun(id: string | undefined) {
	return useQuery({
		queryKey: ["run", id],
		queryFn: () => call(api.GET("/runs/{id}", { params: { path: { id: id ?? "" } } })),
		enabled: !!id,
		refetchInterval: (query) => (isRunning(query.state.data) ? 5_000 : false),
	});
}

export type RunWish = {
	script: string;
	machine_id: string;
	ticket_id?: string;
	parameters: Record<string, string>;
	dry_run: boolean;
};

/** Shows a run as an act was answered, and reads it again: it may have ended, and told so, before that answer came. */
function show(client: QueryClient, run: Run): void {
	client.setQueryData(["run", run.id], run);
	void client.invalidateQueries({ queryKey: ["run", run.id], exact: true });
}

/** Starts a run. One press is one run: the key stays the same when the same press is tried again. */
export function useStartRun() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: ({ key, ...body }: RunWish & { key: string }) =>
			call(api.POST("/runs", { params: { header: { "Idempotency-Key": key } }, body })),
		onSuccess: (run) => {
			show(client, run);
			void client.invalidateQueries({ queryKey: ["runs"] });
			if (run.ticket_id) void client.invalidateQueries({ queryKey: ["ticket", run.ticket_id] });
		},
	});
}

export function useCancelRun() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (id: string) => call(api.POST("/runs/{id}/cancel", { params: { path: { id } } })),
		onSuccess: (run) => show(client, run),
	});
}

export type Output = { text: string; bytes: number; done: boolean };

/** Reads the output of a run from where it stood, and goes on while the run writes. */
async function follow(client: QueryClient, id: string, signal: AbortSignal): Promise<void> {
	const key = ["run", id, "output"];
	const before = client.getQueryData<Output>(key) ?? { text: "", bytes: 0, done: false };
	const response = await fetch(`${base}/runs/${encodeURIComponent(id)}/output?from=${before.bytes}&follow=1`, {
		signal,
	});
	if (!response.ok) throw new Failure(response.status, await response.json().catch(() => ({})));
	const decoder = new TextDecoder();
	let { text, bytes } = before;
	const put = (done: boolean) => client.setQueryData<Output>(key, { text, bytes, done });
	for (const reader = response.body?.getReader(); reader; ) {
		const { value, done } = await reader.read();
		if (done) break;
		bytes += value.byteLength;
		text += decoder.decode(value, { stream: true });
		put(false);
	}
	text += decoder.decode();
	put(true);
}

/** The output of a run as it is written. `wanted` false reads nothing. */
export function useOutput(id: string | undefined, wanted = true) {
	const client = useQueryClient();
	const output = useQuery<Output>({
		queryKey: ["run", id, "output"],
		queryFn: () => Promise.reject(new Error("output is streamed")),
		enabled: false,
		staleTime: Number.POSITIVE_INFINITY,
	});
	const done = output.data?.done;
	useEffect(() => {
		if (!id || !wanted || done) return;
		const stop = new AbortController();
		let again: ReturnType<typeof setTimeout> | undefined;
		const read = () => {
			follow(client, id, stop.signal).catch((reason: unknown) => {
				if (stop.signal.aborted || (reason instanceof Failure && reason.status < 500)) return;
				again = setTimeout(read, 1500);
			});
		};
		read();
		return () => {
			stop.abort();
			clearTimeout(again);
		};
	}, [client, id, wanted, done]);
	return output.data;
}

/** The machine a run is meant for, as the fleet's pages hold it. */
export function useTarget(id: string) {
	return useQuery<Machine>({
		queryKey: ["machine", id],
		queryFn: () => call(api.GET("/machines/{id}", { params: { path: { id } } })),
	});
}

/** What fits first, then by name of the script. */
export const fittingFirst = (a: Script, b: Script) => Number(b.fits) - Number(a.fits) || a.id.localeCompare(b.id);
