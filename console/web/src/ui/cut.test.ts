import { beforeAll, expect, test } from "vitest";
import { titleCutTexts } from "./cut";

beforeAll(() => titleCutTexts(document));

function place(text: string, width: number, room: number, title?: string): HTMLElement {
	const span = document.createElement("span");
	span.className = "cut";
	span.textContent = text;
	if (title) span.title = title;
	Object.defineProperty(span, "scrollWidth", { value: width, configurable: true });
	Object.defineProperty(span, "clientWidth", { value: room });
	document.body.append(span);
	return span;
}
const over = (element: HTMLElement) => element.dispatchEvent(new Event("pointerover", { bubbles: true }));

test("what is cut has its whole text as a title, what is not has none, and a title of its own stays", () => {
	const long = place("Bożena Kowalska-Wiśniewska", 200, 90);
	const short = place("Ewa Maj", 50, 90);
	const own = place("LAP-KRK-0142", 200, 90, "Maria Nowak");
	for (const one of [long, short, own]) over(one);
	expect([long.title, short.title, own.title]).toEqual(["Bożena Kowalska-Wiśniewska", "", "Maria Nowak"]);
});

test("a title follows the text, and goes when there is room", () => {
	const name = place("first, and long", 200, 90);
	over(name);
	name.textContent = "second, and long";
	over(name);
	expect(name.title).toBe("second, and long");
	Object.defineProperty(name, "scrollWidth", { value: 40 });
	over(name);
	expect(name.title).toBe("");
});
