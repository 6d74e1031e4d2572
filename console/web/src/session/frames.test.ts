import { expect, test } from "vitest";
import { decode, encode, exitCode, Incoming, kinds, MOST_KEPT, Outgoing, resize } from "./frames";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);

test("a frame is one byte kind, eight bytes offset and the payload", () => {
	const message = encode({ kind: kinds.output, offset: 258, payload: bytes("ż") });
	expect([...message]).toEqual([1, 0, 0, 0, 0, 0, 0, 1, 2, 0xc5, 0xbc]);
	expect(decode(message.buffer)).toEqual({ kind: 1, offset: 258, payload: bytes("ż") });
});

test("a size is two big-endian numbers of two bytes", () => {
	expect([...resize(300, 34).payload]).toEqual([1, 44, 0, 34]);
});

test("what is too short or too far out is refused", () => {
	expect(() => decode(new ArrayBuffer(8))).toThrow(/shorter than its head/);
	expect(() => decode(new Uint8Array([1, 0xff, 0, 0, 0, 0, 0, 0, 0]).buffer)).toThrow(/out of range/);
});

test("an exit without a code is 0", () => {
	expect(exitCode({ kind: kinds.exit, offset: 0, payload: new Uint8Array([0, 0, 0, 130]) })).toBe(130);
	expect(exitCode({ kind: kinds.exit, offset: 0, payload: new Uint8Array() })).toBe(0);
});

test("output that comes twice is taken once, a hole is an error", () => {
	const incoming = new Incoming();
	const frame = (offset: number, data: string) => ({ kind: kinds.output, offset, payload: bytes(data) });
	expect(text(incoming.take(frame(0, "abc")))).toBe("abc");
	expect(text(incoming.take(frame(1, "bcde")))).toBe("de");
	expect(text(incoming.take(frame(0, "abc")))).toBe("");
	expect(() => incoming.take(frame(9, "x"))).toThrow("4 bytes are missing");
	expect(incoming.done(3).offset).toBe(3);
	expect(incoming.taken).toBe(5);
});

test("a page that comes to a session under way begins where it is", () => {
	const incoming = new Incoming();
	expect(text(incoming.take({ kind: kinds.output, offset: 700, payload: bytes("$ ") }))).toBe("$ ");
	expect(incoming.done(2).offset).toBe(702);
	const outgoing = new Outgoing();
	expect(outgoing.add(bytes("ls"))).toBe(true);
	expect(outgoing.next()).toBeNull();
	outgoing.acked(40);
	expect(outgoing.next()).toEqual({ kind: kinds.input, offset: 40, payload: bytes("ls") });
});

/** All that may go now. */
const all = (outgoing: Outgoing) => {
	const frames = [];
	for (let frame = outgoing.next(); frame; frame = outgoing.next()) frames.push(frame);
	return frames;
};

test("input is kept until the far end has it", () => {
	const outgoing = new Outgoing();
	outgoing.acked(0);
	outgoing.add(bytes("ls"));
	expect(outgoing.next()).toMatchObject({ offset: 0 });
	outgoing.add(bytes("\r"));
	expect(outgoing.next()).toMatchObject({ offset: 2, payload: bytes("\r") });
	outgoing.acked(1);
	expect(outgoing.next()).toBeNull();
	outgoing.again();
	expect(outgoing.next()).toBeNull();
	outgoing.acked(1);
	expect(all(outgoing)).toEqual([{ kind: kinds.input, offset: 1, payload: bytes("s\r") }]);
	outgoing.acked(0);
	outgoing.acked(3);
	outgoing.again();
	outgoing.acked(3);
	expect(outgoing.next()).toBeNull();
	outgoing.add(bytes("x"));
	expect(outgoing.next()).toMatchObject({ offset: 3 });
});

test("a large paste goes in pieces, 64 KiB on the way, all of it and in order, and what is typed meanwhile behind it", () => {
	const outgoing = new Outgoing();
	outgoing.acked(0);
	const paste = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
	expect(outgoing.add(paste)).toBe(true);
	expect(outgoing.add(bytes("exit\r"))).toBe(true);
	const got = new Uint8Array(300_005);
	let at = 0;
	let most = 0;
	for (let frames = all(outgoing); frames.length > 0; frames = all(outgoing)) {
		for (const { offset, payload } of frames) {
			expect(offset).toBe(at);
			got.set(payload, at);
			at += payload.length;
		}
		most = Math.max(
			most,
			frames.reduce((sum, { payload }) => sum + payload.length, 0),
		);
		outgoing.acked(at);
	}
	expect(most).toBe(64 * 1024);
	expect(at).toBe(300_005);
	expect(text(got.subarray(300_000))).toBe("exit\r");
	expect(Buffer.compare(got.subarray(0, 300_000), paste)).toBe(0);
});

test("more than 1 MiB is refused whole, and what is kept stays", () => {
	const outgoing = new Outgoing();
	outgoing.acked(0);
	expect(outgoing.add(new Uint8Array(MOST_KEPT + 1))).toBe(false);
	expect(outgoing.next()).toBeNull();
	expect(outgoing.add(new Uint8Array(MOST_KEPT))).toBe(true);
	expect(outgoing.add(bytes("x"))).toBe(false);
	outgoing.next();
	outgoing.acked(1);
	expect(outgoing.add(bytes("x"))).toBe(true);
});
