/** How a run goes and what came of it: state in words, output as it is written, and the verdict of the check. */
import { useEffect, useRef } from "react";
import type { Run } from "../api/types";
import { type MessageId, pick, useT } from "../i18n";
import { bytes, duration, number } from "../i18n/format";
import { runGrade, runState } from "../i18n/words";
import { Btn, Chip, Mark, Wrong } from "../ui/parts";
import { Refusal } from "../ui/refusal";
import { isRunning, useCancelRun, useOutput } from "./queries";

export function RunAnswer({ run }: { run: Run }) {
	const t = useT();
	const cancel = useCancelRun();
	const grade = runGrade(run);
	const going = isRunning(run);
	return (
		<div className="stack" aria-live="polite">
			<div className="line wrap">
				<h2 className="grow">{t(run.dry_run ? "run.tried" : "run.ran")}</h2>
				{grade ? <Chip grade={grade}>{outcome(t, run)}</Chip> : <span className="mid">{runState(t, run)} …</span>}
			</div>
			{run.refusal && <Refusal of={run.refusal} />}
			<OutputBox run={run} />
			{going && (
				<div className="line">
					<span className="sub grow">{t("run.can_leave")}</span>
					<Btn low onClick={() => cancel.mutate(run.id)} loading={cancel.isPending}>
						{t("run.cancel")}
					</Btn>
				</div>
			)}
			{cancel.error && <Wrong reason={cancel.error} />}
			{!going && (
				<dl className="kv">
					{run.exit_code !== null && (
						<>
							<dt>{t("run.exit")}</dt>
							<dd>{number(run.exit_code)}</dd>
						</>
					)}
					{run.duration_seconds !== null && (
						<>
							<dt>{t("run.took")}</dt>
							<dd>{duration(run.duration_seconds)}</dd>
						</>
					)}
					{Object.entries(run.result).map(([name, value]) => (
						<Result key={name} name={name} value={value} />
					))}
				</dl>
			)}
			{run.verify && !run.dry_run && <Verdict run={run} />}
		</div>
	);
}

function outcome(t: ReturnType<typeof useT>, run: Run): string {
	if (run.verify && !run.dry_run && run.verify.verdict !== "not_run") return t(`verdict.${run.verify.verdict}`);
	if (run.dry_run && run.state === "succeeded") return t("run.no_errors");
	return runState(t, run);
}

function Verdict({ run }: { run: Run }) {
	const t = useT();
	if (!run.verify) return null;
	const { verdict, check } = run.verify;
	return (
		<p>
			<Mark grade={verdict === "verified" ? "ok" : verdict === "still_failing" ? "warning" : "unknown"}>
				{t(`verdict.long.${verdict}`, { check })}
			</Mark>
		</p>
	);
}

/** What the scripts that come with Deskside tell beside their words. */
const results = new Map<string, MessageId>([
	["would_free_bytes", "run.result.would_free_bytes"],
	["freed_bytes", "run.result.freed_bytes"],
]);

/** Written lines without those by which a script hands over its results: they are said below, by words. */
const spoken = (text: string, result: Run["result"]) =>
	text
		.split("\n")
		.filter((line) => {
			const name = /^deskside: (\w+)=/.exec(line)?.[1]; // of a machine's choosing, like those of the result
			return name === undefined || !Object.hasOwn(result, name);
		})
		.join("\n");

function Result({ name, value }: { name: string; value: unknown }) {
	const t = useT();
	const known = results.get(name);
	const shown =
		typeof value === "number"
			? /bytes/.test(name)
				? bytes(value)
				: number(value, 2)
			: typeof value === "string"
				? value
				: JSON.stringify(value);
	return (
		<>
			<dt className={known ? undefined : "mono cut"} title={name}>
				{known ? t(known) : name}
			</dt>
			<dd>{shown}</dd>
		</>
	);
}

/** The output, following its end until somebody scrolls back. */
function OutputBox({ run }: { run: Run }) {
	const t = useT();
	const output = useOutput(run.id, run.state !== "queued" && run.state !== "refused");
	const box = useRef<HTMLPreElement>(null);
	const follows = useRef(true);
	// biome-ignore lint/correctness/useExhaustiveDependencies: new text scrolls the box
	useEffect(() => {
		if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
	}, [output?.text]);
	if (!output?.text) return isRunning(run) ? <p className="sub">{t("run.no_output_yet")}</p> : null;
	return (
		<>
			<pre
				ref={box}
				className="out run-output"
				// biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reached by keyboard
				tabIndex={0}
				role="group"
				aria-label={t("run.output")}
				onScroll={(event) => {
					const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
					follows.current = scrollHeight - scrollTop - clientHeight < 24;
				}}
			>
				{spoken(output.text, run.result)}
			</pre>
			{run.output.truncated && <p className="sub">{t("run.truncated", { size: bytes(run.output.bytes) })}</p>}
		</>
	);
}

/** The last lines of an output, for a timeline. */
export const tail = (text: string, lines = 3) => text.trimEnd().split("\n").slice(-lines).join("\n");

export const titleOf = (run: Run) => pick(run.script_title) || run.script;
