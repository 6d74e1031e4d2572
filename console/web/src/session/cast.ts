/**
 * Recordings in the asciicast v2 format: a header and one line for each event.
 * `Player` is the clock of a replay; it knows nothing of a screen.
 */
export type Event = { at: number; kind: "o" | "r"; data: string };
export type Cast = { columns: number; rows: number; events: Event[]; seconds: number };

/** Reads a recording; a torn last line, as after a crash, is left out. Pauses longer than `longest` seconds are cut to it. */
export function parse(text: string, longest = Number.POSITIVE_INFINITY): Cast {
	const lines = text.split("\n");
	const header = JSON.parse(lines[0] ?? "");
	if (header.version !== 2) throw new Error(`a recording of version ${header.version}; only version 2 can be replayed`);
	const events: Event[] = [];
	let before = 0;
	let at = 0;
	for (const line of lines.slice(1)) {
		if (!line) continue;
		let event: unknown;
		try {
			event = JSON.parse(line);
		} catch {
			break;
		}
		if (!Array.isArray(event)) continue;
		const [time, kind, data] = event as [number, string, string];
		at += Math.min(longest, Math.max(0, time - before));
		before = time;
		if (kind === "o" || kind === "r") events.push({ at, kind, data: String(data) });
	}
	return { columns: header.width ?? 80, rows: header.height ?? 24, events, seconds: at };
}

export type Screen = {
	write: (data: string) => void;
	size: (columns: number, rows: number) => void;
	clear: () => void;
};

export class Player {
	/** Seconds into the recording. */
	at = 0;
	speed = 1;
	private next = 0;

	constructor(
		readonly cast: Cast,
		private readonly screen: Screen,
	) {
		this.seek(0);
	}

	/** Moves the clock on by real seconds; returns false at the end. */
	advance(seconds: number): boolean {
		this.show(Math.min(this.cast.seconds, this.at + seconds * this.speed));
		return this.at < this.cast.seconds;
	}

	/** Goes to a moment; backwards, the screen is drawn again from the start. */
	seek(to: number): void {
		if (to < this.at || this.next === 0) {
			this.next = 0;
			this.screen.clear();
			this.screen.size(this.cast.columns, this.cast.rows);
		}
		this.show(Math.max(0, Math.min(this.cast.seconds, to)));
	}

	private show(to: number): void {
		let text = "";
		for (let event = this.cast.events[this.next]; event && event.at <= to; event = this.cast.events[++this.next]) {
			if (event.kind === "o") text += event.data;
			else {
				const size = /^(\d+)x(\d+)$/.exec(event.data);
				if (!size) continue;
				if (text) this.screen.write(text);
				text = "";
				this.screen.size(Number(size[1]), Number(size[2]));
			}
		}
		if (text) this.screen.write(text);
		this.at = to;
	}
}
