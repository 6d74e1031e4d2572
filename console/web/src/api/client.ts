/**
 * The one client of the console's API. `call` unwraps an answer or throws a
 * `Failure` that holds the problem document; nothing else looks at a response.
 */
import createClient from "openapi-fetch";
import type { paths } from "./schema";
import type { List, Problem } from "./types";

export const base = "/api/v1";

export const api = createClient<paths>({
	baseUrl: base,
	querySerializer: { array: { style: "form", explode: false } },
});

const nameOf = (location: string) => location.replace(/^(body|query|path)\.?/, "");

/** Why a call did not do what was asked. `status` is 0 when the console could not be reached. */
export class Failure extends Error {
	constructor(
		readonly status: number,
		readonly problem: Partial<Problem>,
	) {
		super(problem.detail || problem.title || `status ${status}`);
		this.name = "Failure";
	}
	get code(): string {
		return this.problem.code ?? "";
	}
	/** The row as it is now, when a write came too late (409). */
	get current(): unknown {
		return this.problem.current;
	}
	/** What is wrong with each field of the body, by its name: {title: "is empty"}. */
	get fields(): Record<string, string> {
		const found: Record<string, string> = {};
		for (const error of this.problem.errors ?? []) found[nameOf(error.location)] ??= error.message;
		return found;
	}
	/** The same failure with those fields alone that are not among `fields`; undefined where there are none. */
	elsewhere(fields: readonly string[]): Failure | undefined {
		const errors = (this.problem.errors ?? []).filter((error) => !fields.includes(nameOf(error.location)));
		return errors.length > 0 ? new Failure(this.status, { ...this.problem, errors }) : undefined;
	}
}

type Answer<T> = { data?: T; error?: unknown; response: Response };

let signedOut: () => void = () => {};
/** Told once by the application: what to do when the console no longer knows this browser. */
export function onSignedOut(then: () => void): void {
	signedOut = then;
}

/** An address that nothing can have, such as /tickets/nope, is refused for its form: there is nothing there. */
const isNowhere = (problem: Partial<Problem>) =>
	problem.errors?.some(({ location }) => location === "path.id") ?? false;

/** Awaits a request of the typed client; throws a Failure unless it succeeded. */
export async function call<T>(request: Promise<Answer<T>>): Promise<T> {
	const answer = await request.catch((reason: unknown) => {
		if (reason instanceof DOMException && reason.name === "AbortError") throw reason;
		throw new Failure(0, { code: "unreachable", detail: String(reason) });
	});
	if (!answer.response.ok) {
		const problem = answer.error && typeof answer.error === "object" ? (answer.error as Partial<Problem>) : {};
		if (answer.response.status === 401 && problem.code !== "sign_in_failed") signedOut();
		throw new Failure(isNowhere(problem) ? 404 : answer.response.status, problem);
	}
	return answer.data as T;
}

/** The rows of an answer that may come as a list or as a page of one. */
export function rows<T>(answer: T[] | Pick<List<T>, "items"> | null | undefined): T[] {
	return Array.isArray(answer) ? answer : (answer?.items ?? []);
}

/** The address of a WebSocket of the console. */
export function socketAddress(path: string): string {
	return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${base}${path}`;
}
