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
			link: (link) => {
				links.push(link);
				if (link === "over") tellOver();
			},
			goesOn,
		});
	});
	const until = (wanted: string) =>
		new Promise<void>((then) => (shown === wanted ? then() : waiting.push({ wanted, then })));
	return { wire: wire as Wire, links, until, ended, over };
}

/** The next frame of a kind; others are passed over. */
async function next(box: { take: () => Promise<Buffer> }, kind: number): Promise<Frame> {
	for (;;) {
		const one = frame(await box.take());
		if (one.kind === kind) return one;
	}
}

test("a lost link loses nothing and doubles nothing", async () => {
	const { wire, links, until } = dial();
	const first = await server.next();
	const box = inbox(first);
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
