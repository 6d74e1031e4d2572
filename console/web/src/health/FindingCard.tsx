/** The finding card: the plain sentence and the measurement side by side, with the evidence below both. */
import { useState } from "react";
import type { Alert } from "../api/types";
import { type Language, language, type MessageId, pick, useT } from "../i18n";
import { bytes, clock, measure, percent, when } from "../i18n/format";
import { spacing, withGaps } from "../ui/gaps";
import { Chip, type Grade, Mark } from "../ui/parts";
import { Evidence, type Point, PointsTable } from "../ui/plot";
import { useChecks, useRecovery } from "./queries";
import { limitsOf, seriesName, vitalOf, whyNot } from "./series";
import "./health.css";

export function FindingCard({ alert }: { alert: Alert }) {
	const t = useT();
	// Until somebody chooses, the reader's own: it may be known only after the first drawing.
	const [chosen, setChosen] = useState<Language>();
	const spoken = chosen ?? language();
	const resolved = alert.state === "resolved";
	const grade: Grade = alert.state === "unknown" ? "unknown" : alert.severity;
	const program = programOf(alert);
	// What an alert that is over said holds for then; what is true now stands before it.
	const over = resolved ? alert.resolved_at : null;
	const then = over && t("finding.then", { from: when(alert.started_at), until: when(over) });
	return (
		<article className="finding" aria-label={pick(alert.title)}>
			<div>
				<div className="line label finding-top">
					<span className="grow">{t("finding.plain")}</span>
					{(["en", "pl"] as const).map((one) => (
						<button
							key={one}
							type="button"
							className="tongue"
							aria-pressed={spoken === one}
							onClick={() => setChosen(one)}
						>
							{one.toUpperCase()}
						</button>
					))}
				</div>
				{resolved ? (
					<>
						<p className="finding-plain" lang={spoken}>
							{alert.done?.[spoken] || t("finding.over")}
						</p>
						<p className="finding-then">
							{then} <span lang={spoken}>{alert.plain[spoken] || alert.title[spoken]}</span>
						</p>
					</>
				) : (
					<p className="finding-plain" lang={spoken}>
						{alert.plain[spoken] || alert.title[spoken]}
					</p>
				)}
			</div>
			<div className="finding-tech">
				<div className="line label finding-top">
					<span className="grow">{t("finding.measured")}</span>
					{resolved && alert.resolved_at ? (
						<Chip grade="ok">{t("finding.cleared", { at: clock(alert.resolved_at) })}</Chip>
					) : (
						<Chip grade={grade}>{t(`health.${grade}`)}</Chip>
					)}
					{program && <b className="cut">{program}</b>}
					<span className="mono">{alert.check}</span>
				</div>
				{resolved ? (
					<>
						<Values values={alert.values} />
						<p className="text finding-then">
							{then} {pick(alert.finding)}
						</p>
					</>
				) : (
					<>
						<p className="text">{pick(alert.finding)}</p>
						<Values values={alert.values} />
					</>
				)}
			</div>
			<Figure alert={alert} />
			<Processes alert={alert} />
		</article>
	);
}

/** What the details of the checks are called. */
export const valueWords: Record<string, MessageId> = {
	used: "finding.value.used",
	free: "finding.value.free",
	size: "finding.value.size",
	files: "finding.value.files",
	room: "finding.value.room",
	available: "finding.value.available",
	total: "finding.value.total",
	swap: "finding.value.swap",
	cores: "finding.value.cores",
	all: "finding.value.all",
	memory: "finding.value.memory",
	pid: "finding.value.pid",
};

/** The numbers that the check saw, for those who doubt: what it judged, "value", is among its details by its own name. */
function Values({ values }: { values: Alert["values"] }) {
	const t = useT();
	const shown = Object.entries(values).flatMap(([name, value]) => {
		const word = valueWords[name];
		return word ? [{ name, word, value }] : [];
	});
	if (shown.length === 0) return null;
	return (
		<p className="finding-values">
			{shown.map(({ name, word, value }) => (
				<span key={name}>
					{t(word)} <b>{value === null ? t("plot.not_read") : guess(name, value)}</b>
				</span>
			))}
		</p>
	);
}

