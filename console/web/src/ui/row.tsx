/** A row of a list. It is drawn again only when something of it is different. */
import { memo, type RefObject } from "react";
import { useT } from "../i18n";
import type { Column } from "./list";
import { Check } from "./selection";

/** What a row can be told to do. */
export type Acts<T> = {
	open: (index: number, row: T) => void;
	select: (index: number, row: T, range: boolean) => void;
	nameOf: (row: T) => string;
};

type RowProps<T> = {
	/** Absent while it is on its way. */
	row?: T;
	id?: string;
	index: number;
	top: number;
	height: number;
	columns: Column<T>[];
	/** The widths of the columns; absent: the row is narrow, laid out by the areas. */
	widths?: string;
	cursor: boolean;
	unread: boolean;
	/** Absent: the row has no box. */
	selected?: boolean;
	acts: RefObject<Acts<T>>;
	/** Of the clock: a row says how long ago something was. */
	minute: number;
};

function RowOf<T>({ row, id, index, top, height, columns, widths, cursor, unread, selected, acts }: RowProps<T>) {
	const t = useT();
	const style = { top, height, gridTemplateColumns: widths };
	if (!row)
		return (
			<div role="row" className="row" style={style} aria-rowindex={index + 2}>
				<span role="gridcell" className="row-wait">
					<span className="out-of-sight">{t("wait.loading")}</span>
					<span className="bone" style={{ width: "40%" }} />
				</span>
			</div>
		);
	return (
		// biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys, not each row
		<div
			id={id}
			role="row"
			aria-rowindex={index + 2}
			aria-selected={selected}
			className={`row${cursor ? " cursor" : ""}${selected ? " selected" : ""}${unread ? " unread" : ""}`}
			style={style}
			onClick={(event) => {
				if (!(event.target as HTMLElement).closest("a,button,label")) acts.current.open(index, row);
			}}
		>
			{selected !== undefined && (
				<span role="gridcell">
					<Check
						key={id} // whoever has the keyboard in it does not find it in another row
						label={t("list.select", { name: acts.current.nameOf(row) })}
						checked={selected}
						onChange={(range) => acts.current.select(index, row, range)}
					/>
				</span>
			)}
			{columns.map((column) =>
				!widths && !column.area ? null : (
					<span
						key={column.id}
						role="gridcell"
						className={`cell ${column.end ? "r" : ""}`}
						style={widths ? undefined : { gridArea: column.area }}
					>
						{column.cell(row)}
					</span>
				),
			)}
		</div>
	);
}

export const Row = memo(RowOf) as typeof RowOf;
