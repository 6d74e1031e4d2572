/**
 * The list: 32 px rows, sorted and paged at the server, drawn only where they are
 * seen, walked by keyboard. Below 700 px each row is two lines, laid out by the
 * areas that its columns name.
 */
import { useMediaQuery } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { type MessageId, useT } from "../i18n";
import { useKeys } from "./keyboard";
import { type Acts, Row } from "./row";
import { Check, type Selection } from "./selection";
import "./list.css";

/** `sort` is the server's name of the order; `area` the place in the narrow row, absent = not shown there. */
export type Column<T> = {
	id: string;
	head: string;
	width: string;
	sort?: string;
	/** The first click sorts downwards: newest first. */
	down?: boolean;
	end?: boolean;
	area?: "start" | "title" | "end" | "under" | "under-end";
	cell: (row: T) => ReactNode;
};

export type ListProps<T> = {
	label: string;
	columns: Column<T>[];
	/** The rows that are here; the rest is fetched as one comes near. */
	rows: T[];
	/** How many there are, as far as they were counted, and whether there are more. */
	total: number;
	over?: boolean;
	keyOf: (row: T) => string;
	open: (row: T) => void;
	more?: () => void;
	/** "health" or "-health": what the rows are ordered by now. */
	sort?: string;
	onSort?: (sort: string) => void;
	unread?: (row: T) => boolean;
	/** Rows can be selected, except below 700 px: a box before each, `x`, Shift x and `*`. */
	selection?: Selection;
	/** What a row is called by its box. */
	nameOf?: (row: T) => string;
	/** Keys that act on the row under the cursor. */
	keys?: { keys: string; does: MessageId; run: (row: T) => void }[];
	after?: ReactNode;
};

/** The shape of a list that is on its way: its columns, and bones for rows. They show after 300 ms. */
export function ListBones<T>({ columns, selectable }: { columns: Column<T>[]; selectable?: boolean }) {
	const t = useT();
	const narrow = useNarrow();
	const boxes = selectable && !narrow ? "14px " : "";
	const template = { gridTemplateColumns: boxes + columns.map((column) => column.width).join(" ") };
	return (
		<div className="list" role="status">
			<span className="out-of-sight">{t("wait.loading")}</span>
			<div className="list-head not-narrow" style={template} aria-hidden="true">
				{boxes && <span />}
				{columns.map((column) => (
					<span key={column.id} className={column.end ? "r" : undefined}>
						{column.head}
					</span>
				))}
			</div>
			{Array.from({ length: narrow ? 10 : 18 }, (_, i) => (
				<div key={i} className="row-bones" style={narrow ? undefined : template} aria-hidden="true">
					{boxes && <span />}
					{columns.map((column, j) =>
						narrow && j > 0 ? null : (
							<span key={column.id} className="bone" style={{ width: `${[72, 84, 56, 64][(i + j) % 4]}%` }} />
						),
					)}
				</div>
			))}
		</div>
	);
}

export const useNarrow = () => useMediaQuery("(max-width: 700px)", false, { getInitialValueInEffect: false }) ?? false;

