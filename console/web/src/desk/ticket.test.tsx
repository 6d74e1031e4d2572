import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, renderHook, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { api } from "../api/client";
import { MeContext } from "../api/me";
import type { Me, Ticket, TimelineItem } from "../api/types";
import { setLanguage, translate } from "../i18n";
import { Editors } from "./Editors";
import { useTicketsOf } from "./queries";
import { ResolveDialog } from "./ResolveDialog";
import { TicketHead } from "./TicketHead";
import { TicketMachines } from "./TicketMachines";
import { toldOf } from "./told";
import { nextOf, stateWord } from "./words";

const around = ({ children }: { children: ReactNode }) => (
	<QueryClientProvider client={new QueryClient()}>
		<I18nProvider i18n={i18n}>
			<MantineProvider>{children}</MantineProvider>
		</I18nProvider>
	</QueryClientProvider>
);

afterEach(() => vi.restoreAllMocks());

test("without an id nobody's tickets are asked for: an empty filter would list everybody's", () => {
	const get = vi.spyOn(api, "GET").mockReturnValue(new Promise(() => {}) as never);
	renderHook(() => useTicketsOf({ requester_id: "" }), { wrapper: around });
	renderHook(() => useTicketsOf({ machine_id: undefined }), { wrapper: around });
	expect(get).not.toHaveBeenCalled();
	renderHook(() => useTicketsOf({ requester_id: "p1" }), { wrapper: around });
	expect(get).toHaveBeenCalledOnce();
});

const ticket = { id: "t1", state: "open", requester: { id: "p1", name: "Maria Nowak" } } as Ticket;
const nothing = () => {};
const plain = (text: string) => text.replaceAll("\u00a0", " ");

test.each(["reply", "note"])("what was sent lets go of the keys: a letter typed then goes into no %s", async (name) => {
	const post = vi.spyOn(api, "POST").mockReturnValue(new Promise(() => {}) as never);
	render(<Editors ticket={ticket} resolve={nothing} reopen={nothing} />, { wrapper: around });
	const field = document.querySelector<HTMLTextAreaElement>(`textarea[name=${name}]`);
	if (!field) throw new Error(`no editor ${name}`);
	field.focus();
	fireEvent.focus(field);
	expect(screen.getByText("Esc leaves the field.")).toBeTruthy();
	fireEvent.change(field, { target: { value: "We look into it." } });
	fireEvent.keyDown(field, { key: "Enter", ctrlKey: true });
	await vi.waitFor(() => expect(post).toHaveBeenCalledOnce());
	expect(document.activeElement).toBe(document.body);
});

test("a button that cannot be pressed says what it waits for", () => {
	render(<ResolveDialog ticket={ticket} StillFailing={() => null} close={nothing} />, { wrapper: around });
	const button = () => screen.getByRole<HTMLButtonElement>("button", { name: /Mark as resolved/ });
	expect(button().disabled).toBe(true);
	expect(screen.getByText(/^Say here what was done/)).toBeTruthy();
	fireEvent.change(screen.getByLabelText("What was done"), { target: { value: "New toner." } });
	expect(button().disabled).toBe(false);
	expect(screen.queryByText(/^Say here what was done/)).toBeNull();
});

const answered = (data: unknown) => Promise.resolve({ data, response: { ok: true } }) as never;
const called = { id: "t2", version: 3, machine_ids: [] as string[], machines: [] as Ticket["machines"] } as Ticket;
const pc = { id: "m1", name: "LAP-1", health: "ok", people: [{ name: "Ola Bąk" }] };

