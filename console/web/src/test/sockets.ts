/** A real WebSocket server for tests, and the browser's class to dial it with. */
import type { AddressInfo } from "node:net";
import { WebSocket as Dial, type WebSocket, WebSocketServer } from "ws";

export type Listener = { url: string; next: () => Promise<WebSocket>; close: () => Promise<void> };

export async function listen(): Promise<Listener> {
	globalThis.WebSocket = Dial as unknown as typeof globalThis.WebSocket;
	const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
	await new Promise((then) => server.once("listening", then));
	const here: WebSocket[] = [];
	const waiting: ((socket: WebSocket) => void)[] = [];
	server.on("connection", (socket) => {
		const then = waiting.shift();
		if (then) then(socket);
		else here.push(socket);
	});
	return {
		url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
		next: () => new Promise((then) => (here.length > 0 ? then(here.shift() as WebSocket) : waiting.push(then))),
		close: () =>
			new Promise((then) => {
				for (const socket of server.clients) socket.terminate();
				server.close(() => then());
			}),
	};
}

/** The messages of a socket, one after the other. */
export function inbox(socket: WebSocket): { take: () => Promise<Buffer> } {
	const here: Buffer[] = [];
	const waiting: ((data: Buffer) => void)[] = [];
	socket.on("message", (data: Buffer) => {
		const then = waiting.shift();
		if (then) then(data);
		else here.push(data);
	});
	return { take: () => new Promise((then) => (here.length > 0 ? then(here.shift() as Buffer) : waiting.push(then))) };
}
