/** Asks before what cannot be taken back; the button repeats the deed. */
import { Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { useT } from "../i18n";
import { Btn } from "./parts";

type Props = {
	title: string;
	act: string;
	busy: boolean;
	children: ReactNode;
	confirm: () => void;
	close: () => void;
};

export function Confirm({ title, act, busy, children, confirm, close }: Props) {
	const t = useT();
	return (
		<Modal opened onClose={close} title={title} size={480} closeButtonProps={{ "aria-label": t("act.close") }}>
			<p className="pad">{children}</p>
			<div className="dialog-foot">
				<span className="grow" />
				<Btn data-autofocus onClick={close}>
					{t("act.cancel")}
				</Btn>
				<Btn kind="stop-now" loading={busy} onClick={confirm}>
					{act}
				</Btn>
			</div>
		</Modal>
	);
}
