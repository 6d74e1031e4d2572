/**
 * A session's own socket: binary frames of one byte kind, eight bytes offset
 * (big-endian) and a payload. The offset of data is the place of its first byte
 * in its direction, so that what arrives twice is dropped and what was lost is
 * sent again; nothing typed reaches the machine twice.
 */
export const kinds = { output: 1, input: 2, resize: 3, ack: 4, exit: 5, notice: 6 } as const;

export type Frame = { kind: number; offset: number; payload: Uint8Array };

const HEAD = 9;
const none = new Uint8Array();

export function encode({ kind, offset, payload }: Frame): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(HEAD + payload.length);
	bytes[0] = kind;
	new DataView(bytes.buffer).setBigUint64(1, BigInt(offset));
	bytes.set(payload, HEAD);
	return bytes;
}

/** Throws when the message is too short to be a frame or its offset is beyond what a number holds. */
export function decode(message: ArrayBuffer): Frame {
	if (message.byteLength < HEAD)
		throw new RangeError(`a frame of ${message.byteLength} bytes is shorter than its head of ${HEAD}`);
	const view = new DataView(message);
	const offset = view.getBigUint64(1);
	if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`offset ${offset} is out of range`);
	return { kind: view.getUint8(0), offset: Number(offset), payload: new Uint8Array(message, HEAD) };
}

export const resize = (columns: number, rows: number): Frame => {
	const payload = new Uint8Array(4);
	const view = new DataView(payload.buffer);
	view.setUint16(0, columns);
	view.setUint16(2, rows);
	return { kind: kinds.resize, offset: 0, payload };
};

export const exitCode = (frame: Frame) =>
	frame.payload.length >= 4 ? new DataView(frame.payload.buffer, frame.payload.byteOffset).getUint32(0) : 0;

/** What arrives: tells which part of a frame is new. */
export class Incoming {
	/** Bytes taken so far; the next new byte has this offset. */
	taken = 0;
	/** Bytes that the reader is done with; this is what is acknowledged. */
	consumed = 0;
	private begun = false;

	/**
	 * The part of a data frame that was not here yet. A hole in front of it is an error of the sender, except before the first:
	 * a page that comes to a session that is under way begins where it is.
	 */
	take({ offset, payload }: Frame): Uint8Array {
		if (!this.begun) this.taken = this.consumed = offset;
		this.begun = true;
		if (offset > this.taken) throw new RangeError(`${offset - this.taken} bytes are missing before offset ${offset}`);
		const fresh = payload.subarray(Math.min(payload.length, this.taken - offset));
		this.taken += fresh.length;
		return fresh;
	}
	done(bytes: number): Frame {
		this.consumed += bytes;
		return this.ack();
	}
	ack(): Frame {
		return { kind: kinds.ack, offset: this.consumed, payload: none };
	}
}

/** Bytes of input that wait to be acknowledged, sent or not: what one may paste at once. */
export const MOST_KEPT = 1024 * 1024;
const ON_THE_WAY = 64 * 1024;
const PIECE = 16 * 1024;

/**
 * What is sent: keeps each byte until the far end has it, to send it again after a lost link, and what is more than may be on
 * its way until there is room. Nothing goes over a new link before its first acknowledgement says what the far end has.
 */
export class Outgoing {
	private kept: Uint8Array = none;
	/** The offset of the first byte kept; unknown to a page that comes to a session that is under way. */
	private keptAt: number | undefined;
	/** How many of the bytes kept were sent over this link. */
	private sent = 0;
	private ready = false;

	/** Takes new bytes, or none of them: false when more waits already than is kept. */
	add(bytes: Uint8Array): boolean {
		if (this.kept.length + bytes.length > MOST_KEPT) return false;
		const joined = new Uint8Array(this.kept.length + bytes.length);
		joined.set(this.kept);
		joined.set(bytes, this.kept.length);
		this.kept = joined;
		return true;
	}
	/** There is a new link. */
	again(): void {
		this.sent = 0;
		this.ready = false;
	}
	/** The far end has everything before `offset`. */
	acked(offset: number): void {
		this.ready = true;
		this.keptAt ??= offset;
		const gone = Math.min(this.kept.length, Math.max(0, offset - this.keptAt));
		this.kept = this.kept.subarray(gone);
		this.keptAt += gone;
		this.sent = Math.max(0, this.sent - gone);
	}
	/** What may go now, or null. */
	next(): Frame | null {
		const end = Math.min(this.kept.length, this.sent + PIECE, ON_THE_WAY);
		if (!this.ready || this.keptAt === undefined || end <= this.sent) return null;
		const frame = { kind: kinds.input, offset: this.keptAt + this.sent, payload: this.kept.subarray(this.sent, end) };
		this.sent = end;
		return frame;
	}
}
