// What a first visit loads and what lazy parts add, in gzip kilobytes: node harness/size.mjs
// Fails above 320 kB for the first load of the heaviest first page.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const files = readdirSync(`${dist}assets`);
const gz = (name) => gzipSync(readFileSync(`${dist}assets/${name}`), { level: 9 }).length;
const kb = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

/** A chunk with everything it imports statically, and the style sheets that come with them. */
function closure(name, seen = new Set()) {
	if (seen.has(name)) return seen;
	seen.add(name);
	if (!name.endsWith(".js")) return seen;
	const source = readFileSync(`${dist}assets/${name}`, "utf8");
	for (const [, other] of source.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) closure(other, seen);
	return seen;
}
const chunk = (start) => files.find((name) => name.startsWith(`${start}-`) && name.endsWith(".js"));
const main = chunk("index");
const source = readFileSync(`${dist}assets/${main}`, "utf8");
// Vite lists, per lazy import, the chunks and style sheets that it loads with it.
const lists = JSON.parse(/\.f=(\[[^\]]*\])/.exec(source)?.[1] ?? "[]");
const withStyles = (start) => {
	const name = chunk(start);
	const found = closure(name);
	for (const [, target, indexes] of source.matchAll(
		/import\(`?"?\.\/([^"`]+\.js)`?"?\)[^,]*,__vite__mapDeps\(\[([\d,]*)\]\)/g,
	))
		if (target === name)
			for (const i of indexes.split(",").filter(Boolean)) found.add(lists[Number(i)].replace(/^.*assets\//, ""));
	return found;
};
const styles = [...readFileSync(`${dist}index.html`, "utf8").matchAll(/assets\/([^"]+\.css)/g)].map(([, name]) => name);
const first = new Set([...closure(main), ...styles]);
const sum = (names) => [...names].reduce((all, name) => all + gz(name), 0);
console.log(`every page  ${kb(sum(first))} (of it styles ${kb(sum(styles))}), + catalogue ${kb(gz(chunk("pl")))}`);
let worst = 0;
for (const page of [
	"queue",
	"computers",
	"machine",
	"ticket",
	"ask",
	"sign-in",
	"help",
	"session",
	"settings",
	"repairs",
]) {
	const all = new Set([...first, chunk("pl"), ...withStyles(page)]);
	const total = sum(all);
	worst = Math.max(worst, total);
	console.log(`${page.padEnd(11)} ${kb(total)}`);
}
for (const lazy of ["screen", "LiveTerminal", "ReplayScreen", "timechart", "RunDialog", "CallNote", "Palette"])
	console.log(`+ ${lazy.padEnd(12)} ${kb(gz(chunk(lazy)))}`);
if (worst > 320_000) {
	console.error(`the heaviest page loads ${kb(worst)}; 320 kB is the most`);
	process.exit(1);
}
