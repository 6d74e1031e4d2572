import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider, Menu, Modal } from "@mantine/core";
import { fireEvent, render, renderHook, screen } from "@testing-library/react";
import { useState } from "react";
import { flushSync } from "react-dom";
import { beforeEach, expect, test, vi } from "vitest";
import { boundKeys, type Key, setKeysOn, setOverlaid, useKeys } from "./keyboard";

const key = (keys: string, run: () => void, more: Partial<Key> = {}): Key => ({ keys, does: "key.open", run, ...more });
const press = (name: string, init: KeyboardEventInit = {}, target: Element = document.body) =>
	fireEvent.keyDown(target, { key: name, ...init });

beforeEach(() => {
	setKeysOn(true);
	setOverlaid(false);
});

test("a letter does what its button does, until the page is left", () => {
	const run = vi.fn();
	const { unmount } = renderHook(() => useKeys([key("t", run)]));
	press("t");
	expect(run).toHaveBeenCalledOnce();
	unmount();
	press("t");
	expect(run).toHaveBeenCalledOnce();
});

test("AltGr and Ctrl Alt with a letter are never taken: they type ą, ć, ę, ł, ń, ó, ś, ź, ż", () => {
	const run = vi.fn();
	renderHook(() => useKeys(["a", "c", "e", "l", "n", "o", "s", "x", "z", "ą", "ó"].map((letter) => key(letter, run))));
	for (const letter of ["a", "c", "e", "l", "n", "o", "s", "x", "z"]) {
		press(letter, { ctrlKey: true, altKey: true });
		press(letter, { altKey: true });
		const typed = new KeyboardEvent("keydown", { key: letter, bubbles: true });
		Object.defineProperty(typed, "getModifierState", { value: (name: string) => name === "AltGraph" });
		document.body.dispatchEvent(typed);
	}
	press("ą", { ctrlKey: true, altKey: true });
	expect(run.mock.calls.length).toBe(0);
});

test("letters sleep in fields and terminals, keys that are meant for fields do not", () => {
	const letter = vi.fn();
	const palette = vi.fn();
	renderHook(() => useKeys([key("t", letter), key("Ctrl k", palette, { inFields: true })]));
	render(
		<>
			<input aria-label="name" />
			<textarea aria-label="words" />
			<div data-keys="asleep">
				<button type="button">inside</button>
			</div>
		</>,
	);
	for (const target of [screen.getByLabelText("name"), screen.getByLabelText("words"), screen.getByText("inside")]) {
		press("t", {}, target);
		press("k", { ctrlKey: true }, target);
	}
	expect(letter).not.toHaveBeenCalled();
	expect(palette).toHaveBeenCalledTimes(3);
});

test("two letters in a row go somewhere, the second alone does its own", () => {
	const queue = vi.fn();
	const other = vi.fn();
	renderHook(() => useKeys([key("g q", queue), key("q", other)]));
	press("g");
	press("q");
	press("q");
	expect([queue.mock.calls.length, other.mock.calls.length]).toEqual([1, 1]);
});

test("the page's own key wins over that of the frame", () => {
	const frame = vi.fn();
	const page = vi.fn();
	renderHook(() => useKeys([key("n", frame)]));
	renderHook(() => useKeys([key("n", page)]));
	press("n");
	expect([frame.mock.calls.length, page.mock.calls.length]).toEqual([0, 1]);
	expect(boundKeys().flat()).toHaveLength(1);
});

test("under a dialog the page's keys sleep, also while the dialog is still being loaded", () => {
	const page = vi.fn();
	const dialog = vi.fn();
	renderHook(() => useKeys([key("t", page)]));
	renderHook(() => useKeys([key("Ctrl Enter", dialog)], { dialog: true }));
	setOverlaid(true);
	press("t");
	press("Enter", { ctrlKey: true });
	expect([page.mock.calls.length, dialog.mock.calls.length]).toEqual([0, 1]);
});

function Page({ back, over }: { back: () => void; over: "dialog" | "menu" }) {
	useKeys([key("Escape", back)]);
	const [open, setOpen] = useState(true);
	// Between two listeners a browser lets React draw; a test has to say so.
	const close = () => flushSync(() => setOpen(false));
	return over === "dialog" ? (
		<Modal opened={open} onClose={close} title="Over" transitionProps={{ duration: 0 }}>
			<button type="button">inside</button>
		</Modal>
	) : (
		<Menu opened={open} onClose={close} transitionProps={{ duration: 0 }}>
			<Menu.Target>
				<button type="button">target</button>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.Item>inside</Menu.Item>
			</Menu.Dropdown>
		</Menu>
	);
}

test.each(["dialog", "menu"] as const)("Esc closes the %s alone, the next one leaves the page", (over) => {
	const back = vi.fn();
	render(
		<I18nProvider i18n={i18n}>
			<MantineProvider env="test">
				<Page back={back} over={over} />
			</MantineProvider>
		</I18nProvider>,
	);
	press("Escape", {}, screen.getByText("inside"));
	expect(screen.queryByText("inside")).toBeNull();
	expect(back).not.toHaveBeenCalled();
	press("Escape");
	expect(back).toHaveBeenCalledOnce();
});

test("single letters can be switched off; Enter on a button stays the button's", () => {
	const letter = vi.fn();
	const enter = vi.fn();
	renderHook(() => useKeys([key("t", letter), key("Enter", enter)]));
	render(<button type="button">press</button>);
	setKeysOn(false);
	press("t");
	press("Enter", {}, screen.getByText("press"));
	expect([letter.mock.calls.length, enter.mock.calls.length]).toEqual([0, 0]);
	press("Enter");
	expect(enter).toHaveBeenCalledOnce();
});