export function List<T>(props: ListProps<T>) {
	const { rows, total, columns } = props;
	const t = useT();
	const narrow = useNarrow();
	const scroller = useRef<HTMLDivElement>(null);
	const [cursor, setCursor] = useState(0);
	const virtual = useVirtualizer({
		count: Math.max(total, rows.length),
		getScrollElement: () => scroller.current,
		estimateSize: () => (narrow ? 58 : 32),
		overscan: 12,
		scrollMargin: narrow ? 0 : 28,
		scrollPaddingStart: narrow ? 0 : 28,
	});
	const items = virtual.getVirtualItems();
	const last = items[items.length - 1]?.index ?? 0;
	// What a row is drawn in is used again for the one that comes as it goes: a list that is
	// scrolled makes nothing anew.
	const places = useRef(1);
	places.current = Math.max(places.current, items.length);
	const { more } = props;
	useEffect(() => {
		if (last >= rows.length - 10) more?.();
	}, [last, rows.length, more]);
	// biome-ignore lint/correctness/useExhaustiveDependencies: the height of a row changes with the width of the page
	useEffect(() => virtual.measure(), [narrow]);

	const selection = narrow ? undefined : props.selection;
	const at = Math.min(cursor, Math.max(0, rows.length - 1));
	const go = (to: number) => {
		const next = Math.max(0, Math.min(rows.length - 1, to));
		setCursor(next);
		virtual.scrollToIndex(next);
	};
	const openAt = () => rows[at] && props.open(rows[at]);
	useKeys([
		{ keys: "j", does: "key.down", run: () => go(at + 1) },
		{ keys: "k", does: "key.up", run: () => go(at - 1) },
		{ keys: "ArrowDown", does: "key.down", run: () => go(at + 1) },
		{ keys: "ArrowUp", does: "key.up", run: () => go(at - 1) },
		{ keys: "Home", does: "key.first", run: () => go(0) },
		{ keys: "End", does: "key.last", run: () => go(rows.length - 1) },
		{ keys: "Enter", does: "key.open", run: openAt },
		...(selection
			? [
					{
						keys: "x",
						does: "key.select" as const,
						run: (event: KeyboardEvent) => rows[at] && selection.toggle(props.keyOf(rows[at]), event.shiftKey),
					},
					{ keys: "*", does: "key.select_all" as const, run: selection.toggleAll },
				]
			: []),
		...(props.keys ?? []).map((key) => ({ ...key, run: () => rows[at] && key.run(rows[at]) })),
	]);

	const boxes = selection ? "14px " : "";
	const widths = boxes + columns.map((column) => column.width).join(" ");
	const minute = Math.floor(Date.now() / 60_000);
	const now: Acts<T> = {
		open: (index, row) => {
			setCursor(index);
			props.open(row);
		},
		select: (index, row, range) => {
			setCursor(index);
			selection?.toggle(props.keyOf(row), range);
		},
		nameOf: (row) => props.nameOf?.(row) ?? "",
	};
	const acts = useRef(now);
	acts.current = now;
	const turn = (column: Column<T>) =>
		props.onSort?.((column.sort === by ? !down : column.down) ? `-${column.sort}` : (column.sort ?? ""));
	const [by, down] = props.sort?.startsWith("-") ? [props.sort.slice(1), true] : [props.sort, false];
	return (
		<div
			className={columns.some((column) => column.area === "start") ? "list scroll" : "list scroll no-start"}
			ref={scroller}
			role="grid"
			tabIndex={0}
			aria-label={props.label}
			aria-rowcount={props.over ? -1 : total + 1}
			aria-multiselectable={selection ? true : undefined}
			aria-activedescendant={rows[at] ? `row-${props.keyOf(rows[at])}` : undefined}
		>
			<div className="list-head not-narrow" role="row" style={{ gridTemplateColumns: widths }} aria-rowindex={1}>
				{selection && (
					<span role="columnheader">
						<Check
							label={t("list.select_all")}
							checked={rows.length > 0 && selection.ids.size === rows.length}
							some={selection.ids.size > 0 && selection.ids.size < rows.length}
							onChange={selection.toggleAll}
						/>
					</span>
				)}
				{columns.map((column) => (
					<span
						key={column.id}
						role="columnheader"
						className={column.end ? "r" : undefined}
						aria-sort={column.sort && column.sort === by ? (down ? "descending" : "ascending") : undefined}
					>
						{column.sort && props.onSort ? (
							<button type="button" className="plain" onClick={() => turn(column)}>
								{column.head}
								{column.sort === by && <span aria-hidden="true">{down ? " ↓" : " ↑"}</span>}
							</button>
						) : (
							column.head
						)}
					</span>
				))}
			</div>
			<div className="list-rows" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
				{items.map((item) => {
					const row = rows[item.index];
					return (
						<Row
							key={item.index % places.current}
							row={row}
							id={row && `row-${props.keyOf(row)}`}
							index={item.index}
							top={item.start - virtual.options.scrollMargin}
							height={item.size}
							columns={columns}
							widths={narrow ? undefined : widths}
							cursor={item.index === at}
							unread={!!row && !!props.unread?.(row)}
							selected={row && selection?.ids.has(props.keyOf(row))}
							acts={acts}
							minute={minute}
						/>
					);
				})}
			</div>
			{props.after}
		</div>
	);
}
