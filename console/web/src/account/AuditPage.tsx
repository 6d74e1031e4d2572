/** The audit log: who did what to which machine, newest first. */
import { useT } from "../i18n";
import { moment, when } from "../i18n/format";
import { Bones, Btn, Empty, Wrong } from "../ui/parts";
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
							<td>{item.actor.name || item.actor.kind}</td>
							<td className="mono">{item.action}</td>
							<td className="mid">{item.result}</td>
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
