/** Round numbers for axes. Pure, in the reader's own time zone. */

/** At most `count` round values from `from` to `to`. */
export function ticks(from: number, to: number, count: number): number[] {
	const span = to - from;
	if (!(span > 0)) return [from];
	const rough = span / count;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((s) => s >= rough * 0.999) ?? 10 * power;
	const found: number[] = [];
	for (let value = Math.ceil(from / step) * step; value <= to + step * 1e-6; value += step)
		found.push(Number(value.toPrecision(12)));
	return found;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const timeSteps = [
	5_000,
	15_000,
	30_000,
	MINUTE,
	2 * MINUTE,
	5 * MINUTE,
	10 * MINUTE,
	15 * MINUTE,
	30 * MINUTE,
	HOUR,
	3 * HOUR,
	6 * HOUR,
	12 * HOUR,
	DAY,
	2 * DAY,
	7 * DAY,
];

/** At most `count` round moments between two, with the step that was chosen (both in ms). */
export function timeTicks(from: number, to: number, count: number): { step: number; at: number[] } {
	const step = timeSteps.find((s) => (to - from) / s <= count) ?? 7 * DAY;
	const at: number[] = [];
	const first = new Date(from);
	if (step >= DAY) {
		const day = new Date(first.getFullYear(), first.getMonth(), first.getDate());
		for (; day.getTime() <= to; day.setDate(day.getDate() + step / DAY))
			if (day.getTime() >= from) at.push(day.getTime());
		return { step, at };
	}
	const zone = first.getTimezoneOffset() * MINUTE;
	for (let moment = Math.ceil((from - zone) / step) * step + zone; moment <= to; moment += step) at.push(moment);
	return { step, at };
}

/** Where the top of an axis belongs: a round number above the highest value; 1 for ratios. */
export function ceiling(highest: number, unit: string): number {
	if (unit === "1") return highest <= 1 ? 1 : Math.ceil(highest);
	if (!(highest > 0)) return 1;
	const base = 10 ** Math.floor(Math.log10(highest));
	const scaled = highest / base;
	return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((s) => s >= scaled) ?? scaled) * base;
}
