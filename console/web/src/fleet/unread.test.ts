import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { setLanguage, translate as t } from "../i18n";
import { unreadWhat, unreadWhy } from "./unread";

const words = readFileSync(join(import.meta.dirname, "../../../../agent/report/words.go"), "utf8");
const rows = (pattern: RegExp) => [...words.matchAll(pattern)].map(([, ...columns]) => columns as string[]);
const plain = (text: string) => text.replace(/\u00a0/g, " ");

test("what an agent could not read is said with the words of its own report", async () => {
	const whys = rows(/\{"([^"]+)", "", "([^"]+)"\}/g);
	const starts = rows(/\{"([^"]+ )", "([^"]+ )"\},/g);
	const whats = rows(/\{"what ([^"]+)", "([^"]+)", "([^"]+)"\}/g);
	expect([whys.length, starts.length, whats.length].every((n) => n > 3)).toBe(true);
	for (const [why = ""] of whys) expect(plain(unreadWhy(t, why))).toBe(why);
	for (const [what = "", en] of whats) expect(plain(unreadWhat(t, what))).toBe(en);
	await setLanguage("pl");
	for (const [why = "", pl] of whys) expect(plain(unreadWhy(t, why))).toBe(pl);
	for (const [start, pl] of starts) expect(plain(unreadWhy(t, `${start}EACCES`))).toBe(`${pl}EACCES`);
	for (const [what = "", , pl] of whats) expect(plain(unreadWhat(t, what))).toBe(pl);
	expect(plain(unreadWhy(t, "there are 900; the first 500 are listed"))).toBe("jest ich 900, na liście pierwsze 500");
});

test("what nobody has words for stays as it is", async () => {
	await setLanguage("pl");
	expect(unreadWhy(t, "permission denied")).toBe("permission denied");
	expect(unreadWhat(t, "filesystems./mnt/share")).toBe("/mnt/share");
	expect(unreadWhat(t, "batteries")).toBe("batteries");
});
