import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider, Menu } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { api } from "../api/client";
import { MeContext } from "../api/me";
import type { Me, Ticket, TimelineItem } from "../api/types";
import { Colleagues } from "./Colleagues";
import type { TicketParts } from "./TicketPage";
import { Timeline } from "./Timeline";

const around = ({ children }: { children: ReactNode }) => (
	<QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
		<I18nProvider i18n={i18n}>
			<MantineProvider>
				<MeContext value={{ id: "me", rights: ["ticket.write"] } as unknown as Me}>{children}</MeContext>
			</MantineProvider>
		</I18nProvider>
	</QueryClientProvider>
);

afterEach(() => vi.restoreAllMocks());

const ALL = 1200;
const item = (n: number): TimelineItem =>
	({
		id: `i${n}`,
		at: new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString(),
		kind: n % 100 === 50 ? "message" : "alert",
		by: { kind: n % 100 === 50 ? "technician" : "system", id: null, name: "Anna" },
		text: n % 100 === 50 ? `message ${n}` : "The service stops.",
		reason: "",
		data: { what: "opened" },
	}) as unknown as TimelineItem;

/** Answers as the console does: by the order that is asked for, from behind the cursor, 500 at most. */
function pages() {
	return vi.spyOn(api, "GET").mockImplementation(((
		_: string,
		{ params }: { params: { query: { sort?: string; limit?: number; cursor?: string } } },
	) => {
		const { sort, limit = 50, cursor = "0" } = params.query;
		const from = Number(cursor);
		const items = Array.from({ length: ALL }, (_, n) => item(sort === "-at" ? ALL - 1 - n : n)).slice(
			from,
			from + limit,
		);
		const next = from + limit < ALL ? String(from + limit) : null;
		return Promise.resolve({ data: { items, next, total: ALL }, response: { ok: true } });
	}) as never);
}

const lines = () => [...document.querySelectorAll(".timeline > li")].map((line) => line.textContent ?? "");

test("of 1,200 items the newest are shown, oldest first, and the earlier ones when asked for", async () => {
	const get = pages();
	render(<Timeline ticket={{ id: "t1" } as Ticket} parts={{} as TicketParts} />, { wrapper: around });
	await screen.findByText("message 1150");
	expect(get).toHaveBeenCalledOnce();
	expect(screen.queryByText("message 650")).toBeNull();
	// What repeats is counted as far as it is here, and whole when the rest has come.
	expect(lines()).toHaveLength(11);
	expect(lines()[0]).toContain("× 50 ");
	expect(lines().at(-1)).toContain("× 49 ");
	fireEvent.click(screen.getByRole("button", { name: "Show earlier" }));
	await screen.findByText("message 650");
	expect(lines()).toHaveLength(21);
	expect(lines()[10]).toContain("× 99 ");
	fireEvent.click(screen.getByRole("button", { name: "Show earlier" }));
	await screen.findByText("message 50");
	expect(screen.queryByRole("button", { name: "Show earlier" })).toBeNull();
	const said = lines().filter((line) => line.includes("message "));
	expect(said.map((line) => Number(line.match(/message (\d+)/)?.[1]))).toEqual(
		Array.from({ length: 12 }, (_, n) => 50 + n * 100),
	);
	expect(lines()).toHaveLength(25);
});

const people = (count: number) =>
	vi.spyOn(api, "GET").mockImplementation(((
		_: string,
		{ params }: { params?: { query?: { limit?: number } } } = {},
	) => {
		const items = Array.from({ length: count }, (_, n) => ({
			id: n === 3 ? "me" : `p${n}`,
			name: `user${n}`,
			display_name: n === count - 1 ? "Żaneta Łoś" : `Person ${n}`,
			role: n === 5 ? "viewer" : "technician",
		})).slice(0, params?.query?.limit ?? 50);
		return Promise.resolve({ data: { items, next: null, total: count }, response: { ok: true } });
	}) as never);

const menu = (choose: (id: string) => void) =>
	render(
		<Menu opened>
			<Menu.Dropdown>
				<Colleagues choose={choose} />
			</Menu.Dropdown>
		</Menu>,
		{ wrapper: around },
	);

test("a ticket can be given to the hundred-and-twentieth colleague, found by a few letters", async () => {
	people(120);
	const choose = vi.fn();
	menu(choose);
	expect(await screen.findAllByRole("menuitem", { hidden: true })).toHaveLength(118); // not oneself, nor who only looks
	const field = screen.getByRole("searchbox", { hidden: true });
	fireEvent.change(field, { target: { value: "zaneta lo" } });
	const items = screen.getAllByRole("menuitem", { hidden: true });
	expect(items.map((one) => one.textContent)).toEqual(["Żaneta Łoś"]);
	fireEvent.click(items[0] as HTMLElement);
	expect(choose).toHaveBeenCalledWith("p119");
	fireEvent.change(field, { target: { value: "nobody like this" } });
	expect(screen.getByText("Nobody has this name")).toBeTruthy();
});

test("a few colleagues are seen at a glance", async () => {
	people(9);
	menu(() => {});
	await screen.findByText("Person 1");
	expect(screen.queryByRole("searchbox", { hidden: true })).toBeNull();
});
