/** Resolving a ticket: what it was for the team, and the words for the person. */
import { Modal, Textarea } from "@mantine/core";
import { type ComponentType, useState } from "react";
import type { Ticket } from "../api/types";
import { language, useT } from "../i18n";
import { shortNumber } from "../i18n/words";
import { useKeys } from "../ui/keyboard";
import { say } from "../ui/notices";
import { Btn, Wrong } from "../ui/parts";
import { usePatchTicket } from "./queries";
import { canRead, farewell } from "./words";

export function ResolveDialog({
	ticket,
	StillFailing,
	close,
}: {
	ticket: Ticket;
	StillFailing: ComponentType<{ ticket: Ticket }>;
	close: () => void;
}) {
	const t = useT();
	const patch = usePatchTicket();
	const [text, setText] = useState("");
	const [plain, setPlain] = useState(farewell[ticket.requester_language ?? language()]);
	const resolve = () => {
		if (!text.trim()) return;
		const words = plain.trim();
		patch.mutate(
			{
				ticket,
				change: {
					state: "resolved",
					resolution: { text: text.trim(), ...(words && ticket.requester ? { plain: { en: words, pl: words } } : {}) },
				},
			},
			{
				onSuccess: () => {
					say(t("resolve.done", { number: shortNumber(ticket.number) }));
					close();
				},
			},
		);
	};
	useKeys([{ keys: "Ctrl Enter", does: "key.resolve", run: resolve, inFields: true }], { dialog: true });
	return (
		<Modal
			opened
			onClose={close}
			title={t("resolve.title")}
			size={560}
			closeButtonProps={{ "aria-label": t("act.close") }}
		>
			<div className="pad stack">
				<StillFailing ticket={ticket} />
				{patch.error && <Wrong reason={patch.error} />}
				<Textarea
					label={t("resolve.text")}
					description={t("resolve.text_why")}
					value={text}
					onChange={(event) => setText(event.currentTarget.value)}
					data-autofocus
					required
					withAsterisk={false}
				/>
				{!text.trim() && <p className="sub">{t("resolve.lacks")}</p>}
				{ticket.requester && (
					<Textarea
						label={t("resolve.plain", { name: ticket.requester.name })}
						description={t(canRead(ticket) ? "resolve.plain_why" : "resolve.plain_said", {
							name: ticket.requester.name,
						})}
						value={plain}
						onChange={(event) => setPlain(event.currentTarget.value)}
					/>
				)}
			</div>
			<div className="dialog-foot">
				<span className="grow" />
				<Btn onClick={close}>{t("act.cancel")}</Btn>
				<Btn kind="first" kbd="Ctrl Enter" disabled={!text.trim()} loading={patch.isPending} onClick={resolve}>
					{t("act.resolve")}
				</Btn>
			</div>
		</Modal>
	);
}
