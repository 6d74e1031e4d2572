import { QueryClient } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { apply, keysOf } from "./cache";
import { call, Failure, onSignedOut, rows } from "./client";

const answer = (status: number, error: unknown) =>
	Promise.resolve({ error, response: new Response(null, { status: status === 204 ? 204 : status }) });

/** The failure that a call must end in. */
async function failed(request: Parameters<typeof call>[0]): Promise<Failure> {
	const reason = await call(request).then(
		() => undefined,
		(why: unknown) => why,
	);
	expect(reason).toBeInstanceOf(Failure);
	return reason as Failure;
}

afterEach(() => onSignedOut(() => {}));

test("a problem document becomes a failure that names its fields", async () => {
	const problem = {
		status: 422,
		code: "invalid",
		title: "Unprocessable",
		detail: "two fields do not read",
		errors: [
			{ location: "body.title", message: "is empty" },
			{ location: "body.parameters.days", message: "at most 90", value: 100 },
		],
	};
	const failure = await failed(answer(422, problem));
	expect(failure).toBeInstanceOf(Failure);
	expect(failure.message).toBe("two fields do not read");
	expect(failure.fields).toEqual({ title: "is empty", "parameters.days": "at most 90" });
});

test("an address that nothing can have is one where nothing is", async () => {
	const form = { detail: "validation failed", errors: [{ location: "path.id", message: "invalid UUID length: 4" }] };
	expect((await failed(answer(422, form))).status).toBe(404);
});

test("a conflict carries the row as it is now", async () => {
	const failure = await failed(answer(409, { code: "conflict", current: { version: 4 } }));
	expect(failure.current).toEqual({ version: 4 });
});

test("an answer that is no problem document is still a failure with its status", async () => {
	const failure = await failed(answer(502, "<html>"));
	expect([failure.status, failure.code, failure.fields]).toEqual([502, "", {}]);
});

test("a console that cannot be reached is status 0, a stopped request is not a failure", async () => {
	const unreachable = await failed(Promise.reject(new TypeError("network")));
	expect(unreachable.status).toBe(0);
	const stopped = await call(Promise.reject(new DOMException("", "AbortError"))).catch((reason): unknown => reason);
	expect(stopped).not.toBeInstanceOf(Failure);
});

test("only a forgotten sign-in signs out, a wrong password does not", async () => {
	const out = vi.fn();
	onSignedOut(out);
	await call(answer(401, { code: "sign_in_failed" })).catch(() => {});
	expect(out).not.toHaveBeenCalled();
	await call(answer(401, { code: "signed_out" })).catch(() => {});
	expect(out).toHaveBeenCalledOnce();
});

test("rows of a list and of a bare array", () => {
	expect(rows([1, 2])).toEqual([1, 2]);
	expect(rows({ items: [3] })).toEqual([3]);
	expect(rows(undefined)).toEqual([]);
});

test("a change makes the queries that show it old, and no others", () => {
	const client = new QueryClient();
	for (const key of [
		["machine", "a"],
		["machine", "a", "facts"],
		["machine", "b"],
		["machine-counts"],
		["machines", {}],
		["ticket", "t"],
		["tickets", {}],
		["settings"],
	])
		client.setQueryData(key, 1);
	apply(client, [{ kind: "machine", id: "a" }]);
	const old = () =>
		client
			.getQueryCache()
			.getAll()
			.filter((query) => query.state.isInvalidated)
			.map((query) => JSON.stringify(query.queryKey));
	expect(old().sort()).toEqual(['["machine","a","facts"]', '["machine","a"]', '["machine-counts"]'].sort());
	apply(client, [{ kind: "ticket", id: "t" }]);
	expect(old()).toContain('["ticket","t"]');
	expect(old()).not.toContain('["tickets",{}]');
	apply(client, "everything");
	expect(old()).toHaveLength(8);
});

test("every kind of change is known", () => {
	for (const kind of ["machine", "alert", "ticket", "run", "question", "session", "check", "settings"] as const)
		expect(keysOf({ kind, id: "x" }).length).toBeGreaterThan(0);
});
