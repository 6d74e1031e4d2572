/** The screen of a terminal, live or replayed: xterm.js with our colours and nothing that leaves the page. */
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";

const colours = {
	black: "#2a2c31",
	red: "#f7938b",
	green: "#8fd0a8",
	yellow: "#e8b85c",
	blue: "#9fb8e8",
	magenta: "#c6a6ea",
	cyan: "#86cfd2",
	white: "#d6d4cf",
	brightBlack: "#8b8d94",
	brightRed: "#ffb0a9",
	brightGreen: "#a9e2bf",
	brightYellow: "#f3cf86",
	brightBlue: "#b9cdf4",
	brightMagenta: "#d9c2f3",
	brightCyan: "#a6e0e2",
	brightWhite: "#ffffff",
};

export function newScreen(box: HTMLElement, options: { columns?: number; rows?: number; still?: boolean }): Terminal {
	const style = getComputedStyle(box);
	const role = (name: string) => {
		box.style.color = `var(--${name})`;
		const found = style.color;
		box.style.color = "";
		return found;
	};
	const background = role("term");
	return new Terminal({
		cols: options.columns ?? 100,
		rows: options.rows ?? 30,
		fontFamily: style.getPropertyValue("--mono"),
		fontSize: 12.5,
		lineHeight: 1.15,
		cursorBlink: false,
		minimumContrastRatio: 4.5,
		cursorInactiveStyle: options.still ? "none" : "outline",
		disableStdin: !!options.still,
		scrollback: 5000,
		macOptionIsMeta: false,
		theme: {
			background,
			foreground: role("term-ink"),
			cursor: role("term-ink"),
			cursorAccent: background,
			selectionBackground: "#5b6f9f80",
			...colours,
		},
		// A link that a machine printed is text: it is not followed from here.
		linkHandler: { activate: () => {} },
	});
}
