/** What is wrong with a machine: the sentence of its page and the list of findings, worst first. */
import { Tooltip } from "@mantine/core";
import { useState } from "react";
import { useActs } from "../api/acts";
import { useCan } from "../api/me";
import type { Alert, Machine } from "../api/types";
import { pick, useT } from "../i18n";
import { when } from "../i18n/format";
import { Bones, Btn, type Grade, Mark, Wrong } from "../ui/parts";
import { FindingCard } from "./FindingCard";
import { useAcknowledge, useAlerts } from "./queries";
import "./health.css";

const openOnes = (alerts: Alert[] | undefined) => (alerts ?? []).filter((alert) => alert.state !== "resolved");

/** The worst finding in plain words, and how many more there are. */
export function Sentence({ machine }: { machine: Machine }) {
	const t = useT();
	const alerts = useAlerts({ machine_id: machine.id });
	const open = openOnes(alerts.data);
	const worst = open[0];
	if (!worst) {
		if (machine.headline) return pick(machine.headline.title);
		if (machine.health === "unknown") return t("machine.unknown");
		return machine.last_seen_at ? t("machine.fine", { at: when(machine.last_seen_at) }) : t("machine.just_enrolled");
	}
	const more = open.length - 1;
	return (
		<>
			{pick(worst.plain) || pick(worst.title)}{" "}
			{more > 0 && <span className="mid">{t("machine.more_findings", { n: more })}</span>}
		</>
	);
}

export function Findings({ machine }: { machine: Machine }) {
	const alerts = useAlerts({ machine_id: machine.id });
	const [open, setOpen] = useState<string>();
	if (alerts.error)
		return (
			<div className="sec">
				<Wrong reason={alerts.error} retry={() => void alerts.refetch()} />
			</div>
		);
	if (!alerts.data)
		return (
			<div className="sec">
				<Bones lines={2} />
			</div>
		);
	const shown = openOnes(alerts.data);
	if (shown.length === 0) return null;
	return (
		<ul className="findings">
			{shown.map((alert) => (
				<Finding
					key={alert.id}
					alert={alert}
					open={open === alert.id}
					toggle={() => setOpen(open === alert.id ? undefined : alert.id)}
				/>
			))}
		</ul>
	);
}

function Finding({ alert, open, toggle }: { alert: Alert; open: boolean; toggle: () => void }) {
	const t = useT();
	const can = useCan();
	const acts = useActs();
	const acknowledge = useAcknowledge();
	const grade: Grade = alert.state === "unknown" ? "unknown" : alert.severity;
	const flags = [
		alert.flapping && t("alert.flapping"),
		alert.silenced && t("alert.silenced"),
		alert.acknowledged_by && t("alert.acknowledged", { name: alert.acknowledged_by.name }),
	].filter(Boolean);
	return (
		<li>
			<div className="finding-line">
				<Mark grade={grade} />
				<button type="button" className="plain cut" aria-expanded={open} onClick={toggle}>
					<b>{pick(alert.title)}</b>
					{alert.instance && <span className="dim"> {alert.instance}</span>}
				</button>
				<span className="line not-narrow">
					{flags.length > 0 && <span className="tag">{flags.join(" · ")}</span>}
					{alert.count > 1 && <span className="times">× {alert.count}</span>}
					<span className="mono dim">{alert.check}</span>
				</span>
				<span className="sub since">{t("alert.since", { at: when(alert.started_at) })}</span>
				{alert.cures[0] && can("run.start") ? (
					<Btn
						low
						onClick={() =>
							acts.run({ machine: alert.machine_id, ticket: alert.ticket_id ?? undefined, script: alert.cures[0] })
						}
					>
						{t("alert.repair")}
					</Btn>
				) : can("ticket.write") ? (
					<Tooltip label={t("alert.acknowledge_why")}>
						<Btn low kind="bare" loading={acknowledge.isPending} onClick={() => acknowledge.mutate(alert)}>
							{t(alert.acknowledged_by ? "alert.unacknowledge" : "alert.acknowledge")}
						</Btn>
					</Tooltip>
				) : (
					<span />
				)}
			</div>
			{open && (
				<div className="finding-open">
					<FindingCard alert={alert} />
				</div>
			)}
		</li>
	);
}
