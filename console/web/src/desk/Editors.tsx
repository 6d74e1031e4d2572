/**
 * The two editors that cannot be taken for each other: a reply goes to the person,
 * a note stays in the team. What is typed is kept until it is sent.
 */
import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import type { Ticket } from "../api/types";
import { useT } from "../i18n";
import { Icon } from "../ui/icons";
import { say } from "../ui/notices";
import { Btn, Wrong } from "../ui/parts";
import { useDraft } from "./draft";
import { useNote, useReply } from "./queries";
import { canRead, isOver } from "./words";

const LONG = 25;

/** The number of words of the longest sentence. */
export function longestSentence(text: string): number {
	return Math.max(0, ...text.split(/[.!?…]+(?:\s|$)/).map((sentence) => sentence.split(/\s+/).filter(Boolean).length));
}

/** What was sent is out of hand: the next key is one of the page, not a letter of the next message to the person. */
function leave(): void {
	if (document.activeElement instanceof HTMLTextAreaElement) document.activeElement.blur();
}

export function Editors({ ticket, resolve, reopen }: { ticket: Ticket; resolve: () => void; reopen: () => void }) {
	const t = useT();
	const [reply, setReply] = useDraft(`reply ${ticket.id}`);
	const [note, setNote] = useDraft(`note ${ticket.id}`);
	const sendReply = useReply(ticket.id);
	const saveNote = useNote(ticket.id);
	const [inside, setInside] = useState(false);
	const send = (wait: boolean) => {
		if (!reply.trim() || sendReply.isPending) return;
		leave();
		sendReply.mutate({ text: reply.trim(), ...(wait ? { wait } : {}) }, { onSuccess: () => setReply("") });
	};
	const keep = () => {
		if (!note.trim() || saveNote.isPending) return;
		leave();
		saveNote.mutate(note.trim(), {
			onSuccess: () => {
				setNote("");
				say(t("note.saved"));
			},
		});
	};
	const onCtrlEnter = (then: (shift: boolean) => void) => (event: KeyboardEvent) => {
		if (event.key !== "Enter" || !event.ctrlKey || event.altKey) return;
		event.preventDefault();
		then(event.shiftKey);
	};
	const words = longestSentence(reply);
	const error = sendReply.error ?? saveNote.error;
	return (
		<div className="dock">
			{error && (
				<div className="dock-wrong">
					<Wrong reason={error} />
				</div>
			)}
			<div className={ticket.requester ? "editors" : "editors alone"}>
				{ticket.requester ? (
					<Editor
						kind="reply"
						head={t(canRead(ticket) ? "reply.to" : "reply.said", { name: ticket.requester.name })}
						icon={canRead(ticket) ? "reply" : "call"}
						kbd="r"
						aside={words > LONG ? t("reply.long", { n: words }) : t(canRead(ticket) ? "reply.seen" : "reply.said_why")}
					>
						<Field
							name="reply"
							label={t(canRead(ticket) ? "reply.to" : "reply.said", { name: ticket.requester.name })}
							value={reply}
							onChange={setReply}
							onKeyDown={onCtrlEnter(send)}
							inside={setInside}
						/>
					</Editor>
				) : (
					<p className="empty nobody">{t("reply.nobody")}</p>
				)}
				<Editor kind="note" head={t("note.title")} icon="lock" kbd="i" aside={t("note.never")}>
					<Field
						name="note"
						label={t("note.title")}
						value={note}
						onChange={setNote}
						onKeyDown={onCtrlEnter(keep)}
						inside={setInside}
					/>
					{note.trim() && (
						<div className="note-save">
							<Btn low kbd="Ctrl Enter" loading={saveNote.isPending} onClick={keep}>
								{t("note.save")}
							</Btn>
						</div>
					)}
				</Editor>
			</div>
			<div className="send">
				<span className="sub grow">
					{[inside && t("editor.leave"), (reply || note) && t("draft.kept")].filter(Boolean).join(" ")}
				</span>
				{isOver(ticket) ? (
					<Btn onClick={reopen}>{t("act.reopen")}</Btn>
				) : (
					<Btn kbd="d" kind={ticket.requester ? undefined : "first"} onClick={resolve}>
						{t("act.resolved")}
					</Btn>
				)}
				{ticket.requester && (
					<>
						{!isOver(ticket) && canRead(ticket) && (
							<Btn disabled={!reply.trim()} onClick={() => send(true)}>
								{t("act.send_wait")}
							</Btn>
						)}
						<Btn
							kind="first"
							kbd="Ctrl Enter"
							loading={sendReply.isPending}
							disabled={!reply.trim()}
							onClick={() => send(false)}
						>
							{t(canRead(ticket) ? "act.send" : "reply.keep")}
						</Btn>
					</>
				)}
			</div>
		</div>
	);
}

type EditorProps = {
	kind: "reply" | "note";
	head: string;
	icon: "reply" | "call" | "lock";
	kbd: string;
	aside: string;
	children: ReactNode;
};

function Editor({ kind, head, icon, kbd, aside, children }: EditorProps) {
	return (
		<div className={`editor ${kind}`}>
			<label htmlFor={`editor-${kind}`}>
				<Icon name={icon} />
				<span className="cut">{head}</span>
				<kbd>{kbd}</kbd>
				<span className="grow" />
				<span className="sub cut">{aside}</span>
			</label>
			{children}
		</div>
	);
}

type FieldProps = {
	name: string;
	label: string;
	value: string;
	onChange: (text: string) => void;
	onKeyDown: (event: KeyboardEvent) => void;
	/** Told when the focus comes and goes. */
	inside: (on: boolean) => void;
};

function Field({ name, label, value, onChange, onKeyDown, inside }: FieldProps) {
	const field = useRef<HTMLTextAreaElement>(null);
	return (
		<textarea
			ref={field}
			name={name}
			id={`editor-${name}`}
			placeholder=" "
			aria-label={label}
			rows={2}
			value={value}
			onChange={(event) => onChange(event.currentTarget.value)}
			onKeyDown={(event) => {
				if (event.key === "Escape") {
					event.stopPropagation();
					field.current?.blur();
				}
				onKeyDown(event);
			}}
			onFocus={() => inside(true)}
			onBlur={() => inside(false)}
		/>
	);
}
