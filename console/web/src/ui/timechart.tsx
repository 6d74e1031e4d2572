/**
 * A chart of one vital over an hour, a day or a week, drawn by uPlot. Gaps stay
 * gaps, hatched; a limit is a dashed line with its value in words, and only the
 * piece beyond it is coloured. This file is loaded when a chart is on the page.
 */
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock, day, measure, when } from "../i18n/format";
import { type Gap, type Why, withGaps } from "./gaps";
import type { Limit, Point } from "./plot";
import { ceiling, timeTicks } from "./scale";

export type TimeChartProps = {
	points: Point[];
	unit: string;
	from: number;
	to: number;
	/** Seconds between two points; a hole longer than three of them is a gap. */
	step: number;
	limits: Limit[];
	why: Why;
	label: string;
	height: number;
};

function hatch(
	context: CanvasRenderingContext2D,
	[x0, x1]: Gap,
	top: number,
	height: number,
	ground: string,
	stroke: string,
	scale: number,
) {
	context.save();
	context.beginPath();
	context.rect(x0, top, x1 - x0, height);
	context.clip();
	context.fillStyle = ground;
	context.fill();
	context.strokeStyle = stroke;
	context.lineWidth = 1.5 * scale;
	for (let x = x0 - height; x < x1; x += 9 * scale) {
		context.beginPath();
		context.moveTo(x, top + height);
		context.lineTo(x + height, top);
		context.stroke();
	}
	context.restore();
}

