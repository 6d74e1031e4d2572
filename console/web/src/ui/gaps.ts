/** Where nothing was read: holes in a series, told from readings that only came a little late. */
import type { Point } from "./plot";

/** From and to, in ms: the last reading before the hole, and the first after it. */
export type Gap = [number, number];
/** Says why nothing was read, in words with both moments. */
export type Why = (gap: Gap) => string;

export type Known = [number, number];

/**
 * The readings of a series, with a null in each hole so that no line is drawn across it, and the
 * holes. All in ms but `step`, in seconds: a hole is longer than three steps.
 */
export function withGaps(
	points: Point[],
	from: number,
	to: number,
	step: number,
): { points: (Known | [number, null])[]; gaps: Gap[] } {
	const found: (Known | [number, null])[] = [];
	const gaps: Gap[] = [];
	const most = step * 3000;
	let last = from;
	for (const [at, value] of points) {
		if (at == null || value == null) continue;
		if (at - last > most) {
			gaps.push([last, at]);
			found.push([(last + at) / 2, null]);
		}
		found.push([at, value]);
		last = at;
	}
	if (to - last > most) gaps.push([last, to]);
	return { points: found, gaps };
}

/** What a table lists, newest first: every reading, and each hole as one row. */
export function tableRows(points: Point[], from: number, to: number, step: number): (Known | { gap: Gap })[] {
	const { points: all, gaps } = withGaps(points, from, to, step);
	const rows: { at: number; row: Known | { gap: Gap } }[] = gaps.map((gap) => ({ at: gap[0] + 1, row: { gap } }));
	for (const [at, value] of all) if (value !== null) rows.push({ at, row: [at, value] });
	return rows.sort((a, b) => b.at - a.at).map(({ row }) => row);
}

/** Seconds between two readings of a series that does not say it: the one in the middle of all. */
export function spacing(points: Point[]): number {
	const steps: number[] = [];
	points.forEach(([at], i) => {
		const before = points[i - 1]?.[0];
		if (at != null && before != null) steps.push(at - before);
	});
	return (steps.sort((a, b) => a - b)[steps.length >> 1] ?? 15_000) / 1000;
}
