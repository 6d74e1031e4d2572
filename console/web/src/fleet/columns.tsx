import type { Machine } from "../api/types";
import type { Translate } from "../i18n";
import { age, moment } from "../i18n/format";
import { headline, presence, systemName } from "../i18n/words";
import type { Column } from "../ui/list";
import { Mark } from "../ui/parts";

/** The columns of the fleet. What first line asks for first stands first: what is wrong, where, whose. */
export function machineColumns(t: Translate): Column<Machine>[] {
	return [
		{
			id: "health",
			head: t("computers.health"),
			width: "minmax(200px, 2.3fr)",
			sort: "health",
			area: "title",
			cell: (m) => (
				<span className="line">
					<Mark grade={m.health}>
						<span title={headline(t, m)}>{headline(t, m)}</span>
					</Mark>
					{m.open_alerts > 1 && (
						<span className="times" title={t("computers.alerts", { n: m.open_alerts })}>
							+{m.open_alerts - 1}
						</span>
					)}
				</span>
			),
		},
		{
			id: "name",
			head: t("computers.computer"),
			width: "112px",
			sort: "name",
			area: "end",
			cell: (m) => (
				<span className="mono" title={m.name}>
					{m.name}
				</span>
			),
		},
		{
			id: "person",
			head: t("computers.person"),
			width: "minmax(90px, 1.2fr)",
			area: "under",
			cell: (m) =>
				m.people?.[0] ? (
					<span title={m.people.map((p) => p.name).join(", ")}>{m.people[0].name}</span>
				) : (
					<span className="dim">{t(m.people ? "computers.nobody" : "computers.who_unknown")}</span>
				),
		},
		{
			id: "presence",
			head: t("computers.presence"),
			width: "minmax(116px, 1.3fr)",
			area: "under-end",
			cell: (m) => (
				<span className="line mid">
					<span className={m.presence === "online" ? "present on" : "present"} />
					<span className="cut">{presence(t, m)}</span>
				</span>
			),
		},
		{
			id: "system",
			head: t("computers.system"),
			width: "minmax(80px, 1.4fr)",
			cell: (m) => (
				<span className="mid" title={systemName(m.os)}>
					{systemName(m.os)}
				</span>
			),
		},
		{
			id: "seen",
			head: t("computers.seen"),
			width: "64px",
			sort: "last_seen_at",
			down: true,
			end: true,
			cell: (m) => (
				<span className="mid" title={m.last_seen_at ? moment(m.last_seen_at) : undefined}>
					{m.presence === "online" ? t("time.now") : m.last_seen_at ? age(m.last_seen_at) : t("computers.never")}
				</span>
			),
		},
	];
}
