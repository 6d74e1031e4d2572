/** Groups: a name and a rule over facts; the machines for which it holds follow by themselves. */
import { Textarea, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useCan } from "../api/me";
import type { Group } from "../api/types";
import { useT } from "../i18n";
import { number } from "../i18n/format";
import { Confirm } from "../ui/confirm";
import { Icon } from "../ui/icons";
import { say } from "../ui/notices";
import { Bones, Btn, Empty, useFieldErrors, Wrong } from "../ui/parts";
import { FieldHelp, Refused } from "./expression";
import { useDeleteGroup, useGroups, useWriteGroup } from "./queries";
import "./fleet.css";

type Props = { chosen?: string; choose: (id: string | undefined) => void };

export function GroupsPage({ chosen, choose }: Props) {
	const t = useT();
	const can = useCan();
	const groups = useGroups();
	const insert = useRef<(name: string) => void>(() => {});
	const group = groups.data?.find((g) => g.id === chosen);
	useEffect(() => {
		document.title = `${t("groups.title")} · Deskside`;
	}, [t]);
	return (
		<div className="page">
			<section className="page-head">
				<h1 className="sentence">{t("groups.title")}</h1>
				<p className="sub">{t("groups.lead")}</p>
			</section>
			<div className={can("group.write") ? "split" : undefined}>
				<div className="page">
					{can("group.write") && groups.data && (
						<Editor key={group?.id ?? "new"} group={group} choose={choose} insert={insert} />
					)}
					<div className="scroll">
						{groups.error ? (
							<Wrong reason={groups.error} retry={() => void groups.refetch()} large />
						) : !groups.data ? (
							<Bones lines={6} />
						) : groups.data.length === 0 ? (
							<Empty large>{t(can("group.write") ? "groups.none" : "groups.none_ask")}</Empty>
						) : (
							<div className="sec">
								<Groups groups={groups.data} chosen={chosen} choose={can("group.write") ? choose : undefined} />
							</div>
						)}
					</div>
				</div>
				{can("group.write") && <FieldHelp facts insert={(name) => insert.current(name)} />}
			</div>
		</div>
	);
}

type ListProps = { groups: Group[]; chosen?: string; choose?: (id: string) => void };

function Groups({ groups, chosen, choose }: ListProps) {
	const t = useT();
	const can = useCan();
	return (
		<table className="plain groups">
			<thead>
				<tr>
					<th>{t("groups.name")}</th>
					<th className="not-narrow">{t("groups.rule")}</th>
					<th className="r">{t("groups.computers")}</th>
					<th className="r not-narrow" title={t("groups.unknown_what")}>
						{t("groups.unknown")}
					</th>
					<th>
						<span className="out-of-sight">{t("people.acts")}</span>
					</th>
				</tr>
			</thead>
			<tbody>
				{groups.map((group) => (
					<tr key={group.id} aria-current={group.id === chosen || undefined}>
						<td>
							{choose ? (
								<button type="button" className="plain" onClick={() => choose(group.id)}>
									<b className="cut">{group.name}</b>
								</button>
							) : (
								<b className="cut">{group.name}</b>
							)}
						</td>
						<td className="mono mid not-narrow">{group.rule}</td>
						<td className="r">
							{group.state === "judging" ? (
								<span role="status">{t("groups.judging", { n: group.judged })}</span>
							) : (
								<Link to="/computers" search={{ group: group.id }} className="link" title={t("groups.show")}>
									{number(group.machines)}
								</Link>
							)}
						</td>
						<td className="r dim not-narrow">{group.unknown > 0 && number(group.unknown)}</td>
						<td className="r">
							{can("question.ask") && (
								<Link to="/computers/ask" search={{ group: group.id }} className="link nowrap">
									{t("groups.ask")}
									<span className="out-of-sight"> {group.name}</span>
								</Link>
							)}
						</td>
					</tr>
				))}
			</tbody>
		</table>
	);
}

type EditorProps = {
	group?: Group;
	choose: (id: string | undefined) => void;
	insert: React.RefObject<(name: string) => void>;
};

/** Makes a group, or changes the one that is given. */
function Editor({ group, choose, insert }: EditorProps) {
	const t = useT();
	const write = useWriteGroup();
	const remove = useDeleteGroup();
	const errors = useFieldErrors(write.error);
	/** The version that is edited. Who was told that somebody else was quicker saves over theirs. */
	const [seen, setSeen] = useState(group);
	const [name, setName] = useState(group?.name ?? "");
	const [rule, setRule] = useState(group?.rule ?? "");
	const [leaving, setLeaving] = useState(false);
	const field = useRef<HTMLTextAreaElement>(null);
	insert.current = (word) => {
		const at = field.current?.selectionStart ?? rule.length;
		setRule(rule.slice(0, at) + word + rule.slice(field.current?.selectionEnd ?? at));
		field.current?.focus();
	};
	const save = () =>
		write.mutate(
			{ group: group && (seen ?? group), text: { name: name.trim(), rule: rule.trim() } },
			{
				onError: () => setSeen(undefined),
				onSuccess: (saved) => {
					setSeen(saved);
					say(t("groups.saved", { name: saved.name }));
					choose(saved.id);
				},
			},
		);
	return (
		<form
			className="ask"
			onSubmit={(event) => {
				event.preventDefault();
				save();
			}}
		>
			<TextInput
				label={t("groups.name")}
				value={name}
				maxLength={64}
				error={errors.name}
				onChange={(event) => setName(event.currentTarget.value)}
			/>
			<Textarea
				ref={field}
				label={t("groups.rule")}
				placeholder='os.family == "windows" and hardware.memory_bytes < 8e9'
				value={rule}
				minRows={2}
				maxRows={8}
				spellCheck={false}
				onChange={(event) => setRule(event.currentTarget.value)}
			/>
			{write.error && !errors.name && (
				<Refused reason={write.error} expression={write.variables?.text.rule ?? ""} field="rule" />
			)}
			{remove.error && <Wrong reason={remove.error} />}
			<div className="line wrap">
				<Btn type="submit" kind="first" loading={write.isPending} disabled={!name.trim() || !rule.trim()}>
					{t(group ? "groups.save" : "groups.make")}
				</Btn>
				{group && (
					<>
						<Btn onClick={() => choose(undefined)}>
							<Icon name="plus" />
							{t("groups.new")}
						</Btn>
						<span className="grow" />
						<Btn kind="bare" onClick={() => setLeaving(true)}>
							{t("groups.delete")}
						</Btn>
					</>
				)}
			</div>
			{group && leaving && (
				<Confirm
					title={t("groups.delete_title", { name: group.name })}
					act={t("groups.delete_act")}
					busy={remove.isPending}
					close={() => setLeaving(false)}
					confirm={() =>
						remove.mutate(group, {
							onSuccess: () => {
								say(t("groups.deleted", { name: group.name }));
								choose(undefined);
							},
							onSettled: () => setLeaving(false),
						})
					}
				>
					{t("groups.delete_what")}
				</Confirm>
			)}
		</form>
	);
}
