/**
 * Notices, bottom left, at most two. They go after six seconds, stay under the
 * pointer, and never hold the only copy of anything.
 */
import { useEffect, useState, useSyncExternalStore } from "react";
import { useT } from "../i18n";
import { Icon } from "./icons";
import "./notices.css";

export type Notice = { id: number; text: string; undo?: () => void };

let notices: Notice[] = [];
let last = 0;
const listeners = new Set<() => void>();
const tell = () => {
	for (const then of listeners) then();
};

/** Says something that also stands somewhere else. `undo` adds the way back. */
export function say(text: string, undo?: () => void): void {
	notices = [...notices, { id: ++last, text, undo }].slice(-2);
	tell();
}

export function dismiss(id: number): void {
	notices = notices.filter((notice) => notice.id !== id);
	tell();
}

function One({ notice }: { notice: Notice }) {
	const t = useT();
	const [held, setHeld] = useState(false);
	useEffect(() => {
		if (held) return;
		const timer = setTimeout(() => dismiss(notice.id), 6000);
		return () => clearTimeout(timer);
	}, [notice.id, held]);
	return (
		<div className="notice" onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)}>
			<span className="grow">{notice.text}</span>
			{notice.undo && (
				<button
					type="button"
					className="plain link"
					onClick={() => {
						notice.undo?.();
						dismiss(notice.id);
					}}
				>
					{t("act.undo")}
				</button>
			)}
			<button type="button" className="tool" aria-label={t("act.close")} onClick={() => dismiss(notice.id)}>
				<Icon name="cross" small />
			</button>
		</div>
	);
}

export function Notices() {
	const now = useSyncExternalStore(
		(then) => {
			listeners.add(then);
			return () => listeners.delete(then);
		},
		() => notices,
	);
	return (
		<div className="notices" role="status" aria-live="polite">
			{now.map((notice) => (
				<One key={notice.id} notice={notice} />
			))}
		</div>
	);
}
