import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { api, call, rows } from "../api/client";
import { type LiveVitals, useWatch } from "../api/live";
import type { Alert, Check, LiveValue, Series } from "../api/types";
import type { Point } from "../ui/plot";

/** Alerts of a machine or a ticket; worst first, then newest. */
export function useAlerts(of: { machine_id?: string; ticket_id?: string }) {
	return useQuery({
		queryKey: ["alerts", of],
		queryFn: () =>
			call(api.GET("/alerts", { params: { query: { ...of, limit: 100 } } })).then((list) =>
				rows(list).sort(worstFirst),
			),
	});
}

const weight = (alert: Alert) =>
	alert.state === "resolved" ? 0 : alert.state === "unknown" ? 1 : alert.severity === "critical" ? 3 : 2;
export const worstFirst = (a: Alert, b: Alert) => weight(b) - weight(a) || b.started_at.localeCompare(a.started_at);

export function useAcknowledge() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (alert: Alert) =>
			call(
				api.PATCH("/alerts/{id}", {
					params: { path: { id: alert.id } },
					body: { version: alert.version, acknowledged: !alert.acknowledged_by },
				}),
			),
		onSettled: () => client.invalidateQueries({ queryKey: ["alerts"] }),
	});
}

export type Range = "hour" | "day" | "week";
export const ranges: Record<Range, { seconds: number; step: number; refresh: number }> = {
	hour: { seconds: 3600, step: 15, refresh: 15_000 },
	day: { seconds: 86_400, step: 300, refresh: 300_000 },
	week: { seconds: 7 * 86_400, step: 1800, refresh: 900_000 },
};

export function useVitals(machine: string, range: Range) {
	const { seconds, step, refresh } = ranges[range];
	return useQuery({
		queryKey: ["vitals", machine, range],
		queryFn: () => {
			// On whole steps, so that a point keeps its moment and its value from one answer to the next.
			const to = new Date(Math.ceil(Date.now() / 1000 / step) * step * 1000);
			const from = new Date(to.getTime() - seconds * 1000);
			return call(
				api.GET("/machines/{id}/vitals", {
					params: {
						path: { id: machine },
						query: { from: from.toISOString(), to: to.toISOString(), step_seconds: step },
					},
				}),
			);
		},
		placeholderData: keepPreviousData,
		refetchInterval: refresh,
		staleTime: refresh,
	});
}

/** The values of now, and those since the page was opened, by the series they belong to. */
export type LiveState = { at: number; values: Record<string, LiveValue>; tail: Record<string, Point[]> };

/** A series by its name and attributes, as one text. */
export const seriesKey = (series: Pick<LiveValue, "name" | "attributes">) =>
	`${series.name}{${Object.keys(series.attributes)
		.sort()
		.map((key) => `${key}=${series.attributes[key]}`)
		.join(",")}}`;

const TAIL = 3600;

export function addLive(state: LiveState | undefined, vitals: LiveVitals): LiveState {
	const at = Date.parse(vitals.at);
	const values = { ...state?.values };
	const tail = { ...state?.tail };
	for (const value of vitals.series) {
		const key = seriesKey(value);
		values[key] = value;
		tail[key] = [...(tail[key] ?? []), [at, value.value]].slice(-TAIL);
	}
	return { at, values, tail };
}

/** Watches a machine while its page is seen; about once a second the values of now come in. */
export function useLiveVitals(machine: string, watch = true) {
	const client = useQueryClient();
	const receive = useCallback(
		(vitals: LiveVitals) => client.setQueryData<LiveState>(["live", machine], (state) => addLive(state, vitals)),
		[client, machine],
	);
	useWatch(watch ? machine : undefined, receive);
	return useQuery<LiveState>({
		queryKey: ["live", machine],
		queryFn: () => Promise.reject(new Error("live values are pushed")),
		enabled: false,
		staleTime: Number.POSITIVE_INFINITY,
		gcTime: 30_000,
	});
}

/** Past the end of an alert by a tenth of what was drawn before it, within these, in ms. */
const AFTER = { least: 2 * 60_000, most: 30 * 60_000 };
/** The points of a chart of evidence, about. */
const ENOUGH = 240;
/** A machine sends its open row of vitals within this, in ms. */
const LATE = 20 * 60_000;

/** How a value that was evidence went on until its alert was over, and a little longer; nothing for an alert that still fires. */
export function useRecovery(alert: Alert, series: Series | undefined) {
	const begin = series?.points.at(-1)?.[0];
	const cleared = alert.resolved_at ? Date.parse(alert.resolved_at) : undefined;
	const known = series !== undefined && begin != null && cleared !== undefined;
	const from = known ? begin : 0;
	const after = known ? (cleared - (series.points[0]?.[0] ?? begin)) / 10 : 0;
	const to = known ? cleared + Math.min(AFTER.most, Math.max(AFTER.least, after)) : 0;
	const step = Math.max(15, Math.ceil((to - from) / 1000 / ENOUGH / 15) * 15);
	return useQuery({
		queryKey: ["vitals", alert.machine_id, "alert", alert.id],
		queryFn: async () => {
			const vitals = await call(
				api.GET("/machines/{id}/vitals", {
					params: {
						path: { id: alert.machine_id },
						query: {
							from: new Date(from).toISOString(),
							to: new Date(to).toISOString(),
							step_seconds: step,
							name: [series?.name ?? ""],
						},
					},
				}),
			);
			const same = vitals.series.find((one) => series && seriesKey(one) === seriesKey(series));
			return { points: (same?.points ?? []).filter(([at]) => at != null && at > from), step };
		},
		enabled: known && to > from,
		staleTime: Number.POSITIVE_INFINITY,
		refetchInterval: (query) =>
			(query.state.data?.points.at(-1)?.[0] ?? 0) < (cleared ?? 0) && Date.now() - to < LATE ? 30_000 : false,
	});
}

export function useChecks() {
	return useQuery({ queryKey: ["checks"], queryFn: () => call(api.GET("/checks")).then(rows) });
}

export type CheckChange = {
	[K in
		| "warning"
		| "critical"
		| "clear"
		| "for"
		| "keep_firing_for"
		| "interval"
		| "enabled"
		| "watched_services"]?: NonNullable<Check[K]>;
};

export function usePatchCheck() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: ({ check, change }: { check: Check; change: CheckChange }) =>
			call(
				api.PATCH("/checks/{id}", { params: { path: { id: check.id } }, body: { version: check.version, ...change } }),
			),
		onSuccess: (fresh) =>
			client.setQueryData<Check[]>(["checks"], (all) => all?.map((check) => (check.id === fresh.id ? fresh : check))),
		onError: () => client.invalidateQueries({ queryKey: ["checks"] }),
	});
}
