/** A question to the fleet: one expression, asked of every machine that is online; answers fill the table as they come. */
import { Select, Textarea } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Answer, Field, Question } from "../api/types";
import { pick, useT } from "../i18n";
import { bytes, duration, number, percent, when } from "../i18n/format";
import { useKeys } from "../ui/keyboard";
import { Bones, Btn, Empty, Wrong } from "../ui/parts";
import { FieldHelp, Refused } from "./expression";
import { useAnswers, useAsk, useExamples, useFields, useGroups, useQuestion } from "./queries";
import "./fleet.css";

type Props = {
	expression?: string;
	question?: string;
	/** The group that is asked; without it everybody is. */
	group?: string;
	setGroup: (id: string | undefined) => void;
	asked: (question: Question) => void;
};

export function AskPage({ expression, question: id, group, setGroup, asked }: Props) {
	const t = useT();
	const ask = useAsk();
	const question = useQuestion(id);
	const groups = useGroups();
	const [typed, setTyped] = useState(expression ?? "");
	const field = useRef<HTMLTextAreaElement>(null);
	useEffect(() => {
		document.title = `${t("ask.title")} · Deskside`;
	}, [t]);
	useEffect(() => {
		if (expression) setTyped(expression);
	}, [expression]);
	const send = () => typed.trim() && ask.mutate({ expression: typed.trim(), group }, { onSuccess: asked });
	useKeys([
		{ keys: "/", does: "key.expression", run: () => field.current?.focus() },
		{ keys: "Ctrl Enter", does: "key.ask", run: send, inFields: true },
	]);
	const insert = (name: string) => {
		const at = field.current?.selectionStart ?? typed.length;
		setTyped(typed.slice(0, at) + name + typed.slice(field.current?.selectionEnd ?? at));
		field.current?.focus();
	};
	return (
		<div className="page">
			<section className="page-head">
				<h1 className="sentence">{question.data ? <Progress question={question.data} /> : t("ask.title")}</h1>
			</section>
			<div className="split">
				<div className="page">
					<form
						className="ask"
						onSubmit={(event) => {
							event.preventDefault();
							send();
						}}
					>
						<Textarea
							ref={field}
							label={t("ask.expression")}
							value={typed}
							onChange={(event) => setTyped(event.currentTarget.value)}
							minRows={2}
							maxRows={8}
							spellCheck={false}
							autoFocus
						/>
						{ask.error && (
							<Refused reason={ask.error} expression={ask.variables?.expression ?? ""} field="expression" />
						)}
						<div className="line wrap">
							<Btn type="submit" kind="first" kbd="Ctrl Enter" loading={ask.isPending} disabled={!typed.trim()}>
								{t(group ? "ask.ask_group" : "ask.ask_online")}
							</Btn>
							{(groups.data?.length ?? 0) > 0 && (
								<Select
									aria-label={t("ask.whom")}
									value={group ?? ""}
									data={[
										{ value: "", label: t("ask.everybody") },
										...(groups.data ?? []).map((g) => ({ value: g.id, label: `${g.name} (${number(g.machines)})` })),
									]}
									onChange={(value) => setGroup(value || undefined)}
									allowDeselect={false}
									searchable
								/>
							)}
							<span className="sub">{t("ask.promise")}</span>
						</div>
					</form>
					<div className="scroll">
						{id ? <Answers id={id} question={question.data} /> : <Examples choose={setTyped} />}
						{question.error && <Wrong reason={question.error} retry={() => void question.refetch()} large />}
					</div>
				</div>
				<FieldHelp insert={insert} />
			</div>
		</div>
	);
}

function Progress({ question }: { question: Question }) {
	const t = useT();
	const words = t(question.state === "asking" ? "ask.asking" : "ask.done", {
		answered: question.answered,
		asked: question.asked,
	});
	const rest = [
		question.failed > 0 && t("ask.failed", { n: question.failed }),
		question.offline_machine_ids.length > 0 && t("ask.offline", { n: question.offline_machine_ids.length }),
	].filter(Boolean);
	return (
		<span role="status">
			{words}
			{rest.length > 0 && <span className="mid"> {rest.join(" ")}</span>}
		</span>
	);
}

function Examples({ choose }: { choose: (expression: string) => void }) {
	const t = useT();
	const examples = useExamples();
	if (examples.error) return <Wrong reason={examples.error} retry={() => void examples.refetch()} large />;
	if (!examples.data) return <Bones lines={6} />;
	return (
		<div className="sec">
			<h2>{t("ask.examples")}</h2>
			<ul>
				{examples.data.map((example) => (
					<li key={example.expression}>
						<button type="button" className="plain example" onClick={() => choose(example.expression)}>
							<b>{pick(example.title)}</b>
							<br />
							<span className="mono mid">{example.expression}</span>
						</button>
					</li>
				))}
			</ul>
		</div>
	);
}

type Line = { machine: string; name: string; row: Record<string, unknown>; answer: Answer };

