import { expect, test } from "vitest";
import { Player, parse } from "./cast";

const file = [
	{ version: 2, width: 80, height: 24 },
	[0.5, "o", "a"],
	[1, "i", "typed"],
	[1, "r", "100x30"],
	[10, "o", "ż"],
]
	.map((line) => JSON.stringify(line))
	.join("\n");

function screen() {
	const log: string[] = [];
	return {
		log,
		write: (data: string) => void log.push(data),
		size: (c: number, r: number) => void log.push(`${c}x${r}`),
		clear: () => void log.push("clear"),
	};
}

test("reads events, leaves out input and a torn last line", () => {
	const cast = parse(`${file}\n[11, "o", "to`);
	expect(cast).toMatchObject({ columns: 80, rows: 24, seconds: 10 });
	expect(cast.events.map((event) => event.data)).toEqual(["a", "100x30", "ż"]);
});

test("long pauses are cut to the longest that is allowed", () => {
	expect(parse(file, 2).events.map((event) => event.at)).toEqual([0.5, 1, 3]);
});

test("another version says so", () => {
	expect(() => parse('{"version":3}')).toThrow("version 3");
});

test("plays in order, at the speed that is wished", () => {
	const shown = screen();
	const player = new Player(parse(file), shown);
	expect(player.advance(0.4)).toBe(true);
	expect(shown.log).toEqual(["clear", "80x24"]);
	player.speed = 4;
	player.advance(0.2);
	expect(shown.log.slice(2)).toEqual(["a", "100x30"]);
	expect(player.advance(60)).toBe(false);
	expect([player.at, shown.log.at(-1)]).toEqual([10, "ż"]);
});

test("seeking back draws the screen again from the start", () => {
	const shown = screen();
	const player = new Player(parse(file), shown);
	player.seek(10);
	shown.log.length = 0;
	player.seek(0.7);
	expect(shown.log).toEqual(["clear", "80x24", "a"]);
	player.seek(9);
	expect(shown.log.slice(3)).toEqual(["100x30"]);
});
