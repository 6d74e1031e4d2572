/** The live terminal: keys go to the machine, what it writes comes back, and the size follows the page. */
import { FitAddon } from "@xterm/addon-fit";
import { useEffect, useRef } from "react";
import { useT } from "../i18n";
import { socketOf, useGoesOn } from "./queries";
import { newScreen } from "./screen";
import { type Link, Wire } from "./wire";

export type LiveTerminalProps = {
	id: string;
	label: string;
	leave: () => void;
	link: (link: Link, since?: number) => void;
	exit: (code: number) => void;
	notice: (text: string) => void;
	/** Whether what was typed or pasted last was refused: too much waits already. */
	refused: (yes: boolean) => void;
	size: (columns: number, rows: number) => void;
};

export default function LiveTerminal(props: LiveTerminalProps) {
	const t = useT();
	const box = useRef<HTMLDivElement>(null);
	const told = useRef(props);
	told.current = props;
	const goesOn = useRef(useGoesOn(props.id));
	const { id } = props;
	useEffect(() => {
		const root = box.current;
		if (!root) return;
		const screen = newScreen(root, {});
		const fit = new FitAddon();
		screen.loadAddon(fit);
		screen.open(root);
		fit.fit();
		const bytes = new TextEncoder();
		let refused = false;
		const wire = new Wire(socketOf(id), {
			output: (data, done) => screen.write(data, done),
			exit: (code) => told.current.exit(code),
			notice: (text) => told.current.notice(text),
			refused: () => {
				refused = true;
				told.current.refused(true);
			},
			link: (link, since) => {
				// While the link is lost keys are held back, not queued behind a frozen picture.
				screen.options.disableStdin = link !== "open";
				told.current.link(link, since);
			},
			goesOn: () => goesOn.current(),
		});
		const resized = () => {
			fit.fit();
			wire.resize(screen.cols, screen.rows);
			told.current.size(screen.cols, screen.rows);
		};
		const input = (data: Uint8Array) => {
			if (refused) told.current.refused(false);
			refused = false;
			wire.input(data);
		};
		screen.onData((data) => input(bytes.encode(data)));
		screen.onBinary((data) => input(Uint8Array.from(data, (c) => c.charCodeAt(0))));
		screen.attachCustomKeyEventHandler((event) => {
			if (event.type !== "keydown" || !event.ctrlKey || !event.shiftKey || event.altKey) return true;
			if (event.code === "Space") {
				event.preventDefault();
				told.current.leave();
				return false;
			}
			if (event.key.toLowerCase() === "c" && screen.hasSelection()) {
				event.preventDefault();
				void navigator.clipboard.writeText(screen.getSelection());
				return false;
			}
			return event.key.toLowerCase() !== "v";
		});
		const observer = new ResizeObserver(resized);
		observer.observe(root);
		resized();
		screen.focus();
		return () => {
			observer.disconnect();
			wire.close();
			screen.dispose();
		};
	}, [id]);
	return (
		<div
			ref={box}
			className="term"
			data-keys="asleep"
			role="group"
			aria-label={t("session.terminal_of", { name: props.label })}
		/>
	);
}
