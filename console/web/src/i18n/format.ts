/**
 * Numbers, sizes and times as the reader writes them. Everything goes through
 * Intl; a value that is not known is `null` in and a word out, never a dash.
 */
import { language, locales, translate as t } from ".";

const NBSP = "\u00a0";
const locale = () => locales[language()];

const memo = new Map<string, Intl.NumberFormat>();
export function number(value: number, digits = 0): string {
	const key = `${locale()} ${digits}`;
	let format = memo.get(key);
	if (!format) {
		format = new Intl.NumberFormat(locale(), { maximumFractionDigits: digits });
		memo.set(key, format);
	}
	return format.format(value);
}

export function percent(ratio: number, digits = 0): string {
	return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: digits }).format(ratio);
}

const steps = ["B", "kB", "MB", "GB", "TB", "PB"];

/** 5583457484 is “5.6 GB”: decimal units, as everywhere in Deskside. A digit after the point below a hundred. */
export function bytes(value: number): string {
	let size = Math.abs(value);
	let step = 0;
	while (size >= 999.5 && step < steps.length - 1) {
		size /= 1000;
		step++;
	}
	const digits = step === 0 || size >= 100 ? 0 : 1;
	return `${number(value < 0 ? -size : size, digits)}${NBSP}${steps[step]}`;
}

/** Bytes a second as the bits a second that networks are sold by. */
export function bits(bytesPerSecond: number): string {
	const units = ["b/s", "kb/s", "Mb/s", "Gb/s"];
	let size = bytesPerSecond * 8;
	let step = 0;
	while (size >= 1000 && step < units.length - 1) {
		size /= 1000;
		step++;
	}
	return `${number(size, size < 10 && step > 0 ? 1 : 0)}${NBSP}${units[step]}`;
}

type Moment = string | number | Date;
const date = (moment: Moment) => (moment instanceof Date ? moment : new Date(moment));

/** Making one takes a hundred times as long as using it, and a list uses two for each row. */
const moments = new Map<string, Intl.DateTimeFormat>();
function written(moment: Moment, options: Intl.DateTimeFormatOptions): string {
	const key = locale() + JSON.stringify(options);
	let format = moments.get(key);
	if (!format) {
		format = new Intl.DateTimeFormat(locale(), options);
		moments.set(key, format);
	}
	return format.format(date(moment));
}
const show = (moment: Moment, options: Intl.DateTimeFormatOptions) => written(moment, options).replace(/ /g, NBSP);

const midnight = (moment: Date) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();

/** 09:14 in English, 9:14 in Polish. */
export function clock(moment: Moment, seconds = false): string {
	return show(moment, {
		hour: language() === "pl" ? "numeric" : "2-digit",
		minute: "2-digit",
		...(seconds ? { second: "2-digit" } : {}),
		hourCycle: "h23",
	});
}

/** The shortest form that is still one moment: 09:14, Thu 16:40, 14 Nov, 14 Nov 2025. */
export function when(moment: Moment, now: Date = new Date()): string {
	const then = date(moment);
	const days = Math.round((midnight(now) - midnight(then)) / 86_400_000);
	if (days === 0) return clock(then);
	if (days > 0 && days < 7) return `${show(then, { weekday: "short" })}${NBSP}${clock(then)}`;
	const year = then.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
	return show(then, { day: "numeric", month: "short", ...year });
}

/** A day on the axis of a chart: Fri 20. */
export function day(moment: Moment): string {
	return `${show(moment, { weekday: "short" })}${NBSP}${show(moment, { day: "numeric" })}`;
}

/** The whole moment, for titles: Thursday, 19 November 2026, 16:40. */
export function moment(value: Moment): string {
	return written(value, {
		weekday: "long",
		day: "numeric",
		month: "long",
		year: "numeric",
		hour: "numeric",
		minute: "2-digit",
		hourCycle: "h23",
	});
}

/** A length of time in at most two units: 41 s, 12 min, 1 h 06 min, 3 days. */
export function duration(seconds: number): string {
	const whole = Math.max(0, Math.round(seconds));
	if (whole < 10 && seconds !== whole) return t("time.seconds", { n: number(Math.max(0, seconds), 1) });
	if (whole < 60) return t("time.seconds", { n: whole });
	const minutes = Math.floor(whole / 60);
	if (minutes < 60) return t("time.minutes", { n: minutes });
	const hours = Math.floor(minutes / 60);
	if (hours < 24) {
		const rest = minutes % 60;
		return rest === 0 ? t("time.hours", { n: hours }) : t("time.hours_minutes", { n: hours, m: rest });
	}
	return t("time.days", { n: Math.floor(hours / 24) });
}

/** How long ago, for a column: now, 5 min, 1 h, yesterday, 3 days. */
export function age(moment: Moment, now: Date = new Date()): string {
	const then = date(moment);
	const seconds = (now.getTime() - then.getTime()) / 1000;
	if (seconds < 60) return t("time.now");
	if (seconds < 3600) return t("time.minutes", { n: Math.floor(seconds / 60) });
	const days = Math.round((midnight(now) - midnight(then)) / 86_400_000);
	if (days === 0 || seconds < 6 * 3600) return t("time.hours", { n: Math.floor(seconds / 3600) });
	if (days === 1) return t("time.yesterday");
	if (days < 31) return t("time.days", { n: days });
	return when(then, now);
}

/** How long since a moment, for a sentence: 12 min, 1 h 6 min, 3 days. */
export function lasted(moment: Moment, now: Date = new Date()): string {
	const seconds = (now.getTime() - date(moment).getTime()) / 1000;
	if (seconds < 60) return `<\u00a0${duration(60)}`;
	return duration(seconds < 86_400 ? seconds - (seconds % 60) : seconds);
}

/** 04:12, or 1:04:12: the counter of a recording. */
export function counter(seconds: number): string {
	const whole = Math.max(0, Math.floor(seconds));
	const two = (n: number) => String(n).padStart(2, "0");
	const hours = Math.floor(whole / 3600);
	const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
	return hours > 0 ? `${hours}:${rest}` : rest;
}

/** “a, b and c” */
export function sequence(items: string[]): string {
	return new Intl.ListFormat(locale(), { type: "conjunction" }).format(items);
}

/** A value of a vital, by its OpenTelemetry unit. */
export function measure(value: number, unit: string): string {
	if (unit === "1") return percent(value, value < 0.1 ? 1 : 0);
	if (unit === "By") return bytes(value);
	if (unit === "By/s") return `${bytes(value)}/s`;
	if (unit === "s") return duration(value);
	if (unit.startsWith("{")) return number(value, value < 10 ? 1 : 0);
	return `${number(value, value < 10 ? 2 : 0)}${unit ? NBSP + unit : ""}`;
}
