import { expect, test } from "vitest";
import { decode, encode, exitCode, Incoming, kinds, Outgoing, resize } from "./frames";

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

test("input is kept until the far end has it", () => {
	const outgoing = new Outgoing();
	expect(outgoing.send(bytes("ls"))).toMatchObject({ offset: 0 });
	expect(outgoing.send(bytes("\r"))).toMatchObject({ offset: 2 });
	outgoing.acked(1);
	expect(outgoing.again()).toEqual({ kind: kinds.input, offset: 1, payload: bytes("s\r") });
	outgoing.acked(0);
	outgoing.acked(3);
	expect(outgoing.again()).toBeNull();
	expect(outgoing.send(bytes("x"))).toMatchObject({ offset: 3 });
});

test("more than 64 KiB on the way is held back", () => {
	const outgoing = new Outgoing();
	expect(outgoing.send(new Uint8Array(64 * 1024))).not.toBeNull();
	expect(outgoing.send(bytes("x"))).toBeNull();
	outgoing.acked(1);
	expect(outgoing.send(bytes("x"))).not.toBeNull();
});
