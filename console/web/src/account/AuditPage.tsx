/** The audit log: who did what to what, newest first, in sentences. */
import { Link } from "@tanstack/react-router";
import { Fragment } from "react";
import type { AuditItem } from "../api/types";
import { pick, useT } from "../i18n";
import { moment, when } from "../i18n/format";
import { Bones, Btn, Empty, Wrong } from "../ui/parts";
import { aboutOf, didWords, resultWords, whoDid } from "./audit";
import { useAudit } from "./queries";

export function AuditPage() {
	const t = useT();
	const audit = useAudit();
	if (audit.error) return <Wrong reason={audit.error} retry={() => void audit.refetch()} large />;
	if (!audit.data) return <Bones lines={8} />;
	const rows = audit.data.pages.flatMap((page) => page.items);
	if (rows.length === 0) return <Empty large>{t("audit.empty")}</Empty>;
	return (
		<>
			<p className="sub settings-lead">{t("audit.lead")}</p>
			<table className="plain">
				<thead>
					<tr>
						<th>{t("audit.at")}</th>
						<th>{t("audit.who")}</th>
						<th>{t("audit.what")}</th>
						<th>{t("audit.result")}</th>
					</tr>
				</thead>
				<tbody>
					{rows.map((item) => (
						<tr key={item.id}>
							<td title={moment(item.at)}>{when(item.at)}</td>
							<td>{whoDid(t, item.actor, item.subjects)}</td>
							<td title={item.action}>
								<What item={item} />
							</td>
							<td className="mid">{resultWords(t, item.result)}</td>
						</tr>
					))}
				</tbody>
			</table>
			{audit.hasNextPage && (
				<Btn low loading={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
					{t("act.more")}
				</Btn>
			)}
		</>
	);
}

/** “Stopped a script: Restart a service, LAP-1”. Who did something to themselves is not named twice. */
function What({ item }: { item: AuditItem }) {
	const t = useT();
	const about = aboutOf(item);
	const { check, dry_run: dry, reason } = item.detail;
	return (
		<>
			{didWords(t, item.action)}
			{about.length > 0 && ": "}
			{about.map((one, i) => (
				<Fragment key={`${one.kind} ${one.id}`}>
					{i > 0 && ", "}
					<Subject subject={one} />
				</Fragment>
			))}
			{typeof check === "string" && (
				<>
					: <span className="mono">{check}</span>
				</>
			)}
			{dry === true && `, ${t("run.dry")}`}
			{typeof reason === "string" && reason && <span className="dim"> · {reason}</span>}
		</>
	);
}

function Subject({ subject }: { subject: AuditItem["subjects"][number] }) {
	const t = useT();
	const name = pick(subject.name);
	if (!name) return <span className="dim">{t("audit.gone")}</span>;
	const to = subject.kind === "machine" ? "/computers/$id" : subject.kind === "ticket" ? "/tickets/$id" : undefined;
	if (to)
		return (
			<Link to={to} params={{ id: subject.id }} className="link mono nowrap">
				{name}
			</Link>
		);
	return <span className={subject.kind === "question" ? "mono" : undefined}>{name}</span>;
}
