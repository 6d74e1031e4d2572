import { expect, test } from "vitest";
import type { Ticket } from "../api/types";
import { before, changeEach } from "./bulk";
import type { TicketChange } from "./queries";

const ticket = (id: string, more: Partial<Ticket> = {}) =>
	({ id, version: 1, state: "open", assignee: null, hold_reason: null, ...more }) as Ticket;

test("one ticket that cannot be changed does not keep the others back, and is named", async () => {
	const steps: number[] = [];
	const { changed, failed } = await changeEach(
		[ticket("a"), ticket("b"), ticket("c")],
		() => ({ state: "on_hold", hold_reason: "vendor" }),
		(one) => (one.id === "b" ? Promise.reject(new Error("changed meanwhile")) : Promise.resolve(ticket(one.id))),
		(done) => steps.push(done),
	);
	expect(changed.map(({ fresh }) => fresh.id)).toEqual(["a", "c"]);
	expect(failed.map((f) => [f.ticket.id, String(f.reason)])).toEqual([["b", "Error: changed meanwhile"]]);
	expect(steps).toEqual([1, 2, 3]);
});

test("each is changed with the version that was seen, one after the other", async () => {
	const seen: [string, number, TicketChange][] = [];
	let under = 0;
	await changeEach(
		[ticket("a", { version: 4 }), ticket("b", { version: 9, state: "new" })],
		(one) => (one.state === "new" ? { state: "open" } : {}),
		async (one, change) => {
			expect(++under).toBe(1);
			await Promise.resolve();
			under--;
			seen.push([one.id, one.version, change]);
			return one;
		},
		() => {},
	);
	expect(seen).toEqual([
		["a", 4, {}],
		["b", 9, { state: "open" }],
	]);
});

test("what is taken back is who had it, and what it waited for", () => {
	expect(before(ticket("a", { assignee: { id: "e", kind: "technician", name: "Ewa" } }))).toEqual({
		assignee_id: "e",
		state: "open",
	});
	expect(before(ticket("a", { state: "on_hold", hold_reason: "vendor" }))).toEqual({
		assignee_id: null,
		state: "on_hold",
		hold_reason: "vendor",
	});
	expect(before(ticket("a", { state: "new" })).state).toBe("open");
});
