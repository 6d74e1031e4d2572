/** Selected rows of a list, and the bar at its foot that acts on them. */
import type { ReactNode } from "react";
import { useState } from "react";
import { useT } from "../i18n";
import { useKeys } from "./keyboard";
import { Btn } from "./parts";
import "./selection.css";

export type Selection = {
	ids: ReadonlySet<string>;
	/** Selects the row, or lets it go; with `range`, every row from the last one touched. */
	toggle: (id: string, range: boolean) => void;
	/** Selects all rows that are here, or none when they all are. */
	toggleAll: () => void;
	clear: () => void;
};

/** `keys` are the ids of the rows that are here, in their order. A row that left the list is not selected any more. */
export function useSelection(keys: string[]): Selection {
	const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
	const [last, setLast] = useState<string>();
	const ids = new Set(keys.filter((id) => chosen.has(id)));
	return {
		ids,
		toggle: (id, range) => {
			const next = new Set(ids);
			const from = keys.indexOf(last ?? "");
			const to = keys.indexOf(id);
			if (range && from >= 0) for (const key of keys.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(key);
			else if (!next.delete(id)) next.add(id);
			setChosen(next);
			setLast(id);
		},
		toggleAll: () => setChosen(ids.size === keys.length ? new Set() : new Set(keys)),
		clear: () => setChosen(new Set()),
	};
}

/** The check box of a row or of the head. The keys of the list do the same, so Tab passes it by. */
export function Check(props: { label: string; checked: boolean; some?: boolean; onChange: (range: boolean) => void }) {
	return (
		<label className="tick-box">
			<input
				type="checkbox"
				aria-label={props.label}
				tabIndex={-1}
				checked={props.checked}
				ref={(box) => {
					if (box) box.indeterminate = !!props.some;
				}}
				onChange={(event) => props.onChange((event.nativeEvent as MouseEvent).shiftKey)}
			/>
		</label>
	);
}

/** 44 px at the foot of a list: how many, what can be done with them, what became of it. */
export function SelectionBar({
	said,
	children,
	outcome,
	clear,
}: {
	said: string;
	children: ReactNode;
	outcome?: ReactNode;
	clear: () => void;
}) {
	const t = useT();
	useKeys([{ keys: "Escape", does: "key.clear", run: clear }]);
	return (
		<section className="selection" aria-label={t("list.selection")}>
			<b role="status">{said}</b>
			{children}
			<span className="grow" />
			{outcome}
			<Btn kind="bare" kbd="Esc" onClick={clear}>
				{t("act.clear")}
			</Btn>
		</section>
	);
}
