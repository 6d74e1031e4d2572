/** Small parts without knowledge of the console's nouns. */
import { Button, type ButtonProps, createPolymorphicComponent } from "@mantine/core";
import { forwardRef, type ReactNode } from "react";
import { Failure } from "../api/client";
import { type MessageId, useT } from "../i18n";
import { fieldProblem, fieldSentence } from "../i18n/words";
import { Icon, type IconName } from "./icons";

export type Grade = "ok" | "warning" | "critical" | "unknown";

/** Shape, word, then colour. Without children the word of the grade is said. */
export function Mark({ grade, children }: { grade: Grade; children?: ReactNode }) {
	const t = useT();
	return (
		<span className={`h ${grade}`}>
			<Icon name={grade} />
			<span className="cut">{children ?? t(`health.${grade}`)}</span>
		</span>
	);
}

export function Chip({ grade, children }: { grade: Grade; children: ReactNode }) {
	return (
		<span className={`chip ${grade}`}>
			<Icon name={grade} />
			{children}
		</span>
	);
}

type BtnProps = ButtonProps & {
	kind?: "first" | "bare" | "stop" | "stop-now";
	go?: boolean;
	low?: boolean;
	kbd?: string;
	icon?: IconName;
};

/** A button; `kbd` is the key that does the same, shown behind the words. */
export const Btn = createPolymorphicComponent<"button", BtnProps>(
	forwardRef<HTMLButtonElement, BtnProps>(function Btn({ kind, go, low, kbd, icon, className, ...rest }, ref) {
		const names = [className, kind, go && "go", low && "low"].filter(Boolean).join(" ");
		return (
			<Button
				ref={ref}
				className={names}
				leftSection={icon && <Icon name={icon} />}
				rightSection={kbd && <kbd aria-hidden="true">{kbd}</kbd>}
				{...rest}
			/>
		);
	}),
);

/** Two letters of a name, for a portrait that is never fetched from elsewhere. */
export function initials(name: string): string {
	const words = name.split(/[\s._-]+/).filter(Boolean);
	const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [name.slice(0, 2)];
	return letters
		.map((word) => (words.length > 1 ? Array.from(word ?? "")[0] : word))
		.join("")
		.toLocaleUpperCase();
}

export function Face({ name }: { name: string }) {
	return (
		<span className="face" aria-hidden="true" title={name}>
			{initials(name)}
		</span>
	);
}

/** A sentence with commands of the agent in it: they stand apart from its words, and on one line. */
export function WithCommands({ children }: { children: string }) {
	return children.split(/(deskside-agent [a-z]+(?: --[a-z]+)*)/).map((piece, i) =>
		i % 2 ? (
			<code key={piece} className="mono nowrap">
				{piece}
			</code>
		) : (
			piece
		),
	);
}

/** A bar from 0 to 1. The number stands beside it in words, so it is not read aloud. */
export function Bar({ ratio, grade }: { ratio: number; grade?: Grade }) {
	return (
		<span className={`bar ${grade ?? ""}`} aria-hidden="true">
			<i style={{ width: `${Math.min(1, Math.max(0, ratio)) * 100}%` }} />
		</span>
	);
}

export function Seg<T extends string>(props: {
	value: T;
	options: { value: T; label: string }[];
	label: string;
	onChange: (value: T) => void;
}) {
	return (
		<span className="seg" role="group" aria-label={props.label}>
			{props.options.map(({ value, label }) => (
				<button key={value} type="button" aria-pressed={value === props.value} onClick={() => props.onChange(value)}>
					{label}
				</button>
			))}
		</span>
	);
}

/** Why a place is empty, and what fills it. Large in a page, one line in a pane. */
export function Empty({ large, children, action }: { large?: boolean; children: ReactNode; action?: ReactNode }) {
	return (
		<div className={large ? "empty large" : "empty"}>
			<p>{children}</p>
			{action}
		</div>
	);
}

/** The shape of lines that are on their way; it shows after 300 ms only. */
export function Bones({ lines = 3 }: { lines?: number }) {
	const t = useT();
	return (
		<div className="stack" style={{ padding: "8px 0", gap: 16 }} role="status">
			<span className="out-of-sight">{t("wait.loading")}</span>
			{Array.from({ length: lines }, (_, i) => (
				<span key={i} className="bone" style={{ width: `${[62, 88, 74, 45][i % 4]}%` }} />
			))}
		</div>
	);
}

const known: Record<number, MessageId> = {
	0: "wrong.unreachable",
	403: "wrong.nothing_here",
	404: "wrong.nothing_here",
	429: "wrong.too_often",
	503: "wrong.busy",
};

/** What happened, as a sentence: the console's own words, or ours where it could not speak. */
export function useSentence(): (reason: unknown) => string {
	const t = useT();
	return (reason) => {
		if (!(reason instanceof Failure)) return t("wrong.here");
		const own = known[reason.status];
		if (own) return t(own);
		// A field that the schema refused is named; a sentence of the console already says what it is about.
		const [field] = reason.status === 422 ? Object.entries(reason.fields) : [];
		if (field && field[1] !== reason.problem.detail) return fieldSentence(t, field[0], field[1]);
		return reason.problem.detail || t("wrong.status", { status: reason.status });
	};
}

/** What is wrong with each field of a form, for the field itself to say; nothing while nothing failed. */
export function useFieldErrors(reason: unknown): Record<string, string> {
	const t = useT();
	if (!(reason instanceof Failure)) return {};
	return Object.fromEntries(Object.entries(reason.fields).map(([name, why]) => [name, fieldProblem(t, why)]));
}

/** Whether what was asked for is not there, or not for this person. */
export const isNothing = (reason: unknown) => reason instanceof Failure && [403, 404].includes(reason.status);

/**
 * A failure where its answer would have stood, with the way to try again, or back to the queue. What is
 * not there does not come by asking again; the right to see it may have been given meanwhile.
 */
export function Wrong({ reason, retry, large }: { reason: unknown; retry?: () => void; large?: boolean }) {
	const t = useT();
	const sentence = useSentence();
	const nothing = large && isNothing(reason);
	const gone = nothing && (reason as Failure).status === 404;
	return (
		<div className={large ? "empty large" : "alarm"} role="alert">
			{!large && <Icon name="critical" />}
			{large ? <h1>{sentence(reason)}</h1> : <span className="grow">{sentence(reason)}</span>}
			{nothing && (
				<a href="/" className="link">
					{t("act.to_queue")}
				</a>
			)}
			{retry && nothing && !gone && (
				<button type="button" className="plain link" onClick={retry}>
					{t("act.retry")}
				</button>
			)}
			{retry && !nothing && (
				<Btn low={!large} onClick={retry}>
					{t("act.retry")}
				</Btn>
			)}
		</div>
	);
}

/** A failure on top of a form, unless each field that it names is on the form and says it there. `fields` are those, by the names of the body. */
export function FormWrong({ reason, fields }: { reason: unknown; fields: readonly string[] }) {
	if (!reason) return null;
	if (!(reason instanceof Failure) || Object.keys(reason.fields).length === 0) return <Wrong reason={reason} />;
	const elsewhere = reason.elsewhere(fields);
	return elsewhere && <Wrong reason={elsewhere} />;
}
