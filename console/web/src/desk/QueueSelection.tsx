/** What can be done with several tickets of the queue at once: take them, or put them on hold. */
import { Menu } from "@mantine/core";
import { useState } from "react";
import { useMe } from "../api/me";
import type { Ticket } from "../api/types";
import { useT } from "../i18n";
import { shortNumber } from "../i18n/words";
import { Icon } from "../ui/icons";
import { useKeys } from "../ui/keyboard";
import { say } from "../ui/notices";
import { Btn, useSentence } from "../ui/parts";
import { type Selection, SelectionBar } from "../ui/selection";
import { useBulk } from "./bulk";
import type { TicketChange } from "./queries";
import { type HoldReason, holdReasons } from "./words";

export function QueueSelection({ tickets, selection }: { tickets: Ticket[]; selection: Selection }) {
	const t = useT();
	const me = useMe();
	const sentence = useSentence();
	const { bulk, run, forget } = useBulk();
	const [holding, setHolding] = useState(false);
	const busy = !!bulk.running;
	const act = async (change: (ticket: Ticket) => TicketChange, said: (n: number) => string) => {
		if (busy) return;
		const changed = await run(tickets, change);
		if (changed.length === 0) return;
		say(said(changed.length), () => {
			const back = new Map(changed.map(({ fresh, back }) => [fresh.id, back]));
			void run(
				changed.map(({ fresh }) => fresh),
				(ticket) => back.get(ticket.id) ?? {},
			);
		});
	};
	const take = () =>
		void act(
			(ticket) => ({ assignee_id: me.id, ...(ticket.state === "new" ? { state: "open" } : {}) }),
			(n) => t("queue.taken_many", { n }),
		);
	const hold = (reason: HoldReason) =>
		void act(
			() => ({ state: "on_hold", hold_reason: reason }),
			(n) => t("queue.held_many", { n }),
		);
	const clear = () => {
		forget();
		selection.clear();
	};
	useKeys([
		{ keys: "t", does: "key.take", run: take },
		{ keys: "h", does: "key.hold", run: () => setHolding(true) },
	]);
	const [first] = bulk.failed;
	return (
		<SelectionBar
			said={t("queue.selected", { n: tickets.length })}
			clear={clear}
			outcome={
				bulk.running ? (
					<span className="sub">{t("queue.bulk_running", bulk.running)}</span>
				) : (
					first && (
						<span className="line bulk-failed" role="alert">
							<Icon name="critical" />
							<span
								className="cut"
								title={bulk.failed.map((f) => `${f.ticket.number}: ${sentence(f.reason)}`).join("\n")}
							>
								{t("queue.bulk_failed", { n: bulk.failed.length })} {shortNumber(first.ticket.number)}:{" "}
								{sentence(first.reason)}
							</span>
						</span>
					)
				)
			}
		>
			<Btn kind="first" kbd="t" disabled={busy} onClick={take}>
				{t("queue.take_many")}
			</Btn>
			<Menu position="top-start" withinPortal={false} opened={holding} onChange={setHolding}>
				<Menu.Target>
					<Btn kind="bare" kbd="h" disabled={busy}>
						{t("queue.hold_many")}
					</Btn>
				</Menu.Target>
				<Menu.Dropdown>
					{holdReasons.map((reason) => (
						<Menu.Item key={reason} onClick={() => hold(reason)}>
							{t(`ticket.hold.${reason}`)}
						</Menu.Item>
					))}
				</Menu.Dropdown>
			</Menu>
		</SelectionBar>
	);
}
