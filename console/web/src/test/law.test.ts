/** The law of the house: what may import what, who may fetch, how long a component is. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
	(name) => /\.tsx?$/.test(name) && !/\.test\.|\.d\.ts$/.test(name) && !name.startsWith("test/"),
);
const source = (name: string) => readFileSync(join(root, name), "utf8");
const features = ["account", "desk", "fleet", "health", "help", "repair", "session"];

/** The folders of src that a file imports from. */
function imports(name: string): string[] {
	return [...source(name).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(
		([, path]) => normalize(join(dirname(name), path ?? "")).split("/")[0] ?? "",
	);
}

test("features do not import each other, and what is below does not know them", () => {
	const wrong: string[] = [];
	for (const name of files) {
		const own = name.split("/")[0] ?? "";
		if (own === "pages" || !name.includes("/")) continue;
		for (const other of imports(name))
			if (features.includes(other) && other !== own) wrong.push(`${name} imports ${other}`);
	}
	expect(wrong).toEqual([]);
});

test("ui knows no nouns, api knows nothing of the screen", () => {
	for (const name of files) {
		const allowed = name.startsWith("ui/") ? ["ui", "i18n", "api"] : name.startsWith("api/") ? ["api"] : undefined;
		if (allowed)
			expect(
				imports(name).filter((folder) => !allowed.includes(folder)),
				name,
			).toEqual([]);
	}
});

test("nothing fetches outside of queries.ts and api", () => {
	for (const name of files) {
		if (name.startsWith("api/") || name.endsWith("/queries.ts")) continue;
		expect(source(name), name).not.toMatch(
			/\bfetch\(|\bapi\.(GET|POST|PATCH|PUT|DELETE)\(|useQuery\(|useMutation\(|useInfiniteQuery\(/,
		);
	}
});

test("nothing that came from outside becomes HTML or code", () => {
	for (const name of files)
		expect(source(name), name).not.toMatch(
			/dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(/,
		);
});

test("no component states a colour of its own", () => {
	const css = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
		(name) => name.endsWith(".css") && name !== "tokens.css",
	);
	for (const name of css)
		expect(
			source(name)
				.replace(/light-dark\([^)]*\)/g, "")
				.replace(/#ffffff66|#fff\b/g, ""),
			name,
		).not.toMatch(/#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(/i);
	for (const name of files.filter((n) => n.endsWith(".tsx")))
		expect(source(name), name).not.toMatch(/"#[0-9a-f]{3,8}"/i);
});

test("a component of more than 200 lines is two", () => {
	for (const name of files.filter((n) => n.endsWith(".tsx"))) {
		const starts = [...source(name).matchAll(/^(?:export (?:default )?)?function [A-Z]\w*/gm)].map(
			(match) => source(name).slice(0, match.index).split("\n").length,
		);
		const ends = [...starts.slice(1), source(name).split("\n").length];
		starts.forEach((start, i) => {
			expect((ends[i] ?? 0) - start, `${name}, line ${start}`).toBeLessThanOrEqual(200);
		});
	}
});

test("at most 15 things are needed at run time, all pinned, each with a sentence in the README", () => {
	const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "../package.json"), "utf8"));
	const readme = readFileSync(join(root, "../README.md"), "utf8");
	expect(Object.keys(dependencies).length).toBeLessThanOrEqual(15);
	for (const name of Object.keys(dependencies)) expect(readme).toContain(`\`${name}\``);
	for (const version of Object.values({ ...dependencies, ...devDependencies }))
		expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});
