/** Expels a computer: apart from the other acts, and only after its name was typed. */
import { Menu, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Machine } from "../api/types";
import { useT } from "../i18n";
import { Icon } from "../ui/icons";
import { say } from "../ui/notices";
import { Btn, WithCommands, Wrong } from "../ui/parts";
import { useExpel } from "./queries";

export function ExpelMenu({ machine }: { machine: Machine }) {
	const t = useT();
	const [asking, setAsking] = useState(false);
	return (
		<>
			<Menu position="bottom-end">
				<Menu.Target>
					<button type="button" className="tool" aria-label={t("machine.more")} title={t("machine.more")}>
						<Icon name="more" />
					</button>
				</Menu.Target>
				<Menu.Dropdown>
					<Menu.Item className="menu-stop" onClick={() => setAsking(true)}>
						{t("expel.open")}
					</Menu.Item>
				</Menu.Dropdown>
			</Menu>
			{asking && <Ask machine={machine} close={() => setAsking(false)} />}
		</>
	);
}

function Ask({ machine, close }: { machine: Machine; close: () => void }) {
	const t = useT();
	const expel = useExpel();
	const [typed, setTyped] = useState("");
	const same = typed.trim() === machine.name;
	return (
		<Modal
			opened
			onClose={close}
			title={t("expel.title", { name: machine.name })}
			size={520}
			closeButtonProps={{ "aria-label": t("act.close") }}
		>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					if (!same || expel.isPending) return;
					expel.mutate(machine, {
						onSuccess: () => {
							close();
							say(t("expel.done", { name: machine.name }));
						},
					});
				}}
			>
				<div className="pad stack">
					{expel.error && <Wrong reason={expel.error} />}
					<p>{t("expel.what")}</p>
					<p>
						<WithCommands>{t("expel.back", { command: "deskside-agent enroll --replace" })}</WithCommands>
					</p>
					<TextInput
						label={t("expel.type", { name: machine.name })}
						value={typed}
						onChange={(event) => setTyped(event.currentTarget.value)}
						autoComplete="off"
						spellCheck={false}
						data-autofocus
						classNames={{ input: "mono" }}
					/>
				</div>
				<div className="dialog-foot">
					<span className="grow" />
					<Btn onClick={close}>{t("act.cancel")}</Btn>
					<Btn type="submit" kind="stop-now" disabled={!same} loading={expel.isPending}>
						{t("expel.act")}
					</Btn>
				</div>
			</form>
		</Modal>
	);
}
