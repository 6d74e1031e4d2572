/** Who calls: a few letters of a name, a computer or a ticket find the person, their machine and what is already open. */
import { useDebouncedValue } from "@mantine/hooks";
import type { Machine, Ticket } from "../api/types";
import { useT } from "../i18n";
import { age } from "../i18n/format";
import { headline, presence, shortNumber, titleOf } from "../i18n/words";
import { Mark } from "../ui/parts";
import { FindField } from "./FindField";
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
	const [asked] = useDebouncedValue(value.name.trim(), 120);
	const found = useFind(value.machine ? "" : asked);
	const choices: Caller[] = [];
	for (const machine of found.data?.machines ?? [])
		choices.push({ name: machine.people?.[0]?.name ?? value.name, machine });
	for (const person of found.data?.people ?? [])
		if (!choices.some((c) => c.name === person.name)) choices.push({ name: person.name });
	return (
		<FindField
			label={label}
			placeholder={t("call.who_hint")}
			text={value.name}
			onText={(name) => onChange({ name })}
			choices={value.machine ? [] : choices}
			keyOf={(choice) => choice.machine?.id ?? choice.name}
			line={(choice) => (
				<>
					<b className="cut">{choice.name}</b>
					{choice.machine && <span className="mono dim">{choice.machine.name}</span>}
					<span className="grow" />
					{choice.machine && <Mark grade={choice.machine.health}>{headline(t, choice.machine)}</Mark>}
				</>
			)}
			choose={(choice) => {
				if (choice) onChange(choice);
				next();
			}}
			error={error}
			autoFocus={autoFocus}
		/>
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
