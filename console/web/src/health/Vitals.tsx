/** How a machine is now, once a second, and how it was in the last hour, day and week. */
import { Select } from "@mantine/core";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import type { Alert, Machine, Series } from "../api/types";
import { useT } from "../i18n";
import { bits, lasted, measure, percent } from "../i18n/format";
import type { Gap } from "../ui/gaps";
import { Bar, Empty, Mark, Seg, Wrong } from "../ui/parts";
import { type Point, PointsTable, Spark } from "../ui/plot";
import {
	type LiveState,
	type Range,
	ranges,
	seriesKey,
	useAlerts,
	useChecks,
	useLiveVitals,
	useVitals,
} from "./queries";
import { bySeries, checkOf, limitsOf, seriesName, threshold, vitalOf, whyNot } from "./series";
import "./health.css";

const TimeChart = lazy(() => import("../ui/timechart"));

const last = (points: Point[] | undefined) => {
	for (let i = (points?.length ?? 0) - 1; i >= 0; i--) if (points?.[i]?.[1] != null) return points[i];
	return undefined;
};

/** The points of the last hour with those that came in since, and the newest value. */
function now(series: Series | undefined, live: LiveState | undefined): { points: Point[]; value?: number } {
	if (!series) return { points: [] };
	const key = seriesKey(series);
	const end = last(series.points)?.[0] ?? 0;
	const points = [...series.points, ...(live?.tail[key] ?? []).filter((p) => (p[0] ?? 0) > end)];
	return { points, value: live?.values[key]?.value ?? last(points)?.[1] ?? undefined };
}

/** Adds up series of the same moments: all cards, both ways. */
function sum(all: Series[]): Series | undefined {
	const first = all[0];
	if (!first) return undefined;
	const totals = new Map<number, number | null>();
	for (const series of all)
		for (const [at, value] of series.points)
			if (at != null) totals.set(at, value == null ? (totals.get(at) ?? null) : (totals.get(at) ?? 0) + value);
	return { ...first, attributes: {}, points: [...totals].sort((a, b) => a[0] - b[0]) };
}

/** What the four tiles show. The disk is the fullest one. */
export function tiles(series: Series[], live: LiveState | undefined) {
	const one = (name: string) => series.find((s) => s.name === name);
	const disks = series
		.filter((s) => s.name === "system.filesystem.utilization")
		.sort((a, b) => (last(b.points)?.[1] ?? 0) - (last(a.points)?.[1] ?? 0));
	const cards = series.filter((s) => s.name === "system.network.io" && s.attributes["network.interface.name"] !== "lo");
	const traffic = sum(cards);
	const liveTraffic = cards.map((card) => live?.values[seriesKey(card)]?.value).filter((v) => v != null);
	return {
		cpu: now(one("system.cpu.utilization"), live),
		memory: now(one("system.memory.utilization"), live),
		disk: { ...now(disks[0], live), mount: disks[0]?.attributes["system.filesystem.mountpoint"] ?? "" },
		network: {
			points: traffic?.points ?? [],
			value:
				liveTraffic.length > 0 ? liveTraffic.reduce((a, b) => a + b, 0) : (last(traffic?.points)?.[1] ?? undefined),
		},
	};
}

function useGrade() {
	const checks = useChecks();
	return (vital: string, value: number | undefined) => {
		const check = checks.data?.find((one) => one.id === checkOf(vital));
		if (value === undefined || !check) return undefined;
		for (const grade of ["critical", "warning"] as const) {
			const limit = threshold(check[grade]);
			if (limit && (limit.below ? value <= limit.value : value >= limit.value)) return grade;
		}
		return undefined;
	};
}

/** How long the first reading of a machine that is online may take, in ms. */
export const FIRST_READING = 10_000;

/** What stands where a value is missing: of a machine that is online it may still be on its way. */
function useUnread({ presence }: Machine): "plot.not_read" | "plot.not_yet" {
	const [waited, setWaited] = useState(false);
	useEffect(() => {
		const wait = setTimeout(() => setWaited(true), FIRST_READING);
		return () => clearTimeout(wait);
	}, []);
	return waited || presence !== "online" ? "plot.not_read" : "plot.not_yet";
}

/** `booted` is when the computer started, in ms, where that is known. */
export function Vitals({ machine, booted }: { machine: Machine; booted?: number }) {
	const t = useT();
	const hour = useVitals(machine.id, "hour");
	const live = useLiveVitals(machine.id, machine.presence === "online");
	const unread = useUnread(machine);
	const grade = useGrade();
	if (hour.error)
		return (
			<div className="sec">
				<Wrong reason={hour.error} retry={() => void hour.refetch()} />
			</div>
		);
	const found = tiles(hour.data?.series ?? [], live.data);
	const shown = [
		{ word: t("vital.cpu"), vital: "system.cpu.utilization", top: 1, say: percent, ...found.cpu },
		{ word: t("vital.memory"), vital: "system.memory.utilization", top: 1, say: percent, ...found.memory },
		{
			word: found.disk.mount ? t("vital.disk_of", { mount: found.disk.mount }) : t("vital.disk"),
			vital: "system.filesystem.utilization",
			top: 1,
			say: percent,
			...found.disk,
		},
		{ word: t("vital.network"), vital: "system.network.io", top: undefined, say: bits, ...found.network },
	];
	const stale = machine.presence !== "online";
	return (
		<>
			<div className="tiles">
				{shown.map((tile) => {
					const worse = stale ? undefined : grade(tile.vital, tile.value);
					return (
						<div key={tile.vital} className={`tile ${worse ?? ""}`}>
							<span className="label cut">{tile.word}</span>
							<div className={stale ? "value old" : "value"}>
								{tile.value === undefined ? (
									<span className="sub">{hour.data ? t(unread) : " "}</span>
								) : (
									tile.say(tile.value)
								)}
								{worse && <Mark grade={worse} />}
								{stale && tile.value !== undefined && machine.last_seen_at && (
									<span className="sub"> {t("time.ago", { age: lasted(machine.last_seen_at) })}</span>
								)}
							</div>
							{tile.points.length > 1 ? (
								<Spark points={tile.points} step={ranges.hour.step} top={tile.top} />
							) : (
								<div className="spark" />
							)}
						</div>
					);
				})}
			</div>
			<Chart machine={machine} booted={booted} />
		</>
	);
}

