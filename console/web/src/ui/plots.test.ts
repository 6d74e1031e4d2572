import { expect, test } from "vitest";
import { tableRows, withGaps } from "./gaps";
import { pieces, span } from "./plot";
import { ceiling, ticks, timeTicks } from "./scale";

test("a hole in the readings is a hole in the line", () => {
	expect(
		pieces([
			[1, 1],
			[2, 2],
			[3, null],
			[4, 4],
		]),
	).toEqual([
		[
			[1, 1],
			[2, 2],
		],
		[[4, 4]],
	]);
	const { points, gaps } = withGaps(
		[
			[0, 1],
			[15_000, 2],
			[30_000, null],
			[45_000, 2],
			[300_000, 3],
		],
		0,
		400_000,
		15,
	);
	expect(points.map(([, value]) => value)).toEqual([1, 2, 2, null, 3]);
	expect(gaps).toEqual([
		[45_000, 300_000],
		[300_000, 400_000],
	]);
});

test("a machine that was off all the time is one gap", () => {
	expect(withGaps([], 0, 3_600_000, 15).gaps).toEqual([[0, 3_600_000]]);
});

test("a table begins with the newest reading, and a hole is one row where it was", () => {
	const points = [
		[0, 1],
		[15_000, null],
		[30_000, 2],
		[300_000, 3],
	];
	expect(tableRows(points, 0, 400_000, 15)).toEqual([
		{ gap: [300_000, 400_000] },
		[300_000, 3],
		{ gap: [30_000, 300_000] },
		[30_000, 2],
		[0, 1],
	]);
});

test("axes have round numbers, and few of them", () => {
	expect(ticks(0, 1, 3)).toEqual([0, 0.5, 1]);
	expect(ticks(0.8, 1, 3)).toEqual([0.8, 0.9, 1]);
	expect(ceiling(0.4, "1")).toBe(1);
	expect(ceiling(5.2e9, "By")).toBe(6e9);
	expect(ceiling(25.3e9, "By")).toBe(30e9);
	expect(ceiling(0, "By")).toBe(1);
});

test("the axis begins at zero unless everything happens near the top", () => {
	expect(span([0.1, 0.95], "1").low).toBe(0);
	const near = span([0.93, 0.978, 0.95, 0.85], "1");
	expect(near.low).toBeGreaterThan(0.75);
	expect(near.low).toBeLessThan(0.85);
	expect(span([1.93, 2], "{thread}").low).toBe(0);
});

test("moments of a time axis are round in the reader's zone, over the change of the clocks too", () => {
	const from = new Date(2026, 9, 24, 12).getTime();
	const { step, at } = timeTicks(from, from + 3 * 86_400_000, 4);
	expect(step).toBe(86_400_000);
	expect(at.map((moment) => new Date(moment).getHours())).toEqual([0, 0, 0]);
	const hours = timeTicks(new Date(2026, 10, 20, 9, 7).getTime(), new Date(2026, 10, 20, 10, 7).getTime(), 6);
	expect(hours.at.map((moment) => new Date(moment).getMinutes())).toEqual([10, 20, 30, 40, 50, 0]);
});