test("a ticket without a computer gets one that is found by its letters, and one can be taken away", async () => {
	vi.spyOn(api, "GET").mockReturnValue(answered({ people: [], machines: [pc], tickets: [] }));
	const patch = vi.spyOn(api, "PATCH").mockReturnValue(answered({ ...called, machine_ids: ["m1"] }));
	const { rerender } = render(<TicketMachines ticket={called} writes />, { wrapper: around });
	const field = screen.getByRole("combobox");
	fireEvent.change(field, { target: { value: "lap" } });
	await screen.findByRole("option");
	fireEvent.keyDown(field, { key: "Enter" });
	await vi.waitFor(() => expect(patch).toHaveBeenCalledOnce());
	expect(patch.mock.calls[0]?.[1]).toMatchObject({
		params: { path: { id: "t2" } },
		body: { version: 3, machine_ids: ["m1"] },
	});
	rerender(<TicketMachines ticket={{ ...called, version: 4, machine_ids: ["m1"], machines: [pc] }} writes />);
	expect(screen.queryByRole("combobox")).toBeNull();
	fireEvent.click(screen.getByText("Change the computer"));
	fireEvent.click(await screen.findByRole("button", { name: "Take LAP-1 away" }));
	await vi.waitFor(() => expect(patch).toHaveBeenCalledTimes(2));
	expect(patch.mock.calls[1]?.[1]).toMatchObject({ body: { version: 4, machine_ids: [] } });
});

test("who may not write is told that there is no computer, and asked for none", () => {
	render(<TicketMachines ticket={called} writes={false} />, { wrapper: around });
	expect(screen.getByText("No computer belongs to this ticket.")).toBeTruthy();
	expect(screen.queryByRole("combobox")).toBeNull();
});

test("the timeline says which computers a ticket is about, and no longer is", () => {
	const said = (added: string[], removed: string[]) =>
		toldOf(translate, {
			kind: "state",
			text: "",
			data: { what: "machines", added, removed },
		} as unknown as TimelineItem);
	expect(said(["LAP-1"], [])).toBe("About the computer LAP-1.");
	expect(said(["LAP-2", "LAP-3"], ["LAP-1"])).toBe(
		"About the computers LAP-2, LAP-3. No longer about the computer LAP-1.",
	);
});

const headOf = (shown: Ticket) =>
	render(
		<MeContext.Provider value={{ id: "a1", rights: [] } as unknown as Me}>
			<TicketHead
				ticket={{
					...shown,
					title: "No sound",
					number: "DS-000001",
					kind: "incident",
					created_at: new Date().toISOString(),
				}}
				resolve={nothing}
			/>
		</MeContext.Provider>,
		{ wrapper: around },
	);

test.each([
	["en", "requester", "On hold: requester", "On hold: requester"],
	["pl", "requester", "Wstrzymane: czeka na zgłaszającego", "Czeka na zgłaszającego"],
	["pl", "problem", "Wstrzymane: czeka na usunięcie przyczyny", "Czeka na usunięcie przyczyny"],
] as const)("on hold in %s for %s: in full, and at 390 pixels what fits", async (language, reason, full, narrow) => {
	await setLanguage(language);
	const held = { ...ticket, state: "on_hold", hold_reason: reason } as Ticket;
	expect(plain(translate(stateWord(held)))).toBe(full);
	const { container } = headOf(held);
	const state = container.querySelectorAll(".pick")[1];
	const said = (hidden: string) => {
		const copy = state?.cloneNode(true) as Element;
		for (const one of copy.querySelectorAll(hidden)) one.remove();
		return plain(copy.textContent ?? "");
	};
	expect(said(".only-narrow")).toBe(full);
	expect(said(".not-narrow, .out-of-sight")).toBe(narrow);
	// Whoever hears the page hears all of it at any width.
	expect(said(".not-narrow, [aria-hidden]")).toBe(full);
});

test("a ticket that waits for somebody else is not next, and its head does not say that it waits", () => {
	const held = { ...ticket, state: "on_hold", hold_reason: "requester", priority: 1 } as Ticket;
	const fresh = { ...ticket, id: "t2", state: "new", priority: 4 } as Ticket;
	expect(nextOf([held, fresh])).toBe(fresh);
	expect(nextOf([held])).toBeUndefined();
	const head = (shown: Ticket) => {
		const { container, unmount } = headOf(shown);
		const text = container.textContent;
		unmount();
		return text;
	};
	expect(head(fresh)).toMatch(/waits/);
	expect(head(held)).not.toMatch(/waits/);
	expect(head(held)).toMatch(/opened .* ago/);
});
