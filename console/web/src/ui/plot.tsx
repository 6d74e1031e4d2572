/** Drawn values: the small line of a vital, and the evidence of an alert with its limit. */
import { useResizeObserver } from "@mantine/hooks";
import { useId } from "react";
import { useT } from "../i18n";
import { clock, measure, when } from "../i18n/format";
import { tableRows, type Why, withGaps } from "./gaps";
import type { Grade } from "./parts";
import { ceiling, ticks, timeTicks } from "./scale";
import "./plot.css";

export type Point = (number | null)[];
export type Limit = { value: number; below?: boolean; grade: Grade; words: string };

/** Runs of points without a hole between them. */
export function pieces(points: Point[]): [number, number][][] {
	const found: [number, number][][] = [];
	let run: [number, number][] = [];
	for (const [at, value] of points) {
		if (at === null || at === undefined || value === null || value === undefined) {
			if (run.length) found.push(run);
			run = [];
		} else run.push([at, value]);
	}
	if (run.length) found.push(run);
	return found;
}

const line = (points: [number, number][]) =>
	points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** `step` is the seconds between two readings: one that came late is no hole. */
export function Spark({ points, step, top }: { points: Point[]; step: number; top?: number }) {
	const from = points[0]?.[0] ?? 0;
	const to = points[points.length - 1]?.[0] ?? 1;
	const { points: known } = withGaps(points, from, to, step);
	const highest = top ?? Math.max(1e-9, ...points.map((p) => p[1] ?? 0)) * 1.1;
	const place = (run: [number, number][]): [number, number][] =>
		run.map(([at, value]) => [
			((at - from) / Math.max(1, to - from)) * 100,
			27 - (Math.min(value, highest) / highest) * 25,
		]);
	return (
		<svg className="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">
			{pieces(known).map((run) => {
				const placed = place(run);
				const d = line(placed);
				return (
					<g key={run[0]?.[0]}>
						<path
							className="plot-area"
							d={`${d}L${placed[placed.length - 1]?.[0].toFixed(1)} 28L${placed[0]?.[0].toFixed(1)} 28z`}
						/>
						<path className="plot-line" d={d} vectorEffect="non-scaling-stroke" />
					</g>
				);
			})}
		</svg>
	);
}

/** The part of the axis worth showing: from zero, unless everything lies in its upper third. */
export function span(values: number[], unit: string): { low: number; high: number } {
	const high = ceiling(Math.max(...values), unit);
	const lowest = Math.min(...values);
	// What is counted begins at zero: 1.9 to 2.0 processes is no change.
	if (unit.startsWith("{") || lowest < high * 0.66) return { low: 0, high };
	const step = high / 20;
	return { low: Math.max(0, Math.floor((lowest - step / 2) / step) * step), high };
}

export type EvidenceProps = {
	label: string;
	unit: string;
	points: Point[];
	limits: Limit[];
	/** When the alert began, and when it was over. */
	alert?: { at: number; grade: Grade };
	cleared?: number;
};

/** The title has the first line for itself; the word of the alert stands below it, wherever the alert is. */
const TITLE = 8;
const WORD = 26;
const LEFT = 40;
const RIGHT = 8;
const TOP = 30;
const BOTTOM = 118;
/** A reading this much later, in ms, is not what the value was at the end of an alert. */
const THEN = 60_000;
/** What the words of the last value take at most. */
const NOW = 140;
const HEIGHT = BOTTOM + 20;

