/** The socket of one terminal: keeps it open, dials again when the link is lost, and says how it stands. */
import { decode, encode, exitCode, type Frame, Incoming, kinds, Outgoing, resize } from "./frames";

export type Link = "connecting" | "open" | "lost" | "over" | "elsewhere";

export type Ends = {
	/** New bytes for the screen; `done` is called when they are on it. */
	output: (bytes: Uint8Array, done: () => void) => void;
	exit: (code: number) => void;
	notice: (text: string) => void;
	/** Input was refused, all of it: too much waits already. */
	refused: () => void;
	/** `since` is when the link was lost (ms), while it is. */
	link: (link: Link, since?: number) => void;
	/** Asked when the socket closes: whether the session itself goes on. */
	goesOn: () => Promise<boolean>;
};

const ACK_EVERY = 50;
/** How long one try may take to come through, ms. The first one waits for the machine, this not. */
const TRY = 10_000;

/** Why a socket closes: 1000 says that this page leaves, and the console ends the session; another page has taken it. */
const LEFT = 1000;
const TAKEN = 4000;

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
	private tryTimer: ReturnType<typeof setTimeout> | undefined;
	private readonly leave = () => this.close();

	constructor(
		private readonly address: string,
		private readonly ends: Ends,
	) {
		window.addEventListener("pagehide", this.leave);
		this.open();
	}

	input(bytes: Uint8Array): void {
		if (this.outgoing.add(bytes)) this.flush();
		else this.ends.refused();
	}

	resize(columns: number, rows: number): void {
		this.size = [columns, rows];
		this.put(resize(columns, rows));
	}

	/** The page is done with the session, which ends. */
	close(): void {
		this.over = true;
		window.removeEventListener("pagehide", this.leave);
		for (const timer of [this.ackTimer, this.retryTimer, this.tryTimer]) clearTimeout(timer);
		this.socket?.close(LEFT);
	}

	private flush(): void {
		if (this.socket?.readyState !== WebSocket.OPEN) return;
		for (let frame = this.outgoing.next(); frame; frame = this.outgoing.next()) this.put(frame);
	}

	private put(frame: Frame): void {
		if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(encode(frame));
	}

	private open(): void {
		const socket = new WebSocket(this.address);
		socket.binaryType = "arraybuffer";
		this.socket = socket;
		if (this.lostAt !== undefined) this.tryTimer = setTimeout(() => socket.close(), TRY);
		socket.onopen = () => {
			clearTimeout(this.tryTimer);
			this.tries = 0;
			this.lostAt = undefined;
			this.put(this.incoming.ack());
			if (this.size) this.put(resize(...this.size));
			this.outgoing.again();
			this.ends.link("open");
		};
		socket.onmessage = (event) => {
			if (event.data instanceof ArrayBuffer) this.receive(event.data);
		};
		socket.onclose = (event) => void this.closed(socket, event.code);
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
		if (frame.kind === kinds.ack) {
			this.outgoing.acked(frame.offset);
			this.flush();
		}
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

	private async closed(socket: WebSocket, code: number): Promise<void> {
		if (this.over || this.socket !== socket) return;
		clearTimeout(this.tryTimer);
		if (code === TAKEN) {
			this.over = true;
			this.ends.link("elsewhere");
			return;
		}
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
