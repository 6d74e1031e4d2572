/** The small rules inside of the features, each on its own. */
import { expect, test } from "vitest";
import type { Answer, Series, Ticket, TimelineItem } from "../api/types";
import { longestSentence } from "../desk/Editors";
import { belongs } from "../desk/queries";
import { fold } from "../desk/Timeline";
import { inOrder, shown, table, unitOf } from "../fleet/AskPage";
import { fleetSentence } from "../fleet/ComputersPage";
import { roomOf } from "../fleet/MachineFacts";
import { fold as foldLetters } from "../frame/Palette";
import { addLive, seriesKey, worstFirst } from "../health/queries";
import { limitsOf, seriesName, threshold, whyNot } from "../health/series";
import { tiles } from "../health/Vitals";
import { setLanguage, translate } from "../i18n";
import { presenceSentence, shortNumber, systemName } from "../i18n/words";
import { fieldsOf, missing, valuesOf } from "../repair/schema";
import { freeLetter, letterOf } from "../session/letters";

test("thresholds read as a number and a direction, or not at all", () => {
	expect(threshold(">= 0.85")).toEqual({ value: 0.85, below: false });
	expect(threshold("< -2")).toEqual({ value: -2, below: true });
	expect(threshold("== false")).toBeUndefined();
	const check = { warning: ">= 0.85", critical: "" } as Parameters<typeof limitsOf>[1];
	expect(limitsOf(translate, check, "1")).toEqual([
		{ value: 0.85, below: false, grade: "warning", words: "limit 85%" },
	]);
});

test("series are said in words, with what they belong to", async () => {
	await setLanguage("pl");
	expect(
		seriesName(translate, {
			name: "system.network.io",
			attributes: { "network.interface.name": "wlp2s0", "network.io.direction": "receive" },
		}),
	).toBe("Sieć, wlp2s0, odbiór");
	expect(seriesName(translate, { name: "system.new.thing", attributes: {} })).toBe("system.new.thing");
});

test("a hole in a chart has its reason where one is known, and none is made up", () => {
	const minute = 60_000;
	const from = Date.now() - 90 * minute;
	const gap: [number, number] = [from, from + 30 * minute];
	const known = { offline_reason: null, enrolled_at: "2026-01-01T00:00:00Z" };
	expect(whyNot(translate, gap, { ...known, presence: "online" }, gap[1] - minute)).toMatch(/was off/);
	// It started long before readings came: it was on, and something else was wrong.
	expect(whyNot(translate, gap, undefined, from + minute)).toMatch(/^no readings/);
	expect(whyNot(translate, gap, undefined, from - minute)).toMatch(/^no readings/);
	const fresh = { ...known, presence: "online" as const, enrolled_at: new Date(gap[1] - minute).toISOString() };
	expect(whyNot(translate, gap, fresh)).toMatch(/^enrolled/);
	const open: [number, number] = [from, Date.now()];
	expect(whyNot(translate, open, { ...known, presence: "offline", offline_reason: "asleep" })).toMatch(/asleep/);
	expect(whyNot(translate, open, { ...known, presence: "online", offline_reason: "asleep" })).toMatch(/^no readings/);
	expect(whyNot(translate, gap, { ...known, presence: "offline", offline_reason: "asleep" })).toMatch(/^no readings/);
});

test("what a computer has not sent yet is not called unread", async () => {
	const minute = 60_000;
	const known = { offline_reason: null, enrolled_at: "2026-01-01T00:00:00Z" };
	const said = (presence: "online" | "offline" | "never", from: number, to: number) =>
		whyNot(translate, [Date.now() - from * minute, Date.now() - to * minute], { ...known, presence } as never);
	expect(said("online", 2, 0)).toMatch(/not sent yet/);
	expect(said("online", 14, 1)).toMatch(/not sent yet/);
	// Longer than a computer waits, or over already, or nobody there to send it.
	expect(said("online", 17, 0)).toMatch(/^no readings/);
	expect(said("online", 14, 5)).toMatch(/^no readings/);
	expect(said("offline", 2, 0)).toMatch(/^no readings/);
	await setLanguage("pl");
	expect(said("online", 2, 0)).toMatch(/jeszcze niewysłane/);
});

