import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { api, call, rows } from "../api/client";
import { type LiveVitals, useWatch } from "../api/live";
import type { Alert, Check, LiveValue } from "../api/types";
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