/** The series that the worst open finding is about: nobody should have to look for it. */
function ofFinding(all: Series[], alerts: Alert[] | undefined): Series | undefined {
	const worst = alerts?.find((alert) => alert.state !== "resolved" && vitalOf(alert.check));
	const named = worst && all.filter((series) => series.name === vitalOf(worst.check));
	return named?.find((series) => Object.values(series.attributes).includes(worst?.instance ?? "")) ?? named?.[0];
}

function Chart({ machine, booted }: { machine: Machine; booted?: number }) {
	const t = useT();
	const [range, setRange] = useState<Range>("hour");
	const [wanted, setWanted] = useState<string>();
	const [asTable, setAsTable] = useState(false);
	const vitals = useVitals(machine.id, range);
	const checks = useChecks();
	const alerts = useAlerts({ machine_id: machine.id });
	const all = useMemo(() => [...(vitals.data?.series ?? [])].sort(bySeries), [vitals.data]);
	const series =
		all.find((s) => seriesKey(s) === wanted) ??
		(wanted === undefined ? ofFinding(all, alerts.data) : undefined) ??
		all[0];
	const limits = useMemo(
		() =>
			limitsOf(
				t,
				checks.data?.find((one) => one.id === (series && checkOf(series.name))),
				series?.unit ?? "",
			),
		[t, checks.data, series],
	);
	const label = series ? seriesName(t, series) : t("vital.chart");
	const { presence, offline_reason, enrolled_at } = machine;
	const why = useCallback(
		(gap: Gap) => whyNot(t, gap, { presence, offline_reason, enrolled_at }, booted),
		[t, presence, offline_reason, enrolled_at, booted],
	);
	const step = vitals.data?.step_seconds || ranges[range].step;
	return (
		<section className="chart" aria-label={label}>
			<div className="line wrap">
				<Select
					aria-label={t("vital.chart")}
					className="chart-of"
					value={series ? seriesKey(series) : null}
					data={all.map((s) => ({ value: seriesKey(s), label: seriesName(t, s) }))}
					onChange={(value) => setWanted(value ?? undefined)}
					disabled={all.length === 0}
				/>
				<span className="grow" />
				<Seg
					label={t("vital.range")}
					value={range}
					onChange={setRange}
					options={[
						{ value: "hour", label: t("vital.hour") },
						{ value: "day", label: t("vital.day") },
						{ value: "week", label: t("vital.week") },
					]}
				/>
				<button type="button" className="plain link sub" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
					{t(asTable ? "plot.as_chart" : "plot.as_table")}
				</button>
			</div>
			<div className="chart-box">
				{vitals.error ? (
					<Wrong reason={vitals.error} retry={() => void vitals.refetch()} />
				) : series && vitals.data ? (
					asTable ? (
						<PointsTable points={series.points} unit={series.unit} label={label} step={step} why={why} />
					) : (
						<Suspense fallback={null}>
							<TimeChart
								points={series.points}
								unit={series.unit}
								from={Date.parse(vitals.data.from)}
								to={Date.parse(vitals.data.to)}
								step={step}
								limits={limits}
								why={why}
								label={label}
								height={208}
							/>
						</Suspense>
					)
				) : (
					vitals.data && <Empty>{t(machine.last_seen_at ? "machine.just_enrolled" : "machine.no_readings")}</Empty>
				)}
			</div>
		</section>
	);
}

/** The pane of a ticket: three bars of its machine, now. */
export function NowBars({ machine }: { machine: Machine }) {
	const t = useT();
	const hour = useVitals(machine.id, "hour");
	const live = useLiveVitals(machine.id, machine.presence === "online");
	const unread = useUnread(machine);
	const grade = useGrade();
	const found = tiles(hour.data?.series ?? [], live.data);
	const bars = [
		{
			word: found.disk.mount ? t("vital.disk_of", { mount: found.disk.mount }) : t("vital.disk"),
			vital: "system.filesystem.utilization",
			value: found.disk.value,
		},
		{ word: t("vital.memory"), vital: "system.memory.utilization", value: found.memory.value },
		{ word: t("vital.cpu"), vital: "system.cpu.utilization", value: found.cpu.value },
	];
	if (hour.error) return <Wrong reason={hour.error} retry={() => void hour.refetch()} />;
	return (
		<ul className="now">
			{bars.map(({ word, vital, value }) => (
				<li key={vital}>
					<span className="cut" title={word}>
						{word}
					</span>
					{value === undefined ? (
						<span className="dim now-unread">{hour.data && t(unread)}</span>
					) : (
						<>
							<Bar ratio={value} grade={grade(vital, value)} />
							<b>{measure(value, "1")}</b>
						</>
					)}
				</li>
			))}
		</ul>
	);
}
