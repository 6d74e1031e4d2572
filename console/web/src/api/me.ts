/** Who is signed in, and what that person may do. What one may not do is absent from a page, not grey. */
import { createContext, useContext } from "react";
import type { Me } from "./types";

export type Right =
	| "machine.read"
	| "machine.enrol"
	| "ticket.read"
	| "ticket.write"
	| "run.start"
	| "session.open"
	| "session.replay"
	| "question.ask"
	| "group.write"
	| "check.write"
	| "settings.write"
	| "people.write"
	| "audit.read"
	| "node.read";

export const MeContext = createContext<Me | null>(null);

/** The person who is signed in. Only pages of the console, which need one, may ask. */
export function useMe(): Me {
	const me = useContext(MeContext);
	if (!me) throw new Error("useMe: nobody is signed in on this page");
	return me;
}

export function useCan(): (right: Right) => boolean {
	const me = useContext(MeContext);
	return (right) => me?.rights.includes(right) ?? false;
}
