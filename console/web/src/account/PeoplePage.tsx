/** Who may sign in to the console: their role, and taking it from them or giving it back. */
import { Menu } from "@mantine/core";
import { useState } from "react";
import { useMe } from "../api/me";
import type { Person, Role } from "../api/types";
import { type MessageId, useT } from "../i18n";
import { moment, when } from "../i18n/format";
import { Confirm } from "../ui/confirm";
import { Icon } from "../ui/icons";
import { say } from "../ui/notices";
import { Bones, Btn, Empty, Face, Seg, useSentence, Wrong } from "../ui/parts";
import { SearchField } from "../ui/search";
import { type PeopleState, useChangePerson, usePersons } from "./queries";
import "./account.css";

const states: { value: PeopleState; word: MessageId }[] = [
	{ value: "active", word: "people.active" },
	{ value: "disabled", word: "people.disabled" },
	{ value: "all", word: "people.all" },
];
const roles: Role[] = ["admin", "technician", "viewer"];
const called = (person: Person) => person.display_name || person.name;

export function PeoplePage() {
	const t = useT();
	const [state, setState] = useState<PeopleState>("active");
	const [q, setQ] = useState("");
	const people = usePersons(state, q);
	const change = useChangePerson();
	const sentence = useSentence();
	const [leaving, setLeaving] = useState<Person>();
	const rows = people.data?.pages.flatMap((page) => page.items) ?? [];
	const set = (person: Person, what: { role?: Role; disabled?: boolean }, said: string) =>
		change.mutate({ person, change: what }, { onSuccess: () => say(said), onSettled: () => setLeaving(undefined) });
	return (
		<>
			<p className="sub settings-lead">{t("people.lead")}</p>
			<div className="line wrap settings-tools">
				<Seg
					label={t("people.state")}
					value={state}
					options={states.map(({ value, word }) => ({ value, label: t(word) }))}
					onChange={setState}
				/>
				<span className="grow" />
				<SearchField className="people-search" value={q} onChange={setQ} />
			</div>
			{change.error && (
				<p role="alert" className="alarm">
					<Icon name="critical" />
					{sentence(change.error)}
				</p>
			)}
			{people.error ? (
				<Wrong reason={people.error} retry={() => void people.refetch()} large />
			) : !people.data ? (
				<Bones lines={6} />
			) : rows.length === 0 ? (
				<Empty large action={q && <Btn onClick={() => setQ("")}>{t("act.clear_filter")}</Btn>}>
					{q ? t("people.nothing_for", { q }) : t(state === "disabled" ? "people.none_disabled" : "people.none")}
				</Empty>
			) : (
				<table className="plain people">
					<thead>
						<tr>
							<th>{t("people.person")}</th>
							<th>{t("people.role")}</th>
							<th className="not-narrow">{t("people.since")}</th>
							<th>
								<span className="out-of-sight">{t("people.acts")}</span>
							</th>
						</tr>
					</thead>
					<tbody>
						{rows.map((person) => (
							<Row
								key={person.id}
								person={person}
								busy={change.isPending}
								setRole={(role) =>
									set(person, { role }, t("people.role_set", { name: called(person), role: t(`role.${role}`) }))
								}
								disable={() => setLeaving(person)}
								enable={() => set(person, { disabled: false }, t("people.enabled", { name: called(person) }))}
							/>
						))}
					</tbody>
				</table>
			)}
			{people.hasNextPage && (
				<Btn low loading={people.isFetchingNextPage} onClick={() => void people.fetchNextPage()}>
					{t("act.more")}
				</Btn>
			)}
			<p className="sub settings-hint">
				{t("people.how_to_add")} <span className="mono">deskside-console person add</span>
			</p>
			{leaving && (
				<Confirm
					title={t("people.disable_title", { name: called(leaving) })}
					act={t("people.disable_act", { name: called(leaving) })}
					busy={change.isPending}
					close={() => setLeaving(undefined)}
					confirm={() => set(leaving, { disabled: true }, t("people.was_disabled", { name: called(leaving) }))}
				>
					{t("people.disable_what")}
				</Confirm>
			)}
		</>
	);
}

type RowProps = {
	person: Person;
	busy: boolean;
	setRole: (role: Role) => void;
	disable: () => void;
	enable: () => void;
};

function Row({ person, busy, setRole, disable, enable }: RowProps) {
	const t = useT();
	const own = useMe().id === person.id;
	return (
		<tr className={person.disabled ? "over" : undefined}>
			<td>
				<span className="line">
					<Face name={called(person)} />
					<b className="cut" title={called(person)}>
						{called(person)}
					</b>
					{person.display_name && <span className="mono dim cut not-narrow">{person.name}</span>}
					{own && <span className="tag">{t("people.you")}</span>}
					{person.disabled && <span className="tag">{t("people.tag_disabled")}</span>}
				</span>
			</td>
			<td>
				{own || person.disabled ? (
					t(`role.${person.role}`)
				) : (
					<Menu position="bottom-start">
						<Menu.Target>
							<Btn kind="bare" low disabled={busy} rightSection={<Icon name="down" />}>
								<span className="out-of-sight">{t("people.role_of", { name: called(person) })}: </span>
								{t(`role.${person.role}`)}
							</Btn>
						</Menu.Target>
						<Menu.Dropdown>
							{roles.map((role) => (
								<Menu.Item key={role} disabled={role === person.role} onClick={() => setRole(role)}>
									{t(`role.${role}`)}
									<span className="sub role-what">{t(`role.what.${role}`)}</span>
								</Menu.Item>
							))}
						</Menu.Dropdown>
					</Menu>
				)}
			</td>
			<td className="mid not-narrow" title={moment(person.created_at)}>
				{when(person.created_at)}
			</td>
			<td className="r">
				{!own && (
					<Btn low disabled={busy} onClick={person.disabled ? enable : disable}>
						{t(person.disabled ? "people.enable" : "people.disable")}
						<span className="out-of-sight"> {called(person)}</span>
					</Btn>
				)}
			</td>
		</tr>
	);
}
