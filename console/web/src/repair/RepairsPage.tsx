/** What ran lately on all machines, and which scripts there are. */
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import type { Run } from "../api/types";
import { pick, useT } from "../i18n";
import { age, duration, moment } from "../i18n/format";
import { runGrade, runState } from "../i18n/words";
import { Bones, Empty, Mark, Wrong } from "../ui/parts";
import { isRunning, useRuns, useScripts } from "./queries";
import { titleOf } from "./RunAnswer";
import "./repair.css";

export function RepairsPage() {
	const t = useT();
	const runs = useRuns({});
	useEffect(() => {
		document.title = `${t("nav.repairs")} · Deskside`;
	}, [t]);
	const going = runs.data?.items.filter(isRunning).length ?? 0;
	const failing = runs.data?.items.filter((run) => run.verify?.verdict === "still_failing").length ?? 0;
	return (
		<div className="page">
			<section className="page-head">
				<h1 className="sentence">
					{!runs.data
						? t("nav.repairs")
						: going > 0
							? t("repairs.going", { n: going })
							: failing > 0
								? t("repairs.failing", { n: failing })
								: t("repairs.quiet")}
				</h1>
			</section>
			<div className="split">
				<div className="scroll sec">
					{runs.error ? (
						<Wrong reason={runs.error} retry={() => void runs.refetch()} large />
					) : !runs.data ? (
						<Bones lines={10} />
					) : runs.data.items.length === 0 ? (
						<Empty large>{t("repairs.empty")}</Empty>
					) : (
						<Runs runs={runs.data.items} />
					)}
				</div>
				<Scripts />
			</div>
		</div>
	);
}

function Runs({ runs }: { runs: Run[] }) {
	const t = useT();
	return (
		<table className="plain">
			<thead>
				<tr>
					<th>{t("run.what")}</th>
					<th>{t("computers.computer")}</th>
					<th className="not-narrow">{t("run.who")}</th>
					<th>{t("run.result")}</th>
					<th className="r not-narrow">{t("run.took")}</th>
					<th className="r">{t("queue.last")}</th>
				</tr>
			</thead>
			<tbody>
				{runs.map((run) => (
					<tr key={run.id}>
						<td>
							{run.ticket_id ? (
								<Link to="/tickets/$id" params={{ id: run.ticket_id }} className="link">
									{titleOf(run)}
								</Link>
							) : (
								titleOf(run)
							)}
							{run.dry_run && <span className="dim"> · {t("run.dry")}</span>}
						</td>
						<td>
							<Link to="/computers/$id" params={{ id: run.machine_id }} className="mono nowrap">
								{run.machine_name}
							</Link>
						</td>
						<td className="mid not-narrow">{run.requested_by?.name ?? "Deskside"}</td>
						<td>
							<span className="row-like">
								{isRunning(run) ? (
									`${runState(t, run)} …`
								) : (
									<Mark grade={runGrade(run) ?? "unknown"}>
										{run.verify && !run.dry_run && run.verify.verdict !== "not_run"
											? t(`verdict.${run.verify.verdict}`)
											: runState(t, run)}
									</Mark>
								)}
							</span>
						</td>
						<td className="r mid not-narrow">{run.duration_seconds !== null && duration(run.duration_seconds)}</td>
						<td className="r mid" title={moment(run.requested_at)}>
							{age(run.requested_at)}
						</td>
					</tr>
				))}
			</tbody>
		</table>
	);
}

function Scripts() {
	const t = useT();
	const scripts = useScripts({});
	return (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
		<aside className="pane" tabIndex={0} aria-label={t("repairs.scripts")}>
			<section>
				<h2>{t("repairs.scripts")}</h2>
				{scripts.error && <Wrong reason={scripts.error} retry={() => void scripts.refetch()} />}
				<ul className="scripts">
					{scripts.data?.map((script) => (
						<li key={script.id}>
							<span className="line">
								<b className="grow">{pick(script.title)}</b>
								<span className="tag">{t(`risk.${script.risk}`)}</span>
							</span>
							<span className="sub">{pick(script.explanation)}</span>
							<span className="sub">{script.platforms.join(", ")}</span>
						</li>
					))}
				</ul>
			</section>
		</aside>
	);
}
