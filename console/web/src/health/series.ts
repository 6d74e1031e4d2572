/** Which vital stands where: names of series, the limit a check draws on them, and how they are said. */
import type { Check, Machine, Series } from "../api/types";
import type { Translate } from "../i18n";
import { clock, measure, when } from "../i18n/format";
import type { Gap } from "../ui/gaps";
import type { Limit } from "../ui/plot";

/** The vital that a check of the catalogue judges, where the two have one unit. */
const judged: Record<string, string> = {
	"filesystem.full": "system.filesystem.utilization",
	"filesystem.inodes": "system.filesystem.inodes.utilization",
	"memory.pressure": "system.memory.utilization",
};

export const vitalOf = (check: string) => judged[check];
export const checkOf = (vital: string) => Object.keys(judged).find((check) => judged[check] === vital);

/** ">= 0.85" as a number and a direction; undefined where a threshold is something else. */
export function threshold(text: string | null): { value: number; below: boolean } | undefined {
	const found = /^\s*(>=|>|<=|<)\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text ?? "");
	return found ? { value: Number(found[2]), below: found[1]?.startsWith("<") ?? false } : undefined;
}

export function limitsOf(t: Translate, check: Check | undefined, unit: string): Limit[] {
	if (!check) return [];
	const limits: Limit[] = [];
	for (const grade of ["warning", "critical"] as const) {
		const at = threshold(check[grade]);
		if (at) limits.push({ ...at, grade, words: t("plot.limit", { value: measure(at.value, unit) }) });
	}
	return limits;
}

/** A moment with its hour, however long ago. */
const exactly = (at: number) => (when(at).includes(":") ? when(at) : `${when(at)}, ${clock(at)}`);

/** A reading may come this much after the start of the computer. */
const FIRST_READING = 5 * 60_000;

/** A computer sends its history each quarter of an hour unless it is set otherwise, and each minute while somebody looks. */
const SENT_WITHIN = 16 * 60_000;

/**
 * Why nothing was read. What is known of it: before it was enrolled nobody asked, a hole in which the computer started is one in which
 * it was off, and one that lasts has the reason for which it is offline now, or is not sent yet by one that is online.
 */
export function whyNot(
	t: Translate,
	gap: Gap,
	machine?: Pick<Machine, "presence" | "offline_reason" | "enrolled_at">,
	booted?: number,
): string {
	const values = { from: exactly(gap[0]), to: exactly(gap[1]) };
	const enrolled = machine ? Date.parse(machine.enrolled_at) : 0;
	if (enrolled > gap[0] && gap[1] - enrolled < FIRST_READING) return t("plot.gap_new", { at: exactly(enrolled) });
	if (booted !== undefined && booted > gap[0] && booted <= gap[1] && gap[1] - booted < FIRST_READING)
		return t("plot.gap_started", values);
	const lasts = Date.now() - gap[1] < 2 * 60_000;
	if (machine?.presence === "online" && lasts && gap[1] - gap[0] < SENT_WITHIN) return t("plot.gap_unsent", values);
	if (machine?.presence === "offline" && lasts) {
		if (machine.offline_reason === "asleep") return t("plot.gap_asleep", values);
		if (machine.offline_reason === "shut_down") return t("plot.gap_off", values);
		if (machine.offline_reason === "link_lost") return t("plot.gap_link", values);
	}
	return t("plot.gap", values);
}

const words = {
	"system.cpu.utilization": "vital.cpu",
	"system.cpu.load_average.1m": "vital.load",
	"system.memory.utilization": "vital.memory",
	"system.memory.usage": "vital.memory_used",
	"system.paging.utilization": "vital.swap",
	"system.filesystem.utilization": "vital.disk",
	"system.filesystem.usage": "vital.disk_used",
	"system.filesystem.inodes.utilization": "vital.inodes",
	"system.disk.io": "vital.disk_io",
	"system.network.io": "vital.network",
	"system.process.count": "vital.processes",
} as const;

const directions = {
	read: "vital.read",
	write: "vital.write",
	receive: "vital.receive",
	transmit: "vital.transmit",
} as const;

/** “Disk in use, /home” and the like; what we have no word for keeps its own name. */
export function seriesName(t: Translate, series: Pick<Series, "name" | "attributes">): string {
	const word = words[series.name as keyof typeof words];
	const details = Object.entries(series.attributes).map(([key, value]) => {
		const direction = key.endsWith(".direction") ? directions[value as keyof typeof directions] : undefined;
		return direction ? t(direction) : value;
	});
	return [word ? t(word) : series.name, ...details].join(", ");
}

/** The order in which the series of a machine are offered. */
export function bySeries(a: Series, b: Series): number {
	const order = Object.keys(words);
	const place = (series: Series) => (order.indexOf(series.name) + 1 || 99) - 1;
	return place(a) - place(b) || JSON.stringify(a.attributes).localeCompare(JSON.stringify(b.attributes));
}