test("the fleet's sentence does not call well what nobody knows", async () => {
	await setLanguage("en");
	const said = (by: Partial<Record<"critical" | "warning" | "unknown" | "ok", number>>) => {
		const by_health = { critical: 0, warning: 0, unknown: 0, ok: 0, ...by };
		const total = Object.values(by_health).reduce((a, b) => a + b);
		return fleetSentence(translate, { by_health, total, online: 0 }).replace(/\u00a0/g, " ");
	};
	expect(said({ unknown: 1 })).toBe("Nothing certain is known yet of 1 computer.");
	expect(said({ unknown: 2, ok: 3 })).toBe(
		"3 computers, nothing to report. Nothing certain is known yet of 2 computers.",
	);
	expect(said({ ok: 1 })).toBe("1 computer, nothing to report.");
	expect(said({ unknown: 2, warning: 1 })).toBe("1 computer needs a person this week.");
	await setLanguage("pl");
	expect(said({ unknown: 1 })).toBe("O 1 komputerze nie wiadomo jeszcze nic pewnego.");
	expect(said({ unknown: 5 })).toBe("O 5 komputerach nie wiadomo jeszcze nic pewnego.");
});

test("a computer that never came says what has to be started on it", async () => {
	const never = { presence: "offline", offline_reason: "unknown", last_seen_at: null, people: null } as const;
	for (const language of ["en", "pl"] as const) {
		await setLanguage(language);
		expect(presenceSentence(translate, never)).toMatch(/deskside-agent start .*deskside-agent run/);
	}
});

test("a column of answers has the unit of the field that it shows, and no other", () => {
	const known = [
		["filesystems.used", "ratio"],
		["filesystems.size_bytes", "bytes"],
		["memory.used", "ratio"],
		["processes.cpu", "cores"],
		["cpu.used", "ratio"],
	].map(([name = "", unit = ""]) => ({ name, unit }));
	const unit = (expression: string, column: string) => unitOf(known, expression, column);
	expect(unit("filter(filesystems, .used > 0.2)", "used")).toBe("ratio");
	expect(unit("filter(filesystems, .used > 0.2)", "size_bytes")).toBe("bytes");
	expect(unit('filesystem("/")', "used")).toBe("ratio");
	expect(unit("memory.used", "value")).toBe("ratio");
	expect(unit("map(filesystems, .used)", "value")).toBe("ratio");
	expect(unit("memory.used * 8", "value")).toBeUndefined();
	expect(unit("map(filesystems, {{at: .mount, share: .used}})", "share")).toBe("ratio");
	expect(unit("map(filesystems, {{used: .used_bytes / 1e12}})", "used")).toBeUndefined();
	expect(unit("{used: cpu.used, mem: memory.used}", "mem")).toBe("ratio");
	expect(unit("filter(processes, .cpu > 1)", "cpu")).toBe("cores");
	expect(unit("services", "used")).toBeUndefined();
});

test("columns of answers stand as they were asked for", () => {
	const known = ["processes", "processes.pid", "processes.name", "processes.cpu", "filesystems.name"].map((name) => ({
		name,
	}));
	const order = (expression: string, ...columns: string[]) => inOrder(known, expression, columns).join(" ");
	expect(order("filter(processes, .cpu > 1)", "cpu", "name", "pid", "zoo")).toBe("pid name cpu zoo");
	expect(order("map(processes, {who: .name, cpu: .cpu, at: .pid})", "at", "cpu", "who")).toBe("who cpu at");
	expect(order("{b: cpu.used, a: memory.used}", "a", "b")).toBe("b a");
});

test("a cell of an answer is written as its unit asks, and a moment as people tell it", async () => {
	await setLanguage("en");
	const plain = (...of: Parameters<typeof shown>) => shown(...of)?.replace(/\u00a0/g, " ");
	expect(plain("used", 0.853, "ratio")).toBe("85%");
	expect(plain("pid", 48211, undefined)).toBe("48211");
	expect(plain("started_at", "2019-11-03T05:06:07.5Z", undefined)).toBe("3 Nov 2019");
	expect(plain("name", "2019-11-03", undefined)).toBe("2019-11-03");
	expect(shown("at", null, undefined)).toBeUndefined();
});

