/** The findings of a ticket's alerts: the worst as a card, the others behind it. */
import { useState } from "react";
import type { Alert, Ticket } from "../api/types";
import { pick, useT } from "../i18n";
import { when } from "../i18n/format";
import { Bones, Btn, Chip, Wrong } from "../ui/parts";
import { AlertLine, FindingCard } from "./FindingCard";
import { useAlerts } from "./queries";
import "./health.css";

/**
 * Since when all causes of a ticket that is still open are gone: the moment of the last one, or nothing. Only a ticket that an alert
 * opened has them: beside what a person wrote, alerts are what the computer reports at the same time.
 */
export function goneSince(ticket: Pick<Ticket, "state" | "source">, alerts: Alert[]): string | undefined {
	if (ticket.source !== "alert" || ticket.state === "resolved" || ticket.state === "closed") return undefined;
	if (alerts.some((alert) => alert.state !== "resolved")) return undefined;

	return alerts
		.flatMap((alert) => alert.resolved_at ?? [])
		.sort((a, b) => Date.parse(a) - Date.parse(b))
		.at(-1);
}

export function TicketFindings({ ticket, resolve }: { ticket: Ticket; resolve?: () => void }) {
	const t = useT();
	const wanted = ticket.alert_ids.length > 0;
	const alerts = useAlerts({ ticket_id: ticket.id });
	const [chosen, setChosen] = useState<string>();
	if (!wanted && !alerts.data?.length) return null;
	if (alerts.error)
		return (
			<div className="ticket-finding">
				<Wrong reason={alerts.error} retry={() => void alerts.refetch()} />
			</div>
		);
	if (!alerts.data)
		return (
			<div className="ticket-finding">
				<Bones lines={4} />
			</div>
		);
	const shown = alerts.data.find((alert) => alert.id === chosen) ?? alerts.data[0];
	if (!shown) return null;
	const gone = goneSince(ticket, alerts.data);
	return (
		<div className="ticket-finding">
			{ticket.source !== "alert" && (
				<p className="sub">{t("ticket.meanwhile", { n: new Set(alerts.data.map((one) => one.machine_id)).size })}</p>
			)}
			{alerts.data.length > 1 && (
				<div className="line wrap" role="group" aria-label={t("finding.all")}>
					{alerts.data.map((alert) => (
						<button
							key={alert.id}
							type="button"
							className="plain other-finding"
							aria-pressed={alert.id === shown.id}
							onClick={() => setChosen(alert.id)}
						>
							<AlertLine alert={alert} />
						</button>
					))}
				</div>
			)}
			{gone && (
				<div className="line cause-gone">
					<p className="grow">
						{t(ticket.requester ? "ticket.cause_gone" : "ticket.cause_gone_nobody", { since: when(gone) })}
					</p>
					{resolve && (
						<Btn low kbd="d" onClick={resolve}>
							{t("act.resolve")}
						</Btn>
					)}
				</div>
			)}
			<FindingCard key={shown.id} alert={shown} />
		</div>
	);
}

/** Said before a ticket is resolved while its checks still fail. */
export function StillFailing({ ticket }: { ticket: Ticket }) {
	const t = useT();
	const alerts = useAlerts({ ticket_id: ticket.id });
	const failing = (alerts.data ?? []).filter((alert) => alert.state === "firing");
	const first = failing[0];
	if (!first) return null;
	return (
		<div className="line">
			<Chip grade={first.severity}>{t("verdict.still_failing")}</Chip>
			<span>{t("resolve.still", { what: pick(first.title), n: failing.length })}</span>
		</div>
	);
}
