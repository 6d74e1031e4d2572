/** A call, noted in three fields by keyboard: who, what they say, whether they can work. */
import { Drawer, Textarea } from "@mantine/core";
import { type KeyboardEvent, useRef, useState } from "react";
import type { CanWork, Ticket } from "../api/types";
import { useT } from "../i18n";
import { shortNumber } from "../i18n/words";
import { Btn, FormWrong, useFieldErrors } from "../ui/parts";
import { useAddCall, useCreateTicket } from "./queries";
import { type Caller, CallerLine, WhoField } from "./WhoField";
import { canWork } from "./words";
import "./desk.css";

export function CallNote({ close, open }: { close: () => void; open: (ticket: string) => void }) {
	const t = useT();
	const create = useCreateTicket();
	const add = useAddCall();
	const [caller, setCaller] = useState<Caller>({ name: "" });
	const [says, setSays] = useState("");
	const [work, setWork] = useState<CanWork>();
	const [same, setSame] = useState<Ticket>();
	const [saved, setSaved] = useState<{ id: string; number: string }>();
	const saysField = useRef<HTMLTextAreaElement>(null);
	const workField = useRef<HTMLDivElement>(null);
	const ready = !!says.trim();
	const error = create.error ?? add.error;
	const wrong = useFieldErrors(error);
	const save = (andOpen: boolean, withWork = work) => {
		if (!ready || create.isPending || add.isPending) return;
		const done = (ticket: { id: string; number: string }) => {
			if (andOpen) {
				close();
				open(ticket.id);
			} else setSaved(ticket);
		};
		if (same)
			add.mutate(
				{ id: same.id, text: t("call.note", { name: caller.name, says: says.trim() }) },
				{ onSuccess: () => done(same) },
			);
		else
			create.mutate(
				{
					says: says.trim(),
					machine_id: caller.machine?.id,
					requester_name: caller.name.trim() || undefined,
					can_work: withWork,
					kind: "incident",
				},
				{ onSuccess: done },
			);
	};
	const onKey = (event: KeyboardEvent) => {
		if (event.key === "Enter" && event.ctrlKey && !event.altKey) {
			event.preventDefault();
			save(true);
		}
	};
	const onWorkKey = (event: KeyboardEvent) => {
		const chosen = canWork.find((one) => one.key === event.key);
		if (chosen) setWork(chosen.value);
		if (event.key === "+" && same === undefined) document.querySelector<HTMLInputElement>(".caller input")?.click();
		if (event.key === "Enter" && !event.ctrlKey) {
			event.preventDefault();
			save(false);
		}
	};
	return (
		<Drawer
			opened
			onClose={close}
			position="right"
			size={440}
			title={t("call.title")}
			closeButtonProps={{ "aria-label": t("act.close") }}
			overlayProps={{ color: "var(--scrim)", backgroundOpacity: 0.4, blur: 0 }}
			classNames={{ content: "call", header: "dialog-head", title: "dialog-title", body: "dialog-body" }}
		>
			{saved ? (
				<div className="pad stack" role="status">
					<p className="sentence">{t("call.saved", { number: saved.number })}</p>
					<p className="mid">{t("call.read_out")}</p>
					<div className="line">
						<Btn
							kind="first"
							data-autofocus
							autoFocus
							onClick={() => {
								close();
								open(saved.id);
							}}
						>
							{t("act.open")}
						</Btn>
						<Btn onClick={close}>{t("act.close")}</Btn>
					</div>
				</div>
			) : (
				// biome-ignore lint/a11y/noStaticElementInteractions: one key for the whole pane
				<div className="pad stack" onKeyDown={onKey}>
					<FormWrong reason={error} fields={["says", "text", "requester_name"]} />
					<WhoField
						label={t("call.who")}
						value={caller}
						error={wrong.requester_name}
						onChange={setCaller}
						next={() => saysField.current?.focus()}
						autoFocus
					/>
					<CallerLine caller={caller} chosen={same?.id} addTo={setSame} />
					<Textarea
						ref={saysField}
						label={t("call.says")}
						minRows={2}
						value={says}
						error={wrong.says ?? wrong.text}
						onChange={(event) => setSays(event.currentTarget.value)}
						onKeyDown={(event) => {
							if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey) {
								event.preventDefault();
								workField.current?.querySelector<HTMLElement>("button")?.focus();
							}
						}}
					/>
					<div>
						<h3 id="call-work">{t("call.can_work")}</h3>
						<div className="choices" role="group" aria-labelledby="call-work" ref={workField} onKeyDown={onWorkKey}>
							{canWork.map(({ value, word, key }) => (
								<button key={value} type="button" aria-pressed={work === value} onClick={() => setWork(value)}>
									<kbd>{key}</kbd> {t(word)}
								</button>
							))}
						</div>
					</div>
					<div className="line wrap">
						<Btn
							kind="first"
							kbd="Enter"
							disabled={!ready}
							loading={create.isPending || add.isPending}
							onClick={() => save(false)}
						>
							{same ? t("call.add", { number: shortNumber(same.number) }) : t("act.save")}
						</Btn>
						<Btn kbd="Ctrl Enter" disabled={!ready} onClick={() => save(true)}>
							{t("call.save_open")}
						</Btn>
					</div>
				</div>
			)}
		</Drawer>
	);
}