test("free is what people can still fill, and nothing where that was not read", async () => {
	await setLanguage("en");
	const disk = { size_bytes: 271e9, used_bytes: 31e9, available_bytes: 67e9 };
	const said = (fs: Parameters<typeof roomOf>[1]) => roomOf(translate, fs, 0.316).replace(/\u00a0/g, " ");
	expect(said(disk)).toBe("32% · 67 GB free of 271 GB");
	expect(said({ ...disk, available_bytes: null })).toBe("32%");
});

const series = (name: string, attributes: Record<string, string>, values: (number | null)[]): Series => ({
	name,
	unit: "1",
	attributes,
	points: values.map((value, i) => [i * 1000, value]),
});

test("tiles show the newest value, the fullest disk and all traffic but the loop", () => {
	const cpu = series("system.cpu.utilization", {}, [0.1, null]);
	const all = [
		cpu,
		series("system.filesystem.utilization", { "system.filesystem.mountpoint": "/" }, [0.4]),
		series("system.filesystem.utilization", { "system.filesystem.mountpoint": "/home" }, [0.9]),
		series("system.network.io", { "network.interface.name": "lo" }, [1e9]),
		series("system.network.io", { "network.interface.name": "eth0", "network.io.direction": "receive" }, [100, 200]),
		series("system.network.io", { "network.interface.name": "eth0", "network.io.direction": "transmit" }, [1, 2]),
	];
	const found = tiles(all, undefined);
	expect(found.cpu.value).toBe(0.1);
	expect([found.disk.mount, found.disk.value]).toEqual(["/home", 0.9]);
	expect(found.network.value).toBe(202);
	expect(tiles([], undefined).memory.value).toBeUndefined();
	const live = addLive(undefined, { machine_id: "m", at: "1970-01-01T00:00:05Z", series: [{ ...cpu, value: 0.7 }] });
	expect(tiles(all, live).cpu.value).toBe(0.7);
	expect(tiles(all, live).cpu.points.at(-1)).toEqual([5000, 0.7]);
	expect(seriesKey({ name: "a", attributes: { z: "1", b: "2" } })).toBe("a{b=2,z=1}");
});

test("a live value that was not read is unknown, not the last one", () => {
	const cpu = series("system.cpu.utilization", {}, [0.1]);
	const live = addLive(undefined, { machine_id: "m", at: "1970-01-01T00:00:05Z", series: [{ ...cpu, value: null }] });
	expect(live.values[seriesKey(cpu)]?.value).toBeNull();
});

test("alerts stand worst first: critical, warning, unknown, over", () => {
	const alert = (severity: string, state: string) =>
		({ severity, state, started_at: "2026" }) as Parameters<typeof worstFirst>[0];
	const sorted = [
		alert("critical", "resolved"),
		alert("warning", "unknown"),
		alert("warning", "firing"),
		alert("critical", "firing"),
	].sort(worstFirst);
	expect(sorted.map((a) => `${a.severity} ${a.state}`)).toEqual([
		"critical firing",
		"warning firing",
		"warning unknown",
		"critical resolved",
	]);
});

test("repeats of an alert are one entry with a counter, words of people never are", () => {
	const item = (id: string, kind: string, text: string) =>
		({ id, kind, text, at: id, data: {} }) as unknown as TimelineItem;
	const folded = fold([
		item("1", "alert", "full"),
		item("2", "alert", "full"),
		item("3", "message", "hello"),
		item("4", "message", "hello"),
		item("5", "alert", "full"),
	]);
	expect(folded.map((entry) => [entry.item.id, entry.times, entry.last])).toEqual([
		["1", 2, "2"],
		["3", 1, "3"],
		["4", 1, "4"],
		["5", 1, "5"],
	]);
});

test("a run and a session are one entry each, where they were asked for", () => {
	const item = (id: string, kind: string, data: Record<string, string>) =>
		({ id, kind, data, text: "", at: id }) as unknown as TimelineItem;
	const folded = fold([
		item("1", "run", { run_id: "r1" }),
		item("2", "session", { session_id: "s1" }),
		item("3", "run", { run_id: "r2" }),
		item("4", "run", { run_id: "r1" }),
		item("5", "session", { session_id: "s1" }),
		item("6", "run", {}),
		item("7", "run", {}),
	]);
	expect(folded.map((entry) => entry.item.id)).toEqual(["1", "2", "3", "6", "7"]);
});