export function Evidence({ label, unit, points, limits, alert, cleared }: EvidenceProps) {
	const t = useT();
	const [ref, box] = useResizeObserver<HTMLDivElement>();
	const clip = useId();
	const width = Math.max(280, box.width || 640);
	const runs = pieces(points);
	const first = points[0]?.[0];
	const end = points[points.length - 1]?.[0];
	if (runs.length === 0 || first == null || end == null) return <p className="empty">{t("plot.nothing")}</p>;
	const from = Math.min(first, alert?.at ?? first);
	const to = Math.max(end, cleared ?? end);
	const values = runs.flat().map((p) => p[1]);
	const { low, high } = span([...values, ...limits.map((l) => l.value)], unit);
	const x = (at: number) => LEFT + ((at - from) / Math.max(1, to - from)) * (width - LEFT - RIGHT);
	const y = (value: number) => BOTTOM - ((value - low) / (high - low)) * (BOTTOM - TOP);
	const place = (run: [number, number][]): [number, number][] => run.map(([at, value]) => [x(at), y(value)]);
	const last = runs[runs.length - 1]?.at(-1) ?? [to, 0];
	// The value at the end of the alert is the first one read from then on: the one before it is what the alert was about.
	const over =
		cleared === undefined ? undefined : runs.flat().find(([at]) => at > cleared - 1000 && at < cleared + THEN);
	const time = timeTicks(from, to, Math.max(2, Math.floor((width - LEFT) / 90)));
	const worst = limits.find((l) => l.grade === "critical") ?? limits[0];
	// Two limits side by side would print over each other: the one that was crossed keeps its words.
	const crowded = limits.length > 1 && Math.abs(y(limits[0]?.value ?? 0) - y(limits[1]?.value ?? 0)) < 14;
	const silent = crowded ? limits.find((l) => l.grade !== alert?.grade) : undefined;
	// At the top of the plot the last value has no room above it, and below it lie the rise and the alert's line: it
	// stands left of that line then, under the alert's word.
	const top = y(last[1]) < TOP + 16;
	const aside = top && alert && x(alert.at) > width / 3 && x(last[0]) - x(alert.at) < NOW;
	const now = aside ? { x: x(alert.at), y: WORD + 16 } : { x: x(last[0]), y: y(last[1]) + (top ? 18 : -8) };
	const said = `${label}: ${clock(from)} ${measure(values[0] ?? 0, unit)}, ${clock(to)} ${measure(last[1], unit)}`;
	return (
		<div ref={ref}>
			<svg
				className="plot"
				viewBox={`0 0 ${width} ${HEIGHT}`}
				width={width}
				height={HEIGHT}
				role="img"
				aria-label={said}
			>
				<defs>
					{limits.map((limit, i) => (
						<clipPath key={limit.grade} id={`${clip}${i}`}>
							{limit.below ? (
								<rect x={0} y={y(limit.value)} width={width} height={HEIGHT} />
							) : (
								<rect x={0} y={-10} width={width} height={y(limit.value) + 10} />
							)}
						</clipPath>
					))}
				</defs>
				<text x={0} y={TITLE}>
					{label}
				</text>
				{ticks(low, high, 3).map((value) => (
					<g key={value}>
						<line className="plot-axis" x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} />
						<text x={LEFT - 8} y={y(value) + 4} textAnchor="end">
							{measure(value, unit)}
						</text>
					</g>
				))}
				{time.at.map((at) => (
					<text key={at} x={x(at)} y={BOTTOM + 16} textAnchor="middle">
						{time.step < 86_400_000 ? clock(at, time.step < 60_000) : when(at)}
					</text>
				))}
				{runs.map((run) => {
					const placed = place(run);
					const d = line(placed);
					return (
						<g key={run[0]?.[0]}>
							<path
								className="plot-area"
								d={`${d}L${placed[placed.length - 1]?.[0].toFixed(1)} ${BOTTOM}L${placed[0]?.[0].toFixed(1)} ${BOTTOM}z`}
							/>
							<path className="plot-line" d={d} />
							{limits.map((limit, i) => (
								<path key={limit.grade} className={`plot-beyond ${limit.grade}`} d={d} clipPath={`url(#${clip}${i})`} />
							))}
						</g>
					);
				})}
				{limits.map((limit) => (
					<g key={limit.grade}>
						<line
							className={`plot-limit ${limit.grade}`}
							x1={LEFT}
							x2={width - RIGHT}
							y1={y(limit.value)}
							y2={y(limit.value)}
						/>
						{limit !== silent && (
							<text
								className={`plot-word ${limit.grade} ground`}
								x={LEFT + 6}
								y={y(limit.value) + (limit.below || limit.grade === "warning" || y(limit.value) < TOP + 12 ? 13 : -4)}
							>
								{limit.words}
							</text>
						)}
					</g>
				))}
				{alert && (
					<g>
						<line
							className={`plot-limit ${alert.grade}`}
							strokeDasharray="1 3"
							x1={x(alert.at)}
							x2={x(alert.at)}
							y1={WORD}
							y2={BOTTOM}
						/>
						<path className={`plot-mark ${alert.grade}`} d={`M${x(alert.at) - 5} ${WORD - 8}h10l-5 8z`} />
						<text
							className={`plot-word ${alert.grade} ground`}
							x={x(alert.at) + (x(alert.at) > width / 2 ? -9 : 9)}
							y={WORD}
							textAnchor={x(alert.at) > width / 2 ? "end" : "start"}
						>
							{t("plot.alert", { time: clock(alert.at) })}
						</text>
					</g>
				)}
				{cleared !== undefined && (
					<g>
						<line
							className="plot-cleared"
							x1={x(cleared)}
							x2={x(cleared)}
							y1={worst ? y(worst.value) : TOP}
							y2={over ? y(over[1]) : BOTTOM}
						/>
						{over && <circle className="plot-dot ok" cx={x(over[0])} cy={y(over[1])} r={3.5} />}
						<text
							className="plot-word ok strong ground"
							x={x(cleared) + (x(cleared) < width / 2 ? 8 : -8)}
							y={over && y(over[1]) <= BOTTOM - 14 ? y(over[1]) + 14 : (over ? y(over[1]) : BOTTOM) - 8}
							textAnchor={x(cleared) < width / 2 ? "start" : "end"}
						>
							{over
								? t("plot.cleared", { value: measure(over[1], unit), time: clock(cleared) })
								: t("plot.over", { time: clock(cleared) })}
						</text>
					</g>
				)}
				{cleared === undefined && (
					<g>
						<circle className={`plot-dot ${alert?.grade ?? "plain"}`} cx={x(last[0])} cy={y(last[1])} r={3.5} />
						<text
							className={`plot-word strong ground ${alert?.grade ?? ""}`}
							x={now.x + (now.x < width / 3 ? 9 : -9)}
							y={now.y}
							textAnchor={now.x < width / 3 ? "start" : "end"}
						>
							{t("plot.now", { value: measure(last[1], unit), time: clock(last[0]) })}
						</text>
					</g>
				)}
			</svg>
		</div>
	);
}

export type TableProps = { points: Point[]; unit: string; label: string; step: number; why: Why };

/** The same values in words, newest first, for who cannot or would rather not look at a line. */
export function PointsTable({ points, unit, label, step, why }: TableProps) {
	const t = useT();
	const said = (at: number) => (step < 60 ? clock(at, true) : when(at));
	const rows = tableRows(points, points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0, step);
	return (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
		<div className="points" tabIndex={0}>
			<table className="plain">
				<caption className="out-of-sight">{label}</caption>
				<thead>
					<tr>
						<th>{t("plot.time")}</th>
						<th className="r">{label}</th>
					</tr>
				</thead>
				<tbody>
					{rows.map((row) =>
						"gap" in row ? (
							<tr key={`gap ${row.gap[0]}`} className="points-gap">
								<td colSpan={2}>{why(row.gap)}</td>
							</tr>
						) : (
							<tr key={row[0]}>
								<td>{said(row[0])}</td>
								<td className="r">{measure(row[1], unit)}</td>
							</tr>
						),
					)}
				</tbody>
			</table>
		</div>
	);
}
