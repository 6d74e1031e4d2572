import { afterEach, beforeEach, expect, test } from "vitest";
import { inbox, type Listener, listen } from "../test/sockets";
import { decode, encode, type Frame, kinds } from "./frames";
import { type Link, Wire } from "./wire";

let server: Listener;
let wire: Wire | undefined;
beforeEach(async () => {
	server = await listen();
});
afterEach(async () => {
	wire?.close();
	await server.close();
});

const bytes = (text: string) => new TextEncoder().encode(text);
const frame = (data: Buffer): Frame => decode(new Uint8Array(data).buffer);

function dial(goesOn = async () => true) {
	let shown = "";
	const links: Link[] = [];
	let refusals = 0;
	let tellOver = () => {};
	const over = new Promise<void>((then) => {
		tellOver = then;
	});
	const waiting: { wanted: string; then: () => void }[] = [];
	const check = () => {
		for (const one of waiting) if (shown === one.wanted) one.then();
	};
	const ended = new Promise<number>((exit) => {
		wire = new Wire(server.url, {
			output: (data, done) => {
				shown += new TextDecoder().decode(data);
				done();
				check();
			},
			exit,
			notice: () => {},
			refused: () => {
				refusals++;
			},
			link: (link) => {
				links.push(link);
				if (link === "over" || link === "elsewhere") tellOver();
			},
			goesOn,
		});
	});
	const until = (wanted: string) =>
		new Promise<void>((then) => (shown === wanted ? then() : waiting.push({ wanted, then })));
	return { wire: wire as Wire, links, until, ended, over, refusals: () => refusals };
}

/** The next frame of a kind; others are passed over. */
async function next(box: { take: () => Promise<Buffer> }, kind: number): Promise<Frame> {
	for (;;) {
		const one = frame(await box.take());
		if (one.kind === kind) return one;
	}
}

/** A console begins by saying how much was typed. */
const greet = (socket: { send: (data: Uint8Array) => void }, typed: number) =>
	socket.send(encode({ kind: kinds.ack, offset: typed, payload: new Uint8Array() }));

test("a lost link loses nothing and doubles nothing", async () => {
	const { wire, links, until } = dial();
	const first = await server.next();
	const box = inbox(first);
	greet(first, 0);
	first.send(encode({ kind: kinds.output, offset: 0, payload: bytes("$ ") }));
	await until("$ ");
	wire.resize(118, 34);
	wire.input(bytes("ls"));
	expect((await next(box, kinds.input)).payload).toEqual(bytes("ls"));
	first.send(encode({ kind: kinds.ack, offset: 1, payload: new Uint8Array() }));
	// The acknowledgement must be in before the link goes: the answer to it is the proof.
	first.send(encode({ kind: kinds.output, offset: 2, payload: bytes("l") }));
	await until("$ l");
	first.terminate();
	const second = await server.next();
	const again = inbox(second);
	greet(second, 1);
	expect((await next(again, kinds.ack)).offset).toBe(3);
	expect([...(await next(again, kinds.resize)).payload]).toEqual([0, 118, 0, 34]);
	expect(await next(again, kinds.input)).toEqual({ kind: kinds.input, offset: 1, payload: bytes("s") });
	second.send(encode({ kind: kinds.output, offset: 0, payload: bytes("$ ls") }));
	await until("$ ls");
	expect(links).toContain("lost");
	expect(links.at(-1)).toBe("open");
});

test("an exit ends it for good, with its code", async () => {
	const { ended, links } = dial();
	const socket = await server.next();
	socket.send(encode({ kind: kinds.exit, offset: 0, payload: new Uint8Array([0, 0, 0, 7]) }));
	expect(await ended).toBe(7);
	expect(links.at(-1)).toBe("over");
});

test("a session that is over at the console is not dialled again", async () => {
	const { links, over } = dial(async () => false);
	const socket = await server.next();
	await inbox(socket).take();
	socket.close();
	await over;
	expect(links).toEqual(["open", "lost", "over"]);
});

test.each([
	["is left for another", (wire: Wire) => wire.close()],
	["is closed", () => window.dispatchEvent(new Event("pagehide"))],
])("a page that %s says so", async (_, leave) => {
	const { wire } = dial();
	const first = await server.next();
	await inbox(first).take();
	const left = new Promise<number>((then) => first.once("close", then));
	leave(wire);
	expect(await left).toBe(1000);
});

test("a session that another page has taken is not dialled again", async () => {
	const { links, over } = dial();
	const socket = await server.next();
	await inbox(socket).take();
	socket.close(4000);
	await over;
	expect(links).toEqual(["open", "elsewhere"]);
});

test("a large paste arrives whole over two links, with the keys behind it; a larger one is refused", async () => {
	const { wire, refusals } = dial();
	const first = await server.next();
	let box = inbox(first);
	const paste = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
	wire.input(paste);
	wire.input(bytes("\r"));
	wire.input(new Uint8Array(1024 * 1024));
	expect(refusals()).toBe(1);
	const got: number[] = [];
	const takeIn = async (socket: typeof first, until: number) => {
		while (got.length < until) {
			const { offset, payload } = await next(box, kinds.input);
			expect(offset).toBe(got.length);
			got.push(...payload);
			greet(socket, got.length);
		}
	};
	greet(first, 0);
	await takeIn(first, 100_000);
	first.terminate();
	const second = await server.next();
	box = inbox(second);
	greet(second, got.length);
	await takeIn(second, 200_001);
	expect(Buffer.compare(Uint8Array.from(got.slice(0, 200_000)), paste)).toBe(0);
	expect(got.length).toBe(200_001);
});