export default function TimeChart(props: TimeChartProps) {
	const scheme = useComputedColorScheme("light");
	const box = useRef<HTMLDivElement>(null);
	const { points, unit, from, to, step, limits, why, label, height } = props;
	// biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read anew when the scheme changes
	useEffect(() => {
		const root = box.current;
		if (!root) return;
		const style = getComputedStyle(root);
		const colour = (role: string) => {
			root.style.color = `var(--${role})`;
			const found = getComputedStyle(root).color;
			root.style.color = "";
			return found;
		};
		const paint = {
			plot: colour("plot"),
			soft: colour("plot-soft"),
			line: colour("line"),
			ink: colour("ink-3"),
			gap: colour("sunken"),
			ground: colour("surface"),
		};
		const font = `11px ${style.fontFamily}`;
		const { points: known, gaps } = withGaps(points, from, to, step);
		const x = known.map(([at]) => at / 1000);
		const y = known.map(([, value]) => value);
		const highest = Math.max(0, ...y.map((v) => v ?? 0), ...limits.map((l) => l.value));
		const drawGaps = (u: uPlot) => {
			const scale = devicePixelRatio;
			for (const gap of gaps) {
				const left = u.valToPos(gap[0] / 1000, "x", true);
				const right = u.valToPos(gap[1] / 1000, "x", true);
				hatch(u.ctx, [left, right], u.bbox.top, u.bbox.height, paint.gap, paint.line, scale);
				const words = why(gap);
				u.ctx.font = `${11 * scale}px ${style.fontFamily}`;
				if (u.ctx.measureText(words).width > right - left - 16 * scale) continue;
				u.ctx.textAlign = "center";
				// Between two grid lines, on ground of its own.
				const at = [(left + right) / 2, u.bbox.top + u.bbox.height * 0.42] as const;
				u.ctx.strokeStyle = paint.gap;
				u.ctx.lineWidth = 5 * scale;
				u.ctx.lineJoin = "round";
				u.ctx.strokeText(words, ...at);
				u.ctx.fillStyle = paint.ink;
				u.ctx.fillText(words, ...at);
			}
		};
		const drawLimits = (u: uPlot) => {
			const scale = devicePixelRatio;
			const { ctx, bbox } = u;
			for (const limit of limits) {
				const mark = colour(limit.grade === "critical" ? "critical-mark" : "warning-mark");
				const level = u.valToPos(limit.value, "y", true);
				ctx.save();
				ctx.beginPath();
				ctx.rect(
					bbox.left,
					limit.below ? level : bbox.top,
					bbox.width,
					limit.below ? bbox.top + bbox.height - level : level - bbox.top,
				);
				ctx.clip();
				ctx.strokeStyle = mark;
				ctx.lineWidth = 2 * scale;
				ctx.stroke((u.series[1] as uPlot.Series & { _paths?: { stroke: Path2D } })._paths?.stroke ?? new Path2D());
				ctx.restore();
				ctx.save();
				ctx.strokeStyle = mark;
				ctx.lineWidth = scale;
				ctx.setLineDash([3 * scale, 3 * scale]);
				ctx.beginPath();
				ctx.moveTo(bbox.left, level);
				ctx.lineTo(bbox.left + bbox.width, level);
				ctx.stroke();
				ctx.fillStyle = colour(limit.grade === "critical" ? "critical" : "warning");
				ctx.font = `${11 * scale}px ${style.fontFamily}`;
				// One at each end, so that two limits side by side do not print over each other.
				const right = limit.grade === "critical";
				ctx.textAlign = right ? "right" : "left";
				const below = level - bbox.top < 16 * scale;
				const at = [
					right ? bbox.left + bbox.width - 6 * scale : bbox.left + 6 * scale,
					below ? level + 13 * scale : level - 5 * scale,
				] as const;
				// On ground of its own, so that lines and hatching do not run through the words.
				ctx.setLineDash([]);
				ctx.strokeStyle = paint.ground;
				ctx.lineWidth = 4 * scale;
				ctx.lineJoin = "round";
				ctx.strokeText(limit.words, ...at);
				ctx.fillText(limit.words, ...at);
				ctx.restore();
			}
		};
		const options: uPlot.Options = {
			width: root.clientWidth,
			height,
			padding: [8, 8, 0, 0],
			legend: { show: false },
			cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
			scales: { x: { time: true, range: [from / 1000, to / 1000] }, y: { range: [0, ceiling(highest, unit)] } },
			axes: [
				{
					stroke: paint.ink,
					font,
					size: 28,
					grid: { stroke: paint.line, width: 1, dash: [1, 3] },
					ticks: { show: false },
					splits: (u) => timeTicks(from, to, Math.max(2, Math.floor(u.width / 84))).at.map((at) => at / 1000),
					values: (_, splits) =>
						splits.map((at) =>
							to - from > 2 * 86_400_000 && new Date(at * 1000).getHours() === 0 ? day(at * 1000) : clock(at * 1000),
						),
				},
				{
					stroke: paint.ink,
					font,
					size: 64,
					gap: 8,
					grid: { stroke: paint.line, width: 1 },
					ticks: { show: false },
					space: 48,
					values: (_, splits) => splits.map((value) => measure(value, unit)),
				},
			],
			series: [
				{},
				{ stroke: paint.plot, width: 1.5, fill: paint.soft, spanGaps: false, points: { show: x.length < 3 } },
			],
			hooks: { drawClear: [drawGaps], draw: [drawLimits], setCursor: [(u) => readOut(u)] },
		};
		const tip = document.createElement("div");
		tip.className = "chart-tip";
		const readOut = (u: uPlot) => {
			const index = u.cursor.idx;
			const at = index == null ? undefined : u.data[0][index];
			const value = index == null ? undefined : u.data[1]?.[index];
			const under = u.cursor.left == null || u.cursor.left < 0 ? undefined : u.posToVal(u.cursor.left, "x") * 1000;
			const gap = under && gaps.find(([begin, end]) => begin < under && under < end);
			tip.hidden = !gap && (at === undefined || value == null);
			if (gap) tip.textContent = why(gap);
			else if (at !== undefined && value != null)
				tip.textContent = `${to - from > 86_400_000 ? when(at * 1000) : clock(at * 1000)}  ${measure(value, unit)}`;
			const left = gap ? (u.cursor.left ?? 0) : u.valToPos(at ?? 0, "x");
			tip.style.transform = `translateX(${left > u.over.clientWidth / 2 ? left - tip.offsetWidth - 10 : left + 10}px)`;
		};
		const plot = new uPlot(options, [x, y], root);
		plot.over.append(tip);
		tip.hidden = true;
		const observer = new ResizeObserver(() => plot.setSize({ width: root.clientWidth, height }));
		observer.observe(root);
		return () => {
			observer.disconnect();
			plot.destroy();
		};
	}, [points, unit, from, to, step, limits, why, height, scheme]);
	return <div ref={box} className="time-chart" role="img" aria-label={label} style={{ height }} />;
}
