/** The palette (Ctrl K): people, computers, tickets and actions by a few letters; Enter opens the first. */
import { Modal } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type ReactNode, useId, useState } from "react";
import { type MessageId, pick, useT } from "../i18n";
import { titleOf } from "../i18n/words";
import { Icon, type IconName } from "../ui/icons";
import { Mark, Wrong } from "../ui/parts";
import { isEmpty, LETTERS, useSearch } from "./queries";

export type Action = { word: MessageId; icon: IconName; kbd?: string; run: () => void };
export type Destination = { ticket: string } | { machine: string } | { person: string };

type Entry = { id: string; group: MessageId; content: ReactNode; run: () => void };

/** Letters without their tails, so that "lodz" finds "Łódź". */
export const fold = (text: string) =>
	text.toLocaleLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/ł/g, "l");

export function Palette(props: {
	actions: Action[];
	first?: string;
	go: (to: Destination) => void;
	newTicket?: (words: string) => void;
	close: () => void;
}) {
	const t = useT();
	const [typed, setTyped] = useState(props.first ?? "");
	const [at, setAt] = useState(0);
	const [asked] = useDebouncedValue(typed.trim(), 120);
	const found = useSearch(asked);
	const listId = useId();
	const choose = (run: () => void) => {
		props.close();
		run();
	};
	const entries: Entry[] = [];
	if (typed.trim().length >= LETTERS && found.data) {
		for (const ticket of found.data.tickets)
			entries.push({
				id: ticket.id,
				group: "palette.tickets",
				run: () => props.go({ ticket: ticket.id }),
				content: (
					<>
						<span className="mono dim">{ticket.number}</span>
						<span className="cut grow">{titleOf(ticket)}</span>
						<span className="sub">{ticket.requester?.name}</span>
					</>
				),
			});
		for (const machine of found.data.machines)
			entries.push({
				id: machine.id,
				group: "palette.machines",
				run: () => props.go({ machine: machine.id }),
				content: (
					<>
						<span className="mono">{machine.name}</span>
						<span className="cut grow dim">{machine.people?.[0]?.name}</span>
						<Mark grade={machine.health}>{machine.headline ? pick(machine.headline.title) : undefined}</Mark>
					</>
				),
			});
		for (const person of found.data.people)
			entries.push({
				id: person.id,
				group: "palette.people",
				run: () => props.go({ person: person.id }),
				content: <span className="cut">{person.name}</span>,
			});
	}
	const wanted = fold(typed.trim());
	for (const action of props.actions) {
		if (wanted && !fold(t(action.word)).includes(wanted)) continue;
		entries.push({
			id: action.word,
			group: "palette.actions",
			run: action.run,
			content: (
				<>
					<Icon name={action.icon} />
					<span className="grow">{t(action.word)}</span>
					{action.kbd && <kbd>{action.kbd}</kbd>}
				</>
			),
		});
	}
	const words = typed.trim();
	const nothing =
		words.length >= LETTERS && asked === words && found.isSuccess && !found.isFetching && isEmpty(found.data);
	if (nothing && entries.length === 0 && props.newTicket)
		entries.push({
			id: "new",
			group: "palette.actions",
			run: () => props.newTicket?.(words),
			content: t("palette.new_with_words"),
		});
	const current = Math.min(at, entries.length - 1);
	const onKey = (event: React.KeyboardEvent) => {
		const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
		if (step) {
			event.preventDefault();
			setAt((current + step + entries.length) % Math.max(1, entries.length));
		}
		const entry = entries[current];
		if (event.key === "Enter" && entry) {
			event.preventDefault();
			choose(entry.run);
		}
	};
	return (
		<Modal
			opened
			onClose={props.close}
			withCloseButton={false}
			size={640}
			padding={0}
			attributes={{ content: { "aria-label": t("frame.search") }, header: {} }}
		>
			<div className="palette-field">
				<Icon name="search" />
				<input
					value={typed}
					onChange={(event) => {
						setTyped(event.currentTarget.value);
						setAt(0);
					}}
					onKeyDown={onKey}
					placeholder={t("frame.search")}
					role="combobox"
					aria-expanded="true"
					aria-controls={listId}
					aria-activedescendant={entries[current] ? `${listId}-${entries[current].id}` : undefined}
					aria-label={t("frame.search")}
					data-autofocus
				/>
				<kbd>Esc</kbd>
			</div>
			<div className="palette-found">
				<div role="status">
					{words !== "" && words.length < LETTERS && <p className="empty label">{t("palette.two_letters")}</p>}
					{nothing && <p className="empty label">{t("palette.nothing", { q: words })}</p>}
				</div>
				{words.length >= LETTERS && found.error && <Wrong reason={found.error} retry={() => void found.refetch()} />}
				<div id={listId} role="listbox" aria-label={t("frame.search")}>
					{entries.map((entry, i) => (
						<div key={entry.id}>
							{entries[i - 1]?.group !== entry.group && (
								<div className="label" role="presentation">
									{t(entry.group)}
								</div>
							)}
							{/* biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys */}
							<div
								id={`${listId}-${entry.id}`}
								role="option"
								aria-selected={i === current}
								onPointerMove={() => setAt(i)}
								onClick={() => choose(entry.run)}
							>
								{entry.content}
							</div>
						</div>
					))}
				</div>
			</div>
		</Modal>
	);
}
