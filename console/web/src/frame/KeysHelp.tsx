/** What `?` shows: the keys of the page one is on, and those that work everywhere. */
import { Modal, Switch } from "@mantine/core";
import { useState } from "react";
import { useT } from "../i18n";
import { boundKeys, setKeysOn, useKeysAreOn } from "../ui/keyboard";

const drawn: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };

export function KeysHelp({ close }: { close: () => void }) {
	const t = useT();
	const on = useKeysAreOn();
	// The frame's keys are the last; the parts of a page, a list say, each bring their own.
	const [groups] = useState(() => {
		const bound = boundKeys();
		return [bound.slice(0, -1).flat(), bound.slice(-1).flat()].filter((keys) => keys.length > 0);
	});
	return (
		<Modal
			opened
			onClose={close}
			title={t("keys.title")}
			size={720}
			closeButtonProps={{ "aria-label": t("act.close") }}
		>
			<div className="pad stack">
				<div className="keys-list">
					{groups.map((keys, i) => (
						<section key={keys[0]?.keys ?? i}>
							<h3>{t(i === groups.length - 1 ? "keys.anywhere" : "keys.here")}</h3>
							<ul>
								{keys.map((key) => (
									<li key={key.keys}>
										<span className="pressed">
											{key.keys.split(" ").map((part) => (
												<kbd key={part}>{drawn[part] ?? part}</kbd>
											))}
										</span>
										<span>{t(key.does)}</span>
									</li>
								))}
							</ul>
						</section>
					))}
				</div>
				<Switch checked={on} onChange={(event) => setKeysOn(event.currentTarget.checked)} label={t("keys.single")} />
			</div>
		</Modal>
	);
}