/** A value in its unit, by the name that the checks give it; a number that only names something is not grouped. */
export function guess(name: string, value: number): string {
	if (/(^|_)(pid|id|port)$/.test(name)) return String(value);
	if (/bytes|size|free|rss|^(memory|available|total)$/.test(name)) return measure(value, "By");
	if (/ratio|utilization|used|usage|pressure|^swap$/.test(name) && value <= 1.5) return measure(value, "1");
	return measure(value, "");
}

function Figure({ alert }: { alert: Alert }) {
	const t = useT();
	const [asTable, setAsTable] = useState(false);
	const checks = useChecks();
	const wanted = vitalOf(alert.check);
	const series = alert.evidence.vitals.find((one) => one.name === wanted) ?? alert.evidence.vitals[0];
	const recovery = useRecovery(alert, series);
	if (!series) return null;
	const { points, step } = joined(series.points, recovery.data);
	const check = series.name === wanted ? checks.data?.find((one) => one.id === alert.check) : undefined;
	const label = seriesName(t, series);
	return (
		<figure>
			<button
				type="button"
				className="plain link sub as-table"
				aria-pressed={asTable}
				onClick={() => setAsTable(!asTable)}
			>
				{t(asTable ? "plot.as_chart" : "plot.as_table")}
			</button>
			{asTable ? (
				<PointsTable points={points} unit={series.unit} label={label} step={step} why={(gap) => whyNot(t, gap)} />
			) : (
				<Evidence
					label={label}
					unit={series.unit}
					points={points}
					limits={limitsOf(t, check, series.unit)}
					alert={{ at: Date.parse(alert.started_at), grade: alert.severity }}
					cleared={alert.resolved_at ? Date.parse(alert.resolved_at) : undefined}
				/>
			)}
		</figure>
	);
}

/** The evidence, and behind it how the value went on: as far as it was read, with a hole where it was not. */
export function joined(
	evidence: Point[],
	recovery?: { points: Point[]; step: number },
): { points: Point[]; step: number } {
	const step = spacing(evidence);
	const end = evidence.at(-1)?.[0];
	const last = recovery?.points.at(-1)?.[0];
	if (!recovery || end == null || last == null) return { points: evidence, step };
	const apart = Math.max(step, recovery.step);
	return { points: [...evidence, ...withGaps(recovery.points, end, last, apart).points], step: apart };
}

function Processes({ alert }: { alert: Alert }) {
	const t = useT();
	if (alert.evidence.processes.length === 0) return null;
	return (
		<details className="finding-more">
			<summary>{t("finding.processes", { n: alert.evidence.processes.length })}</summary>
			<table className="plain">
				<thead>
					<tr>
						<th>{t("finding.process")}</th>
						<th className="r">{t("vital.cpu")}</th>
						<th className="r">{t("vital.memory")}</th>
						<th>{t("finding.owner")}</th>
					</tr>
				</thead>
				<tbody>
					{alert.evidence.processes.map((process) => (
						<tr key={process.pid}>
							<td>
								{process.name} <span className="dim">{process.pid}</span>
							</td>
							<td className="r">{process.cpu == null ? t("plot.not_read") : percent(process.cpu)}</td>
							<td className="r">{process.rss_bytes == null ? t("plot.not_read") : bytes(process.rss_bytes)}</td>
							<td className="mid">{process.owner}</td>
						</tr>
					))}
				</tbody>
			</table>
		</details>
	);
}

/** The program that an alert is about, where the processes of that moment have it. */
function programOf(alert: Alert): string | undefined {
	return alert.evidence.processes.find((process) => process.pid === alert.values.pid)?.name ?? undefined;
}

/** The states of a ticket's other alerts, one line each. */
export function AlertLine({ alert }: { alert: Alert }) {
	const grade: Grade = alert.state === "resolved" ? "ok" : alert.state === "unknown" ? "unknown" : alert.severity;
	const program = programOf(alert);
	return <Mark grade={grade}>{program ? `${pick(alert.title)}: ${program}` : pick(alert.title)}</Mark>;
}
