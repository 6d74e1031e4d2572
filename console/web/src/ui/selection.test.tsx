import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { act, fireEvent, render, renderHook, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { setKeysOn, setOverlaid } from "./keyboard";
import { List } from "./list";
import { useSelection } from "./selection";

const press = (key: string, init: KeyboardEventInit = {}) => fireEvent.keyDown(document.body, { key, ...init });

test("a row is selected and let go; a range begins at the row touched last", () => {
	const { result } = renderHook(() => useSelection(["a", "b", "c", "d"]));
	act(() => result.current.toggle("b", false));
	act(() => result.current.toggle("d", true));
	expect([...result.current.ids]).toEqual(["b", "c", "d"]);
	act(() => result.current.toggle("c", false));
	expect([...result.current.ids]).toEqual(["b", "d"]);
	act(() => result.current.toggleAll());
	expect(result.current.ids.size).toBe(4);
	act(() => result.current.toggleAll());
	expect(result.current.ids.size).toBe(0);
});

test("a row that left the list is not selected any more", () => {
	const { result, rerender } = renderHook(({ keys }) => useSelection(keys), { initialProps: { keys: ["a", "b"] } });
	act(() => result.current.toggleAll());
	rerender({ keys: ["b", "c"] });
	expect([...result.current.ids]).toEqual(["b"]);
});

test("the list is walked and selected by keys: j, k, Enter, x, Shift x, *", () => {
	setKeysOn(true);
	setOverlaid(false);
	const open = vi.fn();
	const rows = ["a", "b", "c"];
	function Page() {
		const selection = useSelection(rows);
		return (
			<>
				<output>{[...selection.ids].join()}</output>
				<List
					label="rows"
					columns={[{ id: "name", head: "name", width: "1fr", cell: (row) => row }]}
					rows={rows}
					total={3}
					keyOf={(row) => row}
					open={open}
					selection={selection}
				/>
			</>
		);
	}
	render(
		<I18nProvider i18n={i18n}>
			<Page />
		</I18nProvider>,
	);
	const chosen = () => screen.getByRole("status").textContent;
	press("x");
	expect(chosen()).toBe("a");
	press("j");
	press("j");
	press("X", { shiftKey: true });
	expect(chosen()).toBe("a,b,c");
	press("k");
	press("Enter");
	expect(open).toHaveBeenLastCalledWith("b");
	press("x");
	expect(chosen()).toBe("a,c");
	press("*", { shiftKey: true });
	expect(chosen()).toBe("a,b,c");
});
