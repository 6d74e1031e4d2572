/** Every machine, worst first: searched, filtered, sorted and paged at the console. */
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useCan } from "../api/me";
import type { Group, Health, MachineCounts } from "../api/types";
import { type MessageId, pick, useT } from "../i18n";
import { number } from "../i18n/format";
import { Icon } from "../ui/icons";
import { List, ListBones } from "../ui/list";
import { Btn, Empty, Mark, Wrong } from "../ui/parts";
import { SearchField } from "../ui/search";
import { machineColumns } from "./columns";
import { EnrolLine } from "./EnrolLine";
import { type MachineFilter, useExamples, useGroups, useMachineCounts, useMachineNews, useMachines } from "./queries";
import "./fleet.css";

type Props = { filter: MachineFilter; set: (change: Partial<MachineFilter>) => void; open: (id: string) => void };

const grades = ["critical", "warning", "unknown", "ok"] as const satisfies Health[];

export function ComputersPage({ filter, set, open }: Props) {
	const t = useT();
	const can = useCan();
	const machines = useMachines(filter);
	const counts = useMachineCounts();
	const news = useMachineNews(filter);
	const columns = useMemo(() => machineColumns(t), [t]);
	const rows = useMemo(() => machines.data?.pages.flatMap((page) => page.items) ?? [], [machines.data]);
	const { total, over } = machines.data?.pages[0] ?? { total: 0, over: false };
	const filtered = !!(filter.q || filter.presence || filter.health || filter.group);
	const groups = useGroups();
	useEffect(() => {
		document.title = `${t("nav.computers")} · Deskside`;
	}, [t]);

	if (counts.data?.total === 0 && !filtered && rows.length === 0)
		return (
			<div className="page">
				<h1 className="out-of-sight">{t("nav.computers")}</h1>
				<Empty large action={can("machine.enrol") ? <EnrolLine /> : undefined}>
					{t(can("machine.enrol") ? "computers.first_day" : "computers.first_day_ask")}
				</Empty>
			</div>
		);
	return (
		<div className="page">
			<section className="page-head fleet-head">
				<div className="line wrap">
					<h1 className="sentence grow">{counts.data ? fleetSentence(t, counts.data) : t("nav.computers")}</h1>
					<SearchField
						className="fleet-search"
						value={filter.q ?? ""}
						placeholder={counts.data?.total ? t("computers.filter", { n: counts.data.total }) : undefined}
						onChange={(q) => set({ q: q || undefined })}
					/>
				</div>
				{counts.data && <Distribution counts={counts.data} />}
			</section>
			<div className="fleet">
				<Rail filter={filter} counts={counts.data} groups={groups.data ?? []} set={set} />
				<div className="fleet-col">
					<div className="views">
						{grades.map((grade) => (
							<button
								key={grade}
								type="button"
								className="view"
								aria-pressed={filter.health === grade}
								onClick={() => set({ health: filter.health === grade ? undefined : grade })}
							>
								<Mark grade={grade}>
									<b>{counts.data ? number(counts.data.by_health[grade]) : ""}</b> {t(`health.count.${grade}`)}
								</Mark>
							</button>
						))}
						{filter.group && (
							<Btn kind="bare" low rightSection={<Icon name="cross" />} onClick={() => set({ group: undefined })}>
								{groups.data?.find((g) => g.id === filter.group)?.name ?? t("groups.title")}
								<span className="out-of-sight"> {t("act.clear_filter")}</span>
							</Btn>
						)}
						<span className="grow" />
						{news.news && (
							<Btn kind="bare" go onClick={news.refresh}>
								{t("computers.show_changes")}
							</Btn>
						)}
					</div>
					{machines.error ? (
						<Wrong reason={machines.error} retry={() => void machines.refetch()} large />
					) : machines.isPending ? (
						<ListBones columns={columns} />
					) : rows.length === 0 ? (
						<Empty
							large
							action={
								<Btn onClick={() => set({ q: undefined, presence: undefined, health: undefined, group: undefined })}>
									{t("act.clear_filter")}
								</Btn>
							}
						>
							{filter.q
								? t("computers.nothing_for", { q: filter.q })
								: t("computers.nothing", { n: counts.data?.total ?? 0 })}
						</Empty>
					) : (
						<List
							label={t("nav.computers")}
							columns={columns}
							rows={rows}
							total={total}
							over={over}
							keyOf={(m) => m.id}
							open={(m) => open(m.id)}
							more={() => !machines.isFetchingNextPage && machines.hasNextPage && void machines.fetchNextPage()}
							sort={filter.sort}
							onSort={(sort) => set({ sort: sort === "health" ? undefined : sort })}
						/>
					)}
				</div>
			</div>
		</div>
	);
}

