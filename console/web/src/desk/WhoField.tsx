/** Who calls: a few letters of a name, a computer or a ticket find the person, their machine and what is already open. */
import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useId, useState } from "react";
import type { Machine, Ticket } from "../api/types";
import { useT } from "../i18n";
import { age } from "../i18n/format";
import { headline, presence, shortNumber, titleOf } from "../i18n/words";
import { Mark } from "../ui/parts";
import { useFind, useTicketsOf } from "./queries";
import { isOver } from "./words";

export type Caller = { name: string; machine?: Machine };

type Props = {
	value: Caller;
	onChange: (caller: Caller) => void;
	next: () => void;
	label: string;
	error?: string;
	autoFocus?: boolean;
};

export function WhoField({ value, onChange, next, label, error, autoFocus }: Props) {
	const t = useT();
	const [at, setAt] = useState(0);
	const [open, setOpen] = useState(false);
	const [asked] = useDebouncedValue(value.name.trim(), 120);
	const found = useFind(value.machine ? "" : asked);
	const list = useId();
	const choices: Caller[] = [];
	for (const machine of found.data?.machines ?? [])
		choices.push({ name: machine.people?.[0]?.name ?? value.name, machine });
	for (const person of found.data?.people ?? [])
		if (!choices.some((c) => c.name === person.name)) choices.push({ name: person.name });
	const current = Math.min(at, choices.length - 1);
	const shown = open && !value.machine && choices.length > 0;
	const choose = (choice: Caller | undefined) => {
		if (choice) onChange(choice);
		setOpen(false);
		next();
	};
	return (
		<div className="who-field">
			<TextInput
				label={label}
				value={value.name}
				error={error}
				autoFocus={autoFocus}
				data-autofocus={autoFocus || undefined}
				autoComplete="off"
				role="combobox"
				aria-expanded={shown}
				aria-controls={list}
				aria-activedescendant={shown ? `${list}-${current}` : undefined}
				placeholder={t("call.who_hint")}
				onChange={(event) => {
					onChange({ name: event.currentTarget.value });
					setOpen(true);
					setAt(0);
				}}
				onKeyDown={(event) => {
					const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
					if (step && shown) {
						event.preventDefault();
						setAt((current + step + choices.length) % choices.length);
					}
					if (event.key === "Enter" && !event.ctrlKey) {
						event.preventDefault();
						choose(shown ? choices[current] : undefined);
					}
				}}
			/>
			{shown && (
				<div className="who-found" id={list} role="listbox" aria-label={label}>
					{choices.map((choice, i) => (
						// biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
						<div
							key={choice.machine?.id ?? choice.name}
							id={`${list}-${i}`}
							role="option"
							aria-selected={i === current}
							onPointerMove={() => setAt(i)}
							onClick={() => choose(choice)}
						>
							<b className="cut">{choice.name}</b>
							{choice.machine && <span className="mono dim">{choice.machine.name}</span>}
							<span className="grow" />
							{choice.machine && <Mark grade={choice.machine.health}>{headline(t, choice.machine)}</Mark>}
						</div>
					))}
				</div>
			)}
		</div>
	);
}

/** What is known at once: how their machine is, and what is open and since when they wait. */
export function CallerLine({
	caller,
	chosen,
	addTo,
}: {
	caller: Caller;
	chosen?: string;
	addTo: (ticket: Ticket | undefined) => void;
}) {
	const t = useT();
	const machine = caller.machine;
	const tickets = useTicketsOf({ machine_id: machine?.id });
	const open = (tickets.data?.items ?? []).filter((ticket) => !isOver(ticket));
	if (!machine) return null;
	return (
		<div className="caller">
			<div className="line">
				<span className="mono">{machine.name}</span>
				<Mark grade={machine.health}>{headline(t, machine)}</Mark>
				<span className="sub cut">{presence(t, machine)}</span>
			</div>
			{open.map((ticket) => (
				<label key={ticket.id} className="line">
					<input
						type="checkbox"
						checked={chosen === ticket.id}
						onChange={(event) => addTo(event.currentTarget.checked ? ticket : undefined)}
					/>
					<span className="cut grow">
						{t("call.same", { number: shortNumber(ticket.number), title: titleOf(ticket) })}
					</span>
					<span className="sub">{age(ticket.created_at)}</span>
				</label>
			))}
		</div>
	);
}
