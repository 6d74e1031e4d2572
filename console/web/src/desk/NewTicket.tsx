/** A ticket from a technician's own desk. */
import { Modal, Select, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Ticket } from "../api/types";
import { useT } from "../i18n";
import { Btn, FormWrong, useFieldErrors } from "../ui/parts";
import { useCreateTicket } from "./queries";
import { type Caller, CallerLine, WhoField } from "./WhoField";
import "./desk.css";

export function NewTicket({
	machine,
	says: first,
	close,
	open,
}: {
	machine?: string;
	says?: string;
	close: () => void;
	open: (ticket: string) => void;
}) {
	const t = useT();
	const create = useCreateTicket();
	const [title, setTitle] = useState(first ?? "");
	const [says, setSays] = useState("");
	const [kind, setKind] = useState<Ticket["kind"]>("incident");
	const [caller, setCaller] = useState<Caller>({ name: "" });
	const wrong = useFieldErrors(create.error);
	return (
		<Modal
			opened
			onClose={close}
			title={t("act.new_ticket")}
			size={560}
			closeButtonProps={{ "aria-label": t("act.close") }}
		>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					create.mutate(
						{
							title: title.trim(),
							says: says.trim() || undefined,
							kind,
							requester_name: caller.name.trim() || undefined,
							machine_id: caller.machine?.id ?? machine,
						},
						{
							onSuccess: (ticket) => {
								close();
								open(ticket.id);
							},
						},
					);
				}}
			>
				<div className="pad stack">
					<FormWrong reason={create.error} fields={["title", "says", "requester_name"]} />
					<TextInput
						label={t("new.title")}
						value={title}
						error={wrong.title}
						onChange={(event) => setTitle(event.currentTarget.value)}
						data-autofocus
						required
						withAsterisk={false}
					/>
					<Textarea
						label={t("call.says")}
						description={t("new.says_why")}
						value={says}
						error={wrong.says}
						onChange={(event) => setSays(event.currentTarget.value)}
					/>
					<WhoField
						label={t("call.who")}
						value={caller}
						error={wrong.requester_name}
						onChange={setCaller}
						next={() => {}}
					/>
					<CallerLine caller={caller} addTo={() => {}} />
					<Select
						label={t("new.kind")}
						value={kind}
						onChange={(value) => setKind((value ?? "incident") as Ticket["kind"])}
						data={(["incident", "request", "problem"] as const).map((value) => ({ value, label: t(`kind.${value}`) }))}
					/>
				</div>
				<div className="dialog-foot">
					<span className="grow" />
					<Btn onClick={close}>{t("act.cancel")}</Btn>
					<Btn type="submit" kind="first" disabled={!title.trim()} loading={create.isPending}>
						{t("new.create")}
					</Btn>
				</div>
			</form>
		</Modal>
	);
}
