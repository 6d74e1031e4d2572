/**
 * Live events: one WebSocket for the page. The console says what changed, never
 * how; the rows are then fetched again. After a reconnect everything is, since
 * nobody knows what was missed. A machine that is looked at is named every ten
 * seconds, and sends its vitals about once a second meanwhile.
 */
import { useEffect, useSyncExternalStore } from "react";
import { socketAddress } from "./client";
import type { LiveValue } from "./types";

export type ChangeKind =
	| "machine"
	| "group"
	| "alert"
	| "ticket"
	| "run"
	| "question"
	| "session"
	| "check"
	| "settings"
	| "trust";
export type Change = { kind: ChangeKind; id: string };
export type LiveVitals = { machine_id: string; at: string; series: LiveValue[] };
export type Status = "connecting" | "open" | "lost";

type Message = { changes?: Change[]; everything?: boolean; live?: LiveVitals };

const WATCH_EVERY = 10_000;
const LOST_AFTER = 2_000;

export class Live {
	private socket: WebSocket | null = null;
	private stopped = true;
	private tries = 0;
	private wasOpen = false;
	private retry: ReturnType<typeof setTimeout> | undefined;
	private grace: ReturnType<typeof setTimeout> | undefined;
	private beat: ReturnType<typeof setInterval> | undefined;
	private watched = new Map<string, number>();
	private vitals = new Map<string, Set<(vitals: LiveVitals) => void>>();
	private changes = new Set<(changes: Change[] | "everything") => void>();
	private listeners = new Set<() => void>();
	status: Status = "connecting";

	constructor(private readonly address: () => string) {}

	start(): void {
		if (!this.stopped) return;
		this.stopped = false;
		this.open();
		this.beat = setInterval(() => {
			for (const id of this.watched.keys()) this.send({ watch: id });
		}, WATCH_EVERY);
	}

	stop(): void {
		this.stopped = true;
		clearTimeout(this.retry);
		clearTimeout(this.grace);
		clearInterval(this.beat);
		this.wasOpen = false;
		this.socket?.close();
		this.socket = null;
	}

	/** Calls back with what changed, or "everything". Returns the way to stop. */
	onChanges(then: (changes: Change[] | "everything") => void): () => void {
		this.changes.add(then);
		return () => this.changes.delete(then);
	}

	/** Watches a machine until the returned function is called; several may watch the same one. */
	watch(machine: string, then: (vitals: LiveVitals) => void): () => void {
		const count = this.watched.get(machine) ?? 0;
		this.watched.set(machine, count + 1);
		if (count === 0) this.send({ watch: machine });
		const set = this.vitals.get(machine) ?? new Set();
		set.add(then);
		this.vitals.set(machine, set);
		return () => {
			set.delete(then);
			const left = (this.watched.get(machine) ?? 1) - 1;
			if (left > 0) this.watched.set(machine, left);
			else {
				this.watched.delete(machine);
				this.vitals.delete(machine);
				this.send({ unwatch: machine });
			}
		};
	}

	subscribe = (then: () => void): (() => void) => {
		this.listeners.add(then);
		return () => this.listeners.delete(then);
	};

	private set(status: Status): void {
		if (this.status === status) return;
		this.status = status;
		for (const then of this.listeners) then();
	}

	private open(): void {
		const socket = new WebSocket(this.address());
		this.socket = socket;
		socket.onopen = () => {
			this.tries = 0;
			clearTimeout(this.grace);
			this.grace = undefined;
			this.set("open");
			for (const id of this.watched.keys()) this.send({ watch: id });
			if (this.wasOpen) this.tell("everything");
			this.wasOpen = true;
		};
		socket.onmessage = (event) => this.receive(String(event.data));
		socket.onclose = () => {
			if (this.stopped || this.socket !== socket) return;
			this.grace ??= setTimeout(() => this.set("lost"), LOST_AFTER);
			const wait = Math.min(15_000, 500 * 2 ** this.tries++);
			this.retry = setTimeout(() => this.open(), wait * (0.5 + Math.random() / 2));
		};
	}

	private send(message: object): void {
		if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
	}

	private tell(changes: Change[] | "everything"): void {
		for (const then of this.changes) then(changes);
	}

	private receive(data: string): void {
		let message: Message;
		try {
			message = JSON.parse(data);
		} catch {
			return;
		}
		if (message.everything) this.tell("everything");
		if (message.changes?.length) this.tell(message.changes);
		if (message.live) for (const then of this.vitals.get(message.live.machine_id) ?? []) then(message.live);
	}
}

export const live = new Live(() => socketAddress("/live"));

export function useLiveStatus(): Status {
	return useSyncExternalStore(live.subscribe, () => live.status);
}

/** Keeps a machine watched while the component is on the page and somebody can see it. */
export function useWatch(machine: string | undefined, then: (vitals: LiveVitals) => void): void {
	useEffect(() => {
		if (!machine) return;
		let stop: (() => void) | undefined;
		const follow = () => {
			if (document.visibilityState === "visible") stop ??= live.watch(machine, then);
			else {
				stop?.();
				stop = undefined;
			}
		};
		follow();
		document.addEventListener("visibilitychange", follow);
		return () => {
			document.removeEventListener("visibilitychange", follow);
			stop?.();
		};
	}, [machine, then]);
}
