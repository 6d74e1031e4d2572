/**
 * Keys. Single letters do what the button beside them does. They sleep in text
 * fields and terminals and while a dialog lies over the page. The character that
 * was typed counts, not the place of the key; a letter with Ctrl+Alt or AltGr is
 * never taken, since that is how Polish letters are typed.
 */
import { useEffect, useRef, useSyncExternalStore } from "react";
import type { MessageId } from "../i18n";

/** `keys` is one character ("j", "?", "Enter"), a sequence ("g q"), or with Ctrl: "Ctrl k". */
export type Key = { keys: string; does: MessageId; run: (event: KeyboardEvent) => void; inFields?: boolean };
type Scope = { keys: Key[]; dialog: boolean };

const scopes: { current: Scope }[] = [];
const listeners = new Set<() => void>();
const SEQUENCE = 1500;
const STORED = "deskside-keys";
let overlaid = false;
let covered = false;
let pending = "";
let pendingSince = 0;

export function keysAreOn(): boolean {
	return localStorage.getItem(STORED) !== "off";
}
export function setKeysOn(on: boolean): void {
	localStorage.setItem(STORED, on ? "on" : "off");
	for (const then of listeners) then();
}
export function useKeysAreOn(): boolean {
	return useSyncExternalStore((then) => {
		listeners.add(then);
		return () => listeners.delete(then);
	}, keysAreOn);
}

/** Told when something is about to lie over the page, so that keys sleep while it is still being loaded. */
export function setOverlaid(on: boolean): void {
	overlaid = on;
}

/**
 * A key belongs to what lies over the page when it goes down: Esc closes a dialog or a menu before
 * `handle` hears of it, and the page below must not take the same key for its own.
 */
function look(): void {
	covered = overlaid || document.querySelector("[role=dialog][aria-modal=true],[role=menu]") !== null;
}

function isField(target: EventTarget | null): boolean {
	if (!(target instanceof HTMLElement)) return false;
	if (target.isContentEditable || target.closest("[data-keys=asleep]")) return true;
	if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "range"].includes(target.type);
	return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** The name of what was pressed, or "" for what is never ours. */
export function nameOf(event: KeyboardEvent): string {
	if (event.isComposing || event.metaKey || event.altKey || event.getModifierState?.("AltGraph")) return "";
	const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
	if (event.ctrlKey) return event.shiftKey ? `Ctrl Shift ${key === " " ? "Space" : key}` : `Ctrl ${key}`;
	return event.shiftKey && event.key.length > 1 ? `Shift ${key}` : key;
}

/** A key that already belongs to what has the focus: Enter and Space press a button, arrows move in a menu. */
function belongsToFocus(event: KeyboardEvent, name: string): boolean {
	const target = event.target as HTMLElement | null;
	if (!target?.closest) return false;
	if (name === "Enter" || name === " ") return !!target.closest("a,button,[role=menuitem],[role=option],summary");
	return name.startsWith("Arrow") && !!target.closest("[role=menu],[role=listbox],[role=slider],input");
}

function find(name: string, dialog: boolean, field: boolean): Key | undefined {
	for (const scope of [...scopes].reverse()) {
		if (dialog && !scope.current.dialog) continue;
		const key = scope.current.keys.find((k) => k.keys === name);
		if (key && (!field || key.inFields)) return key;
	}
	return undefined;
}

export function handle(event: KeyboardEvent): void {
	const name = nameOf(event);
	if (!name || event.defaultPrevented || ["Shift", "Control"].includes(event.key)) return;
	const field = isField(event.target);
	const single = name.length === 1;
	if (single && !field && !keysAreOn() && name !== "?") return;
	const fresh = pending && Date.now() - pendingSince < SEQUENCE;
	const sequence = fresh && single ? find(`${pending} ${name}`, covered, field) : undefined;
	pending = "";
	const key = sequence ?? (belongsToFocus(event, name) ? undefined : find(name, covered, field));
	if (key) {
		event.preventDefault();
		key.run(event);
	} else if (
		single &&
		!field &&
		scopes.some((scope) => scope.current.keys.some((k) => k.keys.startsWith(`${name} `)))
	) {
		pending = name;
		pendingSince = Date.now();
	}
}

// Here and not with the first keys: it must be before the dialogs' own listeners on the window.
window.addEventListener("keydown", look, true);
document.addEventListener("keydown", handle);

/** Binds keys while the component is on the page. `dialog` keys work over an open dialog. */
export function useKeys(keys: Key[], options: { dialog?: boolean } = {}): void {
	const scope = useRef<Scope>({ keys, dialog: !!options.dialog });
	scope.current = { keys, dialog: !!options.dialog };
	useEffect(() => {
		scopes.push(scope);
		return () => void scopes.splice(scopes.indexOf(scope), 1);
	}, []);
}

/** What `?` lists: the keys of the page first, then those that work everywhere. */
export function boundKeys(): { keys: string; does: MessageId }[][] {
	const seen = new Set<string>();
	return [...scopes]
		.reverse()
		.filter((scope) => !scope.current.dialog)
		.map((scope) => scope.current.keys.filter((k) => !seen.has(k.keys) && seen.add(k.keys)))
		.filter((keys) => keys.length > 0);
}