test("a new ticket waits behind the button of the view it belongs to", () => {
	const ticket = (state: string, assignee: string | null) =>
		({ state, assignee: assignee && { id: assignee, name: assignee } }) as Ticket;
	expect(belongs(ticket("new", null), "unassigned")).toBe(true);
	expect(belongs(ticket("new", null), "mine")).toBe(false);
	expect(belongs(ticket("new", "a"), "unassigned")).toBe(false);
	expect(belongs(ticket("resolved", "a"), "open")).toBe(false);
	expect(belongs(ticket("on_hold", "a"), "waiting")).toBe(true);
});

test("the longest sentence is counted in words", () => {
	expect(longestSentence("One two. Three four five! Six")).toBe(3);
	expect(longestSentence("")).toBe(0);
});

test("answers become lines, those that were refused stand apart with their reason", () => {
	const answer = (id: string, rows: Record<string, unknown>[], error: string | null = null): Answer => ({
		machine_id: id,
		machine_name: id,
		rows,
		error,
		truncated: false,
		age_seconds: 1,
	});
	const { lines, fields, refused } = table([
		answer("a", [{ name: "x" }, { name: "y", pid: 1 }]),
		answer("b", [], "too slow"),
		answer("c", []),
	]);
	expect(fields).toEqual(["name", "pid"]);
	expect(lines.map((line) => [line.machine, line.row.name])).toEqual([
		["a", "x"],
		["a", "y"],
	]);
	expect(refused.map((one) => [one.machine_name, one.error])).toEqual([["b", "too slow"]]);
});

test("letters are found without their tails", () => {
	expect(foldLetters("Zażółć GĘŚLĄ jaźń Łódź")).toBe("zazolc gesla jazn lodz");
});

test("a system is called once by its version", () => {
	const called = (name: string, version: string) => systemName({ name, version });
	expect(called("Debian GNU/Linux 12 (bookworm)", "12")).toBe("Debian GNU/Linux 12 (bookworm)");
	expect(called("Windows 11 Pro", "24H2")).toBe("Windows 11 Pro 24H2");
	expect(called("Fedora Linux", "")).toBe("Fedora Linux");
});

test("numbers of tickets are said short", () => {
	expect([shortNumber("DS-000118"), shortNumber("ACME-2026-000007"), shortNumber("DS-012345")]).toEqual([
		"118",
		"007",
		"12345",
	]);
});

const schema = {
	type: "object",
	required: ["service"],
	properties: {
		service: { type: "string", title: { en: "Service", pl: "Usługa" }, pattern: "^[a-z]+$" },
		days: { type: "integer", minimum: 1, maximum: 90, default: 7 },
		deep: { type: "boolean" },
		mode: { enum: ["a", "b"] },
		hint: { type: "string" },
	},
};

test("parameters of a script become fields, and fields become typed values", () => {
	const fields = fieldsOf(schema, "pl");
	expect(fields.map((field) => [field.name, field.kind, field.title])).toEqual([
		["service", "text", "Usługa"],
		["days", "number", "days"],
		["deep", "yes-no", "deep"],
		["mode", "choice", "mode"],
		["hint", "text", "hint"],
	]);
	expect(missing(fields, {})).toEqual(["service"]);
	expect(valuesOf(fields, { service: "cups", days: "14" })).toEqual({
		service: "cups",
		days: "14",
		deep: "false",
		mode: "a",
	});
	expect(fieldsOf(undefined, "en")).toEqual([]);
	expect(fieldsOf({ properties: { odd: 7 } }, "en")).toEqual([]);
});

test("sessions that are open at once have different letters", () => {
	expect([letterOf("1"), letterOf("2"), letterOf("1"), letterOf("3")]).toEqual(["a", "b", "a", "c"]);
	freeLetter("2");
	expect(letterOf("4")).toBe("b");
	expect(letterOf("5")).toBe("a");
});
