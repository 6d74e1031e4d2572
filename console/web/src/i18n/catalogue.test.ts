import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compileMessage } from "@lingui/message-utils/compileMessage";
import { describe, expect, test } from "vitest";
import { type MessageId, setLanguage, translate } from ".";
import en from "./en.json";
import pl from "./pl.json";

type Catalogue = Record<string, string>;
const catalogues: Record<string, Catalogue> = { en, pl };
const ids = Object.keys(en) as MessageId[];

/** Words that are the same in both languages, names, and what a machine calls itself. */
const alike = new Set(
	"deskside online offline terminal agent alert problem system model administrator min api token program esc systemd logind utmp root".split(
		" ",
	),
);

type Token = string | [string, string?, unknown?];
function tokens(message: string): Token[] {
	return compileMessage(message) as Token[];
}
function walk(
	list: Token[],
	text: (piece: string) => void,
	value: (name: string, kind: string | undefined, branches: Record<string, Token[]>) => void,
): void {
	for (const token of list) {
		if (typeof token === "string") {
			text(token);
			continue;
		}
		const branches = token[2] && typeof token[2] === "object" ? (token[2] as Record<string, Token[]>) : {};
		value(token[0], token[1], branches);
		for (const branch of Object.values(branches)) if (Array.isArray(branch)) walk(branch, text, value);
	}
}
function valuesOf(message: string): Set<string> {
	const names = new Set<string>();
	walk(
		tokens(message),
		() => {},
		(name) => names.add(name),
	);
	names.delete("#");
	return names;
}

/** The words of a message, those inside of plurals too, its values left out. */
function words(message: string): string[] {
	const pieces: string[] = [];
	walk(
		tokens(message),
		(piece) => pieces.push(piece),
		() => {},
	);
	return pieces
		.join(" ")
		.toLowerCase()
		.split(/[^\p{L}]+/u)
		.filter((word) => word.length > 2);
}

describe("catalogues", () => {
	test("have the same ids in the same order", () => {
		expect(Object.keys(pl)).toEqual(Object.keys(en));
	});

	test("say each thing in both languages with the same values", () => {
		for (const id of ids) {
			for (const catalogue of Object.values(catalogues)) {
				const text = catalogue[id] ?? "";
				expect(text.trim(), id).toBe(text);
				expect(text, id).not.toBe("");
				expect(text, id).not.toMatch(/!|\s\s|'|\(s\)|\(ów\)/);
			}
			expect(valuesOf(pl[id]), id).toEqual(valuesOf(en[id]));
		}
	});

	test("plurals have every form of their language", () => {
		const forms: Record<string, string[]> = { en: ["one", "other"], pl: ["one", "few", "many", "other"] };
		for (const [language, catalogue] of Object.entries(catalogues))
			for (const [id, text] of Object.entries(catalogue))
				walk(
					tokens(text),
					() => {},
					(_, kind, branches) => {
						if (kind === "plural")
							expect(
								Object.keys(branches).filter((form) => form !== "offset"),
								`${language} ${id}`,
							).toEqual(forms[language]);
					},
				);
	});

	test("no English word is left in Polish", () => {
		const english = new Set(Object.values(en).flatMap(words));
		const left: string[] = [];
		for (const [id, text] of Object.entries(pl))
			for (const word of words(text)) if (english.has(word) && !alike.has(word)) left.push(`${id}: ${word}`);
		expect(left).toEqual([]);
	});

	test("Polish says nothing that the glossary forbids", () => {
		const forbidden =
			/użytkownik|bilet|rozdzielczość|wystąpił|nieprawidłow|niepoprawn|wsparci|dedykowan|autoryzacj|resetuj|powinieneś|powinnaś|\p{L}+(łeś|łaś)(\P{L}|$)/iu;
		for (const [id, text] of Object.entries(pl)) expect(text, id).not.toMatch(forbidden);
	});

	test("quotes are those of the language", () => {
		for (const text of Object.values(en)) expect(text).not.toMatch(/["„]/);
		for (const text of Object.values(pl)) expect(text).not.toMatch(/["“]/);
	});

	test("every id is used", () => {
		const source = readdirSync(join(import.meta.dirname, ".."), { recursive: true, encoding: "utf8" })
			.filter((name) => /\.tsx?$/.test(name) && !name.includes(".test."))
			.map((name) => readFileSync(join(import.meta.dirname, "..", name), "utf8"))
			.join("\n");
		const templates = [...source.matchAll(/`([a-z_.]+\.)\$\{[^}]+\}([a-z_]*)`/g)].map(([, before, after]) => ({
			before: before ?? "",
			after: after ?? "",
		}));
		const unused = ids.filter(
			(id) =>
				!source.includes(`"${id}"`) &&
				!templates.some(({ before, after }) => id.startsWith(before) && id.endsWith(after)),
		);
		expect(unused).toEqual([]);
	});
});

const sample = (id: string, n: number): Record<string, string | number> =>
	Object.fromEntries(
		[...valuesOf((en as Catalogue)[id] ?? "")].map((name) => [
			name,
			["n", "asked", "answered", "m"].includes(name) ? n : `‹${name}›`,
		]),
	);

describe.each(["en", "pl"] as const)("rendered in %s", (language) => {
	test.each([0, 1, 2, 5, 22])("with %d: nothing is left open", async (n) => {
		await setLanguage(language);
		for (const id of ids) {
			const text = translate(id, sample(id, n));
			expect(text, id).not.toMatch(/[{}#]|undefined|null|NaN|n\/a|\s\s/);
		}
	});

	test("a one-letter word takes the next word along", async () => {
		await setLanguage(language);
		const alone = language === "pl" ? /(^|[\s„(])[aiouwz] /iu : /(^|[\s“(])[ai] /iu;
		for (const id of ids) expect(translate(id, sample(id, 5)), id).not.toMatch(alone);
	});
});

test("Polish plurals as people say them", async () => {
	await setLanguage("pl");
	const said = (id: MessageId) => [0, 1, 2, 5, 22].map((n) => translate(id, { n }).replace(/\u00a0/g, " "));
	expect(said("run.go")).toEqual([
		"Uruchom na 0 komputerach",
		"Uruchom na 1 komputerze",
		"Uruchom na 2 komputerach",
		"Uruchom na 5 komputerach",
		"Uruchom na 22 komputerach",
	]);
	expect(said("time.days")).toEqual(["0 dni", "1 dzień", "2 dni", "5 dni", "22 dni"]);
	expect(said("computers.need")).toEqual([
		"0 komputerów czeka dziś na człowieka",
		"1 komputer czeka dziś na człowieka",
		"2 komputery czekają dziś na człowieka",
		"5 komputerów czeka dziś na człowieka",
		"22 komputery czekają dziś na człowieka",
	]);
	expect(said("queue.show_new")).toEqual([
		"Pokaż 0 nowych",
		"Pokaż 1 nowe",
		"Pokaż 2 nowe",
		"Pokaż 5 nowych",
		"Pokaż 22 nowe",
	]);
	expect(said("session.left")).toEqual([
		"zostało 0 sekund",
		"została 1 sekunda",
		"zostały 2 sekundy",
		"zostało 5 sekund",
		"zostały 22 sekundy",
	]);
});
