import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { act, render } from "@testing-library/react";
import { expect, test } from "vitest";
import { language, setLanguage } from "../i18n";
import type { Column } from "./list";
import { Row } from "./row";

test("a row is drawn again when something of it is different, when the clock is, and when the language is", async () => {
	let drawn: string[] = [];
	const cell = (row: { name: string }) => {
		drawn.push(`${row.name} ${language()}`);
		return row.name;
	};
	const columns: Column<{ name: string }>[] = [{ id: "name", head: "name", width: "1fr", cell }];
	const rows = [{ name: "a" }, { name: "b" }, { name: "c" }];
	const acts = { current: { open: () => {}, select: () => {}, nameOf: () => "" } };
	const list = (cursor: number, minute: number) => (
		<I18nProvider i18n={i18n}>
			{rows.map((row, i) => (
				<Row
					key={row.name}
					row={row}
					index={i}
					top={32 * i}
					height={32}
					columns={columns}
					widths="1fr"
					cursor={i === cursor}
					unread={false}
					acts={acts}
					minute={minute}
				/>
			))}
		</I18nProvider>
	);
	const page = render(list(0, 7));
	const after = (change: () => void) => {
		drawn = [];
		change();
		return drawn;
	};
	expect(after(() => page.rerender(list(0, 7)))).toEqual([]);
	expect(after(() => page.rerender(list(1, 7)))).toEqual(["a en", "b en"]);
	expect(after(() => page.rerender(list(1, 8)))).toEqual(["a en", "b en", "c en"]);
	drawn = [];
	await act(() => setLanguage("pl"));
	expect([...new Set(drawn)]).toEqual(["a pl", "b pl", "c pl"]);
});
