/**
 * What can be done from any page and lies over it: run a script, connect, note a
 * call, open a ticket. The pages ask; the application, which knows every part,
 * opens the dialog. So that no feature has to know another.
 */
import { createContext, useContext } from "react";

export type RunWish = { machine: string; ticket?: string; script?: string; dry?: boolean };
export type ConnectWish = { machine: string; ticket?: string };
export type TicketWish = { machine?: string; says?: string };

export type Acts = {
	run: (wish: RunWish) => void;
	connect: (wish: ConnectWish) => void;
	ticket: (wish?: TicketWish) => void;
	call: () => void;
	palette: (first?: string) => void;
	keys: () => void;
};

const nothing = () => {};
export const ActsContext = createContext<Acts>({
	run: nothing,
	connect: nothing,
	ticket: nothing,
	call: nothing,
	palette: nothing,
	keys: nothing,
});
export const useActs = () => useContext(ActsContext);
