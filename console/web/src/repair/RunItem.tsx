/** A run where it happened: in the timeline of a ticket and on the page of its machine. */
import { useState } from "react";
import type { Machine } from "../api/types";
import { useT } from "../i18n";
import { clock, duration, when } from "../i18n/format";
import { runGrade, runState } from "../i18n/words";
import { Bones, Chip, Empty, Mark, Wrong } from "../ui/parts";
import { Refusal } from "../ui/refusal";
import { isRunning, useOutput, useRun, useRuns } from "./queries";
import { tail, titleOf } from "./RunAnswer";
import "./repair.css";

export function RunItem({ run: id }: { run: string }) {
	const t = useT();
	const run = useRun(id);
	const [open, setOpen] = useState(false);
	const output = useOutput(id, !!run.data && run.data.state !== "queued" && run.data.state !== "refused");
	if (run.error) return <Wrong reason={run.error} retry={() => void run.refetch()} />;
	if (!run.data) return <Bones lines={1} />;
	const grade = runGrade(run.data);
	const verdict =
		run.data.verify && !run.data.dry_run && run.data.verify.verdict !== "not_run" ? run.data.verify.verdict : undefined;
	const at = run.data.finished_at ? ` ${clock(run.data.finished_at)}` : "";
	const details = [
		run.data.dry_run && t("run.dry"),
		run.data.requested_by && t("run.by", { name: run.data.requested_by.name }),
		run.data.duration_seconds !== null && duration(run.data.duration_seconds),
	].filter(Boolean);
	return (
		<div className="run-item">
			<div className="line wrap">
				<b>{titleOf(run.data)}</b>
				<span className="dim cut">{details.join(" · ")}</span>
				<span className="grow" />
				{isRunning(run.data) ? (
					<span className="mid">{runState(t, run.data)} …</span>
				) : (
					grade && <Chip grade={grade}>{(verdict ? t(`verdict.${verdict}`) : runState(t, run.data)) + at}</Chip>
				)}
				{output?.text && (
					<button type="button" className="plain link" aria-expanded={open} onClick={() => setOpen(!open)}>
						{t("run.output")}
					</button>
				)}
			</div>
			{run.data.refusal && <Refusal of={run.data.refusal} />}
			{output?.text && <pre className="out">{open ? output.text : tail(output.text)}</pre>}
		</div>
	);
}

export function MachineRuns({ machine }: { machine: Machine }) {
	const t = useT();
	const runs = useRuns({ machine_id: machine.id });
	return (
		<section>
			<h2>{t("run.runs")}</h2>
			{runs.error ? (
				<Wrong reason={runs.error} retry={() => void runs.refetch()} />
			) : !runs.data ? (
				<Bones lines={2} />
			) : runs.data.items.length === 0 ? (
				<Empty>{t("run.nothing_ran")}</Empty>
			) : (
				<ul className="rows">
					{runs.data.items.slice(0, 6).map((run) => (
						<li key={run.id}>
							<time>{when(run.requested_at)}</time>
							<span className="cut grow" title={titleOf(run)}>
								{titleOf(run)}
								{run.dry_run && <span className="dim"> · {t("run.dry")}</span>}
							</span>
							<Mark grade={runGrade(run) ?? "unknown"}>
								{run.verify && !run.dry_run && run.verify.verdict !== "not_run"
									? t(`verdict.${run.verify.verdict}`)
									: runState(t, run)}
							</Mark>
						</li>
					))}
				</ul>
			)}
		</section>
	);
}
