import { beforeEach, expect, test } from "vitest";
import { pick, setLanguage } from ".";
import * as format from "./format";

const plain = (text: string) => text.replace(/\u00a0/g, " ");
const now = new Date(2026, 10, 20, 10, 20);

test("numbers and sizes as each language writes them", async () => {
	expect(format.number(1204)).toBe("1,204");
	expect(plain(format.bytes(5583457484))).toBe("5.6 GB");
	expect(plain(format.bytes(25_300_000_000))).toBe("25.3 GB");
	expect(plain(format.bytes(1_000))).toBe("1 kB");
	expect(plain(format.bytes(999_600))).toBe("1 MB");
	expect(plain(format.bytes(0))).toBe("0 B");
	expect(plain(format.bits(450_000))).toBe("3.6 Mb/s");
	expect(format.percent(0.978, 1)).toBe("97.8%");
	await setLanguage("pl");
	expect(format.number(1204)).toBe("1204");
	expect(plain(format.number(31402))).toBe("31 402");
	expect(plain(format.bytes(5583457484))).toBe("5,6 GB");
	expect(format.percent(0.978, 1)).toBe("97,8%");
});

test("a unit never leaves its number", () => {
	for (const text of [format.bytes(1024), format.bits(1000), format.measure(3, "ms")])
		expect(text).toMatch(/^\S+\u00a0\S+$/);
});

test("moments are as short as they can be and still one moment", async () => {
	expect(format.when(new Date(2026, 10, 20, 9, 14), now)).toBe("09:14");
	expect(plain(format.when(new Date(2026, 10, 19, 16, 40), now))).toBe("Thu 16:40");
	expect(plain(format.when(new Date(2026, 10, 2), now))).toBe("2 Nov");
	expect(plain(format.when(new Date(2025, 10, 2), now))).toBe("2 Nov 2025");
	await setLanguage("pl");
	expect(format.when(new Date(2026, 10, 20, 9, 14), now)).toBe("9:14");
	expect(plain(format.when(new Date(2026, 10, 19, 16, 40), now))).toBe("czw. 16:40");
});

test("ages and lengths of time", () => {
	expect(format.age(new Date(2026, 10, 20, 10, 19, 50), now)).toBe("now");
	expect(format.age(new Date(2026, 10, 20, 10, 15), now)).toBe("5 min");
	expect(format.age(new Date(2026, 10, 20, 8, 0), now)).toBe("2 h");
	expect(format.age(new Date(2026, 10, 19, 9, 0), now)).toBe("yesterday");
	expect(format.age(new Date(2026, 10, 16, 9, 0), now)).toBe("4 days");
	expect(format.duration(41)).toBe("41 s");
	expect(format.duration(3960)).toBe("1 h 6 min");
	expect(format.duration(3 * 86_400)).toBe("3 days");
	expect(format.lasted(new Date(2026, 10, 20, 9, 9, 30), now)).toBe("1 h 10 min");
	expect(format.lasted(new Date(now.getTime() - 59_000), now)).toMatch(/^<\s1 min$/);
	expect(format.counter(252)).toBe("04:12");
	expect(format.counter(3852)).toBe("1:04:12");
});

test("values of vitals by their unit", () => {
	expect(format.measure(0.94, "1")).toBe("94%");
	expect(format.measure(0.034, "1")).toBe("3.4%");
	expect(plain(format.measure(1536, "By/s"))).toBe("1.5 kB/s");
	expect(format.measure(212, "{process}")).toBe("212");
});

test("texts of the console are chosen by language, their short words kept with the next", async () => {
	expect(pick({ en: "5.2 GB left, 3 disks", pl: "" })).toBe("5.2\u00a0GB left, 3 disks");
	const text = { en: "a disk", pl: "dysk w pracy i w domu" };
	expect(pick(text)).toBe("a\u00a0disk");
	await setLanguage("pl");
	expect(pick(text)).toBe("dysk w\u00a0pracy i\u00a0w\u00a0domu");
	expect(pick({ en: "only English", pl: "" })).toBe("only English");
	expect(pick(null)).toBe("");
});

beforeEach(() => {
	expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe("Europe/Warsaw");
});
