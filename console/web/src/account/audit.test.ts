import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { i18n } from "@lingui/core";
import { expect, test, vi } from "vitest";
import { setLanguage, translate as t } from "../i18n";
import { aboutOf, didWords, resultWords, whoDid } from "./audit";

const root = join(import.meta.dirname, "../../..");
const go = readdirSync(root, { recursive: true, encoding: "utf8" })
	.filter((name) => /^(?!web\/node_modules).*\.go$/.test(name) && !name.endsWith("_test.go"))
	.map((name) => readFileSync(join(root, name), "utf8"))
	.join("\n");
const all = (pattern: RegExp) => [...go.matchAll(pattern)].map(([, found = ""]) => found);

test("everything that is written into the audit has a word", async () => {
	await setLanguage("pl");
	const written = all(/\bAction: +("[^"]*"|\w+)/g);
	// What is put together: the state of a session, and what somebody writes into a ticket.
	const states = all(/SessionState = "(\w+)"/g).map((state) => `session.${state}`);
	const items = ["ticket.message", "ticket.note"];
	// What reaches the entry by a variable.
	const handed = all(/(?:\baction :?= |\baudit\(tx, t, |groupChanged\(tx, g, )"(\w+\.\w+)"/g);
	const actions = [
		...written.filter((one) => one.startsWith('"')).map((one) => one.slice(1, -1)),
		...states,
		...items,
		...handed,
	];
	expect([written.length > 20, states.length > 4, handed.length > 6]).toEqual([true, true, true]);
	for (const action of actions) if (!action.endsWith(".")) expect(didWords(t, action)).not.toBe(action);
	expect(didWords(t, "nothing.known")).toBe("nothing.known");
	// Every row is written with its action beside it, where the pattern above sees it.
	expect(all(/(tx\.Audit)\(/g).length).toBe(all(/(tx\.Audit)\(store\.Entry\{Organisation: [^,]+, Action: /g).length);
});

test("a sentence that is not there is not asked for", () => {
	const missed = vi.fn();
	const stop = i18n.on("missing", missed);
	expect(resultWords(t, "succeeded")).toBe(t("run.state.succeeded"));
	expect(resultWords(t, "nothing_known")).toBe("nothing_known");
	stop();
	expect(missed).not.toHaveBeenCalled();
});

test("every end has a word", async () => {
	await setLanguage("pl");
	const ends = all(/\bResult: "(\w+)"/g);
	const runs = all(/RunState = "(\w+)"/g);
	expect([ends.length > 20, runs.length > 6]).toEqual([true, true]);
	for (const end of [...ends, ...runs]) expect(resultWords(t, end)).not.toBe(end);
});

test("whoever acts is said in words", async () => {
	await setLanguage("pl");
	const kinds = new Set([...all(/Actor\{Kind: "(\w+)"/g), ...all(/\bkind :?= "(person|token)"/g)]);
	expect([...kinds].sort()).toEqual(["machine", "person", "requester", "system", "token"]);
	const who = (kind: string, name: string) => whoDid(t, { kind, id: "x", name }).replace(/\u00a0/g, " ");
	expect(who("person", "Ewa")).toBe("Ewa");
	expect(who("person", "")).toBe("nazwa usunięta");
	expect(who("token", "Ewa")).toBe("Ewa, przez program");
	expect(who("requester", "Ewa")).toBe("Ewa, przy komputerze");
	expect(who("machine", "LAP-1")).toBe("komputer LAP-1");
	expect(who("machine", "")).toBe("komputer");
	const about = [{ kind: "machine", id: "x", name: { en: "LAP-1", pl: "LAP-1" } }];
	expect(whoDid(t, { kind: "machine", id: "x", name: "" }, about)).toMatch(/^komputer.LAP-1$/);
	expect(whoDid(t, { kind: "machine", id: "y", name: "" }, about)).toBe("komputer");
	expect(who("system", "help")).toBe("Deskside");
	expect(who("system", "command line")).toBe("wiersz polecenia konsoli");
});

test("a row says what it is about once, and what is gone", () => {
	const one = (kind: string, id: string, name?: string) => ({ kind, id, name: name ? { en: name, pl: name } : null });
	const actor = { kind: "person", id: "p1", name: "Ewa" };
	const ids = (action: string, ...subjects: ReturnType<typeof one>[]) =>
		aboutOf({ action, actor, subjects }).map((subject) => subject.id);
	expect(ids("run.start", one("machine", "m1", "LAP-1"), one("run", "r1", "Restart"))).toEqual(["r1", "m1"]);
	expect(ids("person.sign_in", one("person", "p1", "Ewa"))).toEqual([]);
	expect(ids("person.change", one("person", "p2"))).toEqual(["p2"]);
	expect(ids("session.open", one("machine", "m1", "LAP-1"), one("session", "s1"))).toEqual(["m1"]);
	expect(ids("group.delete", one("group", "g1"))).toEqual([]);
});
