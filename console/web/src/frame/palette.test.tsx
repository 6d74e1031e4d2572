import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { api } from "../api/client";
import { Palette } from "./Palette";

const answer = { people: [], machines: [], tickets: [] };
const asked: string[] = [];
const nothing = () => {};

beforeEach(() => {
	asked.length = 0;
	vi.spyOn(api, "GET").mockImplementation(((_: string, of: { params: { query: { q: string } } }) => {
		asked.push(of.params.query.q);
		return Promise.resolve({ data: answer, response: { ok: true } });
	}) as never);
});

afterEach(() => vi.useRealTimers());

const draw = () =>
	render(
		<QueryClientProvider client={new QueryClient()}>
			<I18nProvider i18n={i18n}>
				<MantineProvider>
					<Palette
						actions={[{ word: "nav.queue", icon: "queue", run: nothing }]}
						go={nothing}
						newTicket={nothing}
						close={nothing}
					/>
				</MantineProvider>
			</I18nProvider>
		</QueryClientProvider>,
	);
const type = (value: string) => fireEvent.change(screen.getByRole("combobox"), { target: { value } });

test("one letter says that two are needed, and does not say that nothing was found", () => {
	vi.useFakeTimers();
	draw();
	type("z");
	act(() => vi.advanceTimersByTime(1000));
	expect(screen.getByText(/from the second letter on/)).toBeTruthy();
	expect(screen.queryByText(/Nothing found/)).toBeNull();
	expect(screen.queryByText("New ticket with these words")).toBeNull();
	expect(asked).toEqual([]);
});

test("what is not found is said, also where an action has the letters", async () => {
	draw();
	type("que");
	expect(await screen.findByText(/^Nothing found for “que”/)).toBeTruthy();
	expect(screen.getByRole("option", { name: /Queue/ })).toBeTruthy();
	expect(screen.queryByText("New ticket with these words")).toBeNull();
	type("quex");
	expect(await screen.findByText(/^Nothing found for “quex”/)).toBeTruthy();
	expect(screen.getByText("New ticket with these words")).toBeTruthy();
});
