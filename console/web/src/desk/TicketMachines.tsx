/** Which computers a ticket is about: found by a few letters, added, taken away. */
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import type { Machine, Ticket } from "../api/types";
import { useT } from "../i18n";
import { headline } from "../i18n/words";
import { Icon } from "../ui/icons";
import { Empty, Wrong } from "../ui/parts";
import { FindField } from "./FindField";
import { useFind, usePatchTicket } from "./queries";

/** What the console takes; a ticket for many computers may have more, and is not changed here. */
const MOST = 50;

export function TicketMachines({ ticket, writes }: { ticket: Ticket; writes: boolean }) {
	const t = useT();
	const none = ticket.machine_ids.length === 0;
	const [changes, setChanges] = useState(false);
	if (ticket.machine_ids.length > MOST || (!none && !writes)) return null;
	return (
		<section aria-label={t("machines.title")}>
			{none && <Empty>{t("ticket.no_machine")}</Empty>}
			{writes && (none || changes) && <Pick ticket={ticket} />}
			{writes && !none && (
				<button type="button" className="plain link sub" aria-expanded={changes} onClick={() => setChanges(!changes)}>
					{t(changes ? "act.close" : "machines.change")}
				</button>
			)}
		</section>
	);
}

function Pick({ ticket }: { ticket: Ticket }) {
	const t = useT();
	const patch = usePatchTicket();
	const [text, setText] = useState("");
	const [asked] = useDebouncedValue(text.trim(), 120);
	const found = useFind(asked);
	const choices = (found.data?.machines ?? []).filter((machine) => !ticket.machine_ids.includes(machine.id));
	const set = (machine_ids: string[]) => patch.mutate({ ticket, change: { machine_ids } });
	const add = (machine: Machine | undefined) => {
		if (!machine || patch.isPending) return;
		setText("");
		set([...ticket.machine_ids, machine.id]);
	};
	return (
		<div className="stack">
			{patch.error && <Wrong reason={patch.error} />}
			{ticket.machines.map((machine) => (
				<div key={machine.id} className="line">
					<span className="mono cut grow">{machine.name}</span>
					<button
						type="button"
						className="tool"
						disabled={patch.isPending}
						aria-label={t("machines.remove", { name: machine.name })}
						title={t("machines.remove", { name: machine.name })}
						onClick={() => set(ticket.machine_ids.filter((id) => id !== machine.id))}
					>
						<Icon name="cross" small />
					</button>
				</div>
			))}
			{ticket.machine_ids.length < MOST && (
				<FindField
					label={t("machines.add")}
					placeholder={t("machines.hint")}
					text={text}
					onText={setText}
					choices={text.trim().length > 1 ? choices : []}
					keyOf={(machine) => machine.id}
					line={(machine) => (
						<>
							<b className="mono">{machine.name}</b>
							<span className="cut dim">{machine.people?.[0]?.name}</span>
							<span className="grow" />
							<span className={`h ${machine.health}`}>
								<Icon name={machine.health} title={headline(t, machine)} />
							</span>
						</>
					)}
					choose={add}
				/>
			)}
		</div>
	);
}
