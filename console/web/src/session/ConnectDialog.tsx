/** Before a terminal is opened: why, in one's own words, and what the person at the machine will see. */
import { Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ConnectWish } from "../api/acts";
import { useT } from "../i18n";
import { presence } from "../i18n/words";
import { Bones, Btn, Wrong } from "../ui/parts";
import { useConnect, useTarget } from "./queries";
import "./session.css";

export function ConnectDialog({
	wish,
	close,
	open,
}: {
	wish: ConnectWish;
	close: () => void;
	open: (session: string) => void;
}) {
	const t = useT();
	const machine = useTarget(wish.machine);
	const connect = useConnect();
	const [reason, setReason] = useState("");
	const asks = machine.data?.policy.terminal === "ask";
	const person = machine.data?.people?.[0]?.name;
	return (
		<Modal
			opened
			onClose={close}
			title={t("session.connect")}
			size={560}
			closeButtonProps={{ "aria-label": t("act.close") }}
		>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					connect.mutate(
						{ machine_id: wish.machine, ticket_id: wish.ticket, reason: reason.trim(), columns: 100, rows: 30 },
						{
							onSuccess: (session) => {
								close();
								open(session.id);
							},
						},
					);
				}}
			>
				<div className="pad stack">
					{machine.error ? (
						<Wrong reason={machine.error} retry={() => void machine.refetch()} />
					) : (
						!machine.data && <Bones lines={2} />
					)}
					{machine.data && (
						<p>
							{person && <b>{person} </b>}
							<span className="mono">{machine.data.name}</span> <span className="mid">{presence(t, machine.data)}</span>
						</p>
					)}
					{connect.error && <Wrong reason={connect.error} />}
					<TextInput
						label={t("session.reason")}
						description={t("session.reason_why")}
						value={reason}
						onChange={(event) => setReason(event.currentTarget.value)}
						data-autofocus
						required
						withAsterisk={false}
					/>
					{machine.data && <p className="mid">{t(asks ? "session.must_ask" : "session.unseen")}</p>}
				</div>
				<div className="dialog-foot">
					<span className="sub grow">{t("session.recorded")}</span>
					<Btn onClick={close}>{t("act.cancel")}</Btn>
					<Btn
						type="submit"
						kind="first"
						disabled={!reason.trim() || machine.data?.presence !== "online"}
						loading={connect.isPending}
					>
						{t(asks ? "session.ask" : "act.connect")}
					</Btn>
				</div>
				{machine.data?.presence === "offline" && <p className="pad sub">{t("session.offline")}</p>}
			</form>
		</Modal>
	);
}
