/** Who else could lead a ticket, as items of a menu; where they are many, a few letters of a name find one. */
import { Menu, TextInput } from "@mantine/core";
import { useState } from "react";
import { useMe } from "../api/me";
import { useT } from "../i18n";
import { Wrong } from "../ui/parts";
import { usePeople } from "./queries";

/** More than these are looked for by their letters. */
const AT_A_GLANCE = 12;

const folded = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/ł/gi, "l").toLowerCase();

export function Colleagues({ choose }: { choose: (id: string) => void }) {
	const t = useT();
	const me = useMe();
	const people = usePeople();
	const [text, setText] = useState("");
	const all = (people.data ?? []).filter((person) => person.id !== me.id && person.role !== "viewer");
	const wanted = folded(text.trim());
	const found = all.filter((person) => folded(`${person.display_name} ${person.name}`).includes(wanted));
	if (people.error) return <Wrong reason={people.error} retry={() => void people.refetch()} />;
	return (
		<>
			{all.length > AT_A_GLANCE && (
				<TextInput
					type="search"
					autoComplete="off"
					aria-label={t("ticket.find_colleague")}
					placeholder={t("ticket.find_colleague")}
					value={text}
					onChange={(event) => setText(event.currentTarget.value)}
				/>
			)}
			<div className="colleagues">
				{found.map((person) => (
					<Menu.Item key={person.id} onClick={() => choose(person.id)}>
						{person.display_name || person.name}
					</Menu.Item>
				))}
			</div>
			{wanted && found.length === 0 && <Menu.Label>{t("ticket.no_colleague")}</Menu.Label>}
		</>
	);
}