/** What the fleet needs, in a sentence. Of whom nothing is known it does not say that they are well. */
export function fleetSentence(t: ReturnType<typeof useT>, { by_health, total }: MachineCounts): string {
	const { critical, warning, unknown } = by_health;
	if (critical && warning)
		return `${t("computers.need", { n: critical })}, ${t("computers.and_week", { n: warning })}.`;
	if (critical) return `${t("computers.need", { n: critical })}.`;
	if (warning) return `${t("computers.week", { n: warning })}.`;
	const fine = total - unknown;
	return [
		(fine > 0 || !unknown) && t("computers.fine", { n: fine }),
		unknown > 0 && t("computers.not_known", { n: unknown }),
	]
		.filter(Boolean)
		.join(" ");
}

function Distribution({ counts }: { counts: MachineCounts }) {
	const t = useT();
	const { by_health } = counts;
	const said = grades.map((grade) => `${number(by_health[grade])} ${t(`health.count.${grade}`)}`).join(", ");
	return (
		<div className="dist" role="img" aria-label={said}>
			{grades.map(
				(grade) => by_health[grade] > 0 && <i key={grade} className={grade} style={{ flexGrow: by_health[grade] }} />,
			)}
		</div>
	);
}

/** More groups than these are on their own page. */
const GROUPS = 12;

type RailProps = { filter: MachineFilter; counts?: MachineCounts; groups: Group[]; set: Props["set"] };

/** Left of the list: presence, groups, and the questions one asks often. */
function Rail({ filter, counts, groups, set }: RailProps) {
	const t = useT();
	const can = useCan();
	const examples = useExamples();
	const entries: { value: MachineFilter["presence"]; word: MessageId; n?: number }[] = [
		{ value: undefined, word: "computers.all", n: counts?.total },
		{ value: "online", word: "computers.online", n: counts?.online },
		{ value: "offline", word: "computers.offline", n: counts && counts.total - counts.online },
	];
	return (
		<nav className="rail not-narrow" aria-label={t("computers.presence")}>
			<div className="label">{t("computers.presence")}</div>
			{entries.map(({ value, word, n }) => (
				<button
					key={word}
					type="button"
					className={value === undefined && filter.group ? "no-filter" : undefined}
					aria-pressed={filter.presence === value}
					onClick={() => set({ presence: value })}
				>
					<span className="cut">{t(word)}</span>
					<span className="dim">{n === undefined ? "" : number(n)}</span>
				</button>
			))}
			<div className="label">{t("groups.title")}</div>
			{groups.slice(0, GROUPS).map((group) => (
				<button
					key={group.id}
					type="button"
					aria-pressed={filter.group === group.id}
					title={group.rule}
					onClick={() => set({ group: filter.group === group.id ? undefined : group.id })}
				>
					<span className="cut">{group.name}</span>
					<span className="dim">{group.state === "ready" ? number(group.machines) : "…"}</span>
				</button>
			))}
			<Link to="/computers/groups" className="link">
				<span className="line">
					{groups.length === 0 && can("group.write") && <Icon name="plus" />}
					{t(
						groups.length > GROUPS
							? "groups.all"
							: groups.length > 0 || !can("group.write")
								? "groups.manage"
								: "groups.first",
					)}
				</span>
			</Link>
			{can("question.ask") && (
				<>
					<div className="label">{t("ask.questions")}</div>
					{examples.data?.map((example) => (
						<Link
							key={example.expression}
							to="/computers/ask"
							search={{ e: example.expression }}
							title={pick(example.title)}
						>
							<span className="two-lines">{pick(example.title)}</span>
						</Link>
					))}
					<Link to="/computers/ask" className="link">
						<span className="line">
							<Icon name="plus" />
							{t("ask.ask")}
						</span>
					</Link>
				</>
			)}
		</nav>
	);
}