function Answers({ id, question }: { id: string; question?: Question }) {
	const t = useT();
	const answers = useAnswers(id, (question?.answered ?? 0) + (question?.failed ?? 0));
	const { lines, refused, ...answered } = useMemo(() => table(answers.data ?? []), [answers.data]);
	const known = useFields();
	const fields = inOrder(known.data ?? [], question?.expression ?? "", answered.fields);
	const units = new Map(
		fields.map((field) => [field, unitOf(known.data ?? [], question?.expression ?? "", field)] as const),
	);
	const numeric = new Set(fields.filter((field) => lines.some((line) => typeof line.row[field] === "number")));
	if (answers.error) return <Wrong reason={answers.error} retry={() => void answers.refetch()} large />;
	if (lines.length === 0 && refused.length === 0)
		return question?.state === "done" ? (
			<Empty large>{t("ask.nothing")}</Empty>
		) : (
			<div className="sec">
				<Bones lines={6} />
			</div>
		);
	return (
		<div className="sec">
			{lines.length > 0 && (
				<table className="plain">
					<thead>
						<tr>
							<th>{t("computers.computer")}</th>
							{fields.map((field) => (
								<th key={field} className={numeric.has(field) ? "r" : undefined}>
									<span className="mono">{field}</span>
								</th>
							))}
							<th className="r">{t("ask.age")}</th>
						</tr>
					</thead>
					<tbody>
						{lines.map((line, i) => (
							<tr key={`${line.machine} ${i}`}>
								<td>
									<Link to="/computers/$id" params={{ id: line.machine }} className="link mono nowrap">
										{line.name}
									</Link>
								</td>
								{fields.map((field) => (
									<td key={field} className={numeric.has(field) ? "r" : undefined}>
										{shown(field, line.row[field], units.get(field)) ?? <span className="dim">{t("ask.unknown")}</span>}
									</td>
								))}
								<td className="r dim">
									{duration(line.answer.age_seconds)}
									{line.answer.truncated && ` · ${t("ask.truncated")}`}
								</td>
							</tr>
						))}
					</tbody>
				</table>
			)}
			<RefusedAnswers answers={refused} />
		</div>
	);
}

/** Who could not answer, and why: a number alone does not say whom to ask again. */
function RefusedAnswers({ answers }: { answers: Answer[] }) {
	const t = useT();
	if (answers.length === 0) return null;
	return (
		<section>
			<h2>{t("ask.refused")}</h2>
			<ul className="rows">
				{answers.map((answer) => (
					<li key={answer.machine_id}>
						<Link to="/computers/$id" params={{ id: answer.machine_id }} className="link mono nowrap">
							{answer.machine_name}
						</Link>
						<span className="mid">{answer.error}</span>
					</li>
				))}
			</ul>
		</section>
	);
}

/** One line for each row of each answer, the fields in the order in which they were first seen; refused answers apart. */
export function table(answers: Answer[]): { lines: Line[]; fields: string[]; refused: Answer[] } {
	const fields: string[] = [];
	const lines: Line[] = [];
	for (const answer of answers) {
		const line = { machine: answer.machine_id, name: answer.machine_name, answer };
		for (const row of answer.rows) {
			for (const field of Object.keys(row)) if (!fields.includes(field)) fields.push(field);
			lines.push({ ...line, row });
		}
	}
	return { lines, fields, refused: answers.filter((answer) => answer.error) };
}

/**
 * The unit of a column: that of the field it shows. A column that the expression computes has none that we know, and neither has one
 * that it gives another name than the field's own path.
 */
export function unitOf(known: Pick<Field, "name" | "unit">[], expression: string, column: string): string | undefined {
	const named = new RegExp(`[{,]\\s*"?${column.replace(/\W/g, "\\$&")}"?\\s*:\\s*([\\w.]+)\\s*[,}]`).exec(
		expression,
	)?.[1];
	const mapped = column === "value" ? (/,\s*(\.\w+)\s*\)\s*$/.exec(expression)?.[1] ?? expression.trim()) : undefined;
	const path = named ?? mapped ?? (expression.includes("{") ? undefined : `.${column}`);
	if (!path) return undefined;
	return known.find(({ name }) => (path.startsWith(".") ? isOf(name, path, expression) : name === path))?.unit;
}

/** Whether a field is what `path`, as ".used", means where `expression` asks of its list. */
function isOf(name: string, path: string, expression: string): boolean {
	const list = name.slice(0, -path.length);
	return name.endsWith(path) && new RegExp(`\\b${list.replace(/s$/, "s?")}\\b`).test(expression);
}

/** Columns as the expression writes them, or else as their list has its fields; answers bring them as the alphabet has it. */
export function inOrder(known: Pick<Field, "name">[], expression: string, columns: string[]): string[] {
	const place = (column: string) => {
		const written = expression.search(new RegExp(`[{,]\\s*"?${column.replace(/\W/g, "\\$&")}"?\\s*:`));
		if (written >= 0) return written;
		const field = known.findIndex(({ name }) => isOf(name, `.${column}`, expression));
		return expression.length + (field < 0 ? known.length : field);
	};
	return [...columns].sort((a, b) => place(a) - place(b));
}

/** What a cell of an answer says; nothing of a value that is not known. */
export function shown(field: string, value: unknown, unit: string | undefined): string | undefined {
	if (value === null || value === undefined) return undefined;
	if (typeof value === "number" && unit === "ratio") return percent(value, value < 0.1 ? 1 : 0);
	if (typeof value === "number")
		return field.endsWith("_bytes")
			? bytes(value)
			: /(^|_)(pid|id|port)$/.test(field)
				? String(value)
				: number(value, 2);
	if (typeof value !== "string") return JSON.stringify(value);
	return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? when(value) : value;
}
