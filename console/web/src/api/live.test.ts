import { afterEach, beforeEach, expect, test } from "vitest";
import { inbox, type Listener, listen } from "../test/sockets";
import { type Change, Live, type LiveVitals } from "./live";

let server: Listener;
let live: Live;
const heard: (Change[] | "everything")[] = [];
beforeEach(async () => {
	server = await listen();
	live = new Live(() => server.url);
	heard.length = 0;
});
afterEach(async () => {
	live.stop();
	await server.close();
});

const change = () =>
	new Promise<Change[] | "everything">((then) => {
		const stop = live.onChanges((changes) => {
			heard.push(changes);
			stop();
			then(changes);
		});
	});
const status = (wanted: string) =>
	new Promise<void>((then) => {
		if (live.status === wanted) return then();
		const stop = live.subscribe(() => {
			if (live.status !== wanted) return;
			stop();
			then();
		});
	});

test("tells what changed, and skips what it does not understand", async () => {
	live.start();
	const socket = await server.next();
	await status("open");
	const next = change();
	socket.send("not json");
	socket.send(JSON.stringify({ news: 1 }));
	socket.send(JSON.stringify({ changes: [{ kind: "machine", id: "a" }] }));
	expect(await next).toEqual([{ kind: "machine", id: "a" }]);
});

test("after a reconnect everything may have changed", async () => {
	live.start();
	const first = await server.next();
	await status("open");
	const next = change();
	first.terminate();
	await server.next();
	expect(await next).toBe("everything");
	expect(live.status).toBe("open");
});

test("names a watched machine once for two readers, again after a reconnect, and lets it go with the last", async () => {
	live.start();
	const socket = await server.next();
	const box = inbox(socket);
	await status("open");
	const got: LiveVitals[] = [];
	const received = new Promise<void>((then) => {
		live.watch("m1", (vitals) => {
			got.push(vitals);
			then();
		});
	});
	const stop = live.watch("m1", () => {});
	expect(JSON.parse(String(await box.take()))).toEqual({ watch: "m1" });
	socket.send(JSON.stringify({ live: { machine_id: "m1", at: "2026-11-20T10:00:00Z", series: [] } }));
	socket.send(JSON.stringify({ live: { machine_id: "other", at: "2026-11-20T10:00:00Z", series: [] } }));
	await received;
	expect(got).toHaveLength(1);
	stop();
	const again = server.next();
	socket.terminate();
	expect(JSON.parse(String(await inbox(await again).take()))).toEqual({ watch: "m1" });
});
