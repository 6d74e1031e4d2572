/** The socket of one terminal: keeps it open, dials again when the link is lost, and says how it stands. */
import { decode, encode, exitCode, type Frame, Incoming, kinds, Outgoing, resize } from "./frames";

export type Link = "connecting" | "open" | "lost" | "over";

export type Ends = {
	/** New bytes for the screen; `done` is called when they are on it. */
	output: (bytes: Uint8Array, done: () => void) => void;
	exit: (code: number) => void;
	notice: (text: string) => void;
	/** `since` is when the link was lost (ms), while it is. */
	link: (link: Link, since?: number) => void;
	/** Asked when the socket closes: whether the session itself goes on. */
	goesOn: () => Promise<boolean>;
};

const ACK_EVERY = 50;

export class Wire {
	private socket: WebSocket | null = null;
	private incoming = new Incoming();
	private outgoing = new Outgoing();
	private size: [number, number] | null = null;
	private over = false;
	private tries = 0;
	private lostAt: number | undefined;
	private ackTimer: ReturnType<typeof setTimeout> | undefined;
	private retryTimer: ReturnType<typeof setTimeout> | undefined;

	constructor(
		private readonly address: string,
		private readonly ends: Ends,
	) {
		this.open();
	}

	input(bytes: Uint8Array): void {
		const frame = this.outgoing.send(bytes);
		if (frame) this.put(frame);
	}

	resize(columns: number, rows: number): void {
		this.size = [columns, rows];
		this.put(resize(columns, rows));
	}

	close(): void {
		this.over = true;
		clearTimeout(this.ackTimer);
		clearTimeout(this.retryTimer);
		this.socket?.close();
	}

	private put(frame: Frame): void {
		if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(encode(frame));
	}

	private open(): void {
		const socket = new WebSocket(this.address);
		socket.binaryType = "arraybuffer";
		this.socket = socket;
		socket.onopen = () => {
			this.tries = 0;
			this.lostAt = undefined;
			this.put(this.incoming.ack());
			if (this.size) this.put(resize(...this.size));
			const again = this.outgoing.again();
			if (again) this.put(again);
			this.ends.link("open");
		};
		socket.onmessage = (event) => {
			if (event.data instanceof ArrayBuffer) this.receive(event.data);
		};
		socket.onclose = () => void this.closed(socket);
	}

	private receive(message: ArrayBuffer): void {
		let frame: Frame;
		try {
			frame = decode(message);
			if (frame.kind === kinds.output) {
				const fresh = this.incoming.take(frame);
				if (fresh.length > 0) this.ends.output(fresh, () => this.consumed(fresh.length));
				return;
			}
		} catch {
			this.socket?.close();
			return;
		}
		if (frame.kind === kinds.ack) this.outgoing.acked(frame.offset);
		if (frame.kind === kinds.notice) this.ends.notice(new TextDecoder().decode(frame.payload));
		if (frame.kind === kinds.exit) {
			this.over = true;
			this.ends.exit(exitCode(frame));
			this.ends.link("over");
		}
	}

	private consumed(bytes: number): void {
		this.incoming.done(bytes);
		this.ackTimer ??= setTimeout(() => {
			this.ackTimer = undefined;
			this.put(this.incoming.ack());
		}, ACK_EVERY);
	}

	private async closed(socket: WebSocket): Promise<void> {
		if (this.over || this.socket !== socket) return;
		this.lostAt ??= Date.now();
		this.ends.link("lost", this.lostAt);
		const goesOn = await this.ends.goesOn().catch(() => true);
		if (this.over) return;
		if (!goesOn) {
			this.over = true;
			this.ends.link("over");
			return;
		}
		this.retryTimer = setTimeout(() => this.open(), Math.min(5000, 300 * 2 ** this.tries++));
	}
}
