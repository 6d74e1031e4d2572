/**
 * Running a script: what, where, what it does, what the person notices. The dry
 * run comes first and its answer stays in sight while one decides.
 */
import { Modal } from "@mantine/core";
import { useMemo, useState } from "react";
import type { RunWish } from "../api/acts";
import type { Machine, Script } from "../api/types";
import { language, pick, useT } from "../i18n";
import { presence } from "../i18n/words";
import { Bones, Btn, Empty, FormWrong, useFieldErrors, Wrong } from "../ui/parts";
import { Parameters } from "./Parameters";
import { fittingFirst, isRunning, useRun, useScripts, useStartRun, useTarget } from "./queries";
import { RunAnswer } from "./RunAnswer";
import { fieldsOf, missing, valuesOf } from "./schema";
import "./repair.css";

export function RunDialog({ wish, close }: { wish: RunWish; close: () => void }) {
	const t = useT();
	const machine = useTarget(wish.machine);
	const scripts = useScripts({ machine_id: wish.machine, ticket_id: wish.ticket });
	return (
		<Modal opened onClose={close} title={t("run.title")} size={904} closeButtonProps={{ "aria-label": t("act.close") }}>
			{machine.error || scripts.error ? (
				<div className="pad">
					<Wrong
						reason={machine.error ?? scripts.error}
						retry={() => void (machine.error ? machine : scripts).refetch()}
					/>
				</div>
			) : machine.data && scripts.data ? (
				scripts.data.length === 0 ? (
					<div className="pad">
						<Empty>{t("run.none")}</Empty>
					</div>
				) : (
					<Choose wish={wish} machine={machine.data} scripts={[...scripts.data].sort(fittingFirst)} close={close} />
				)
			) : (
				<div className="pad">
					<Bones lines={6} />
				</div>
			)}
		</Modal>
	);
}

function Choose({
	wish,
	machine,
	scripts,
	close,
}: {
	wish: RunWish;
	machine: Machine;
	scripts: Script[];
	close: () => void;
}) {
	const t = useT();
	const start = useStartRun();
	const [chosen, setChosen] = useState(
		wish.script && scripts.some((s) => s.id === wish.script) ? wish.script : (scripts[0]?.id ?? ""),
	);
	const [typed, setTyped] = useState<Record<string, unknown>>({});
	const [running, setRunning] = useState<string>();
	const run = useRun(running);
	const script = scripts.find((one) => one.id === chosen);
	const fields = useMemo(() => fieldsOf(script?.parameters, language()), [script]);
	const wrong = useFieldErrors(start.error);
	const lacks = missing(fields, typed);
	const go = (dry: boolean) => {
		if (!script) return;
		start.mutate(
			{
				key: crypto.randomUUID(),
				script: script.id,
				machine_id: machine.id,
				ticket_id: wish.ticket,
				parameters: valuesOf(fields, typed),
				dry_run: dry,
			},
			{ onSuccess: (fresh) => setRunning(fresh.id) },
		);
	};
	const busy = start.isPending || isRunning(run.data);
	const tried = run.data?.dry_run && run.data.script === chosen && !isRunning(run.data);
	const over = run.data && !run.data.dry_run && !isRunning(run.data);
	const fieldErrors = Object.fromEntries(
		Object.entries(wrong).map(([name, text]) => [name.replace(/^parameters\./, ""), text]),
	);
	return (
		<>
			<div className={running || start.error ? "run-columns" : "run-columns alone"}>
				<dl className="run-form">
					<dt>{t("run.what")}</dt>
					<dd>
						<Picker
							scripts={scripts}
							chosen={chosen}
							choose={(id) => {
								setChosen(id);
								setTyped({});
								setRunning(undefined);
								start.reset();
							}}
						/>
					</dd>
					<dt>{t("run.where")}</dt>
					<dd>
						<span className="mono">{machine.name}</span>{" "}
						<span className="mid">{[machine.people?.[0]?.name, presence(t, machine)].filter(Boolean).join(", ")}</span>
						{machine.presence === "offline" && <p className="sub">{t("run.offline")}</p>}
					</dd>
					{script && (
						<>
							<dt>{t("run.does")}</dt>
							<dd>{pick(script.explanation)}</dd>
							<dt>{t("run.person")}</dt>
							<dd>{pick(script.notices)}</dd>
							<Parameters
								fields={fields}
								typed={typed}
								set={(name, value) => setTyped({ ...typed, [name]: value })}
								wrong={fieldErrors}
							/>
						</>
					)}
				</dl>
				{(running || start.error) && (
					<div className="run-answer">
						<FormWrong reason={start.error} fields={fields.map((field) => `parameters.${field.name}`)} />
						{run.error ? (
							<Wrong reason={run.error} retry={() => void run.refetch()} />
						) : (
							run.data && <RunAnswer run={run.data} />
						)}
					</div>
				)}
			</div>
			<div className="dialog-foot">
				<Btn
					onClick={() => go(true)}
					disabled={busy || lacks.length > 0}
					kind={!tried && !over && script?.risk !== "safe" ? "first" : undefined}
				>
					{t(tried ? "run.try_again" : "run.try")}
				</Btn>
				<span className="grow" />
				{lacks.length > 0 && <span className="sub">{t("run.lacks", { fields: lacks.join(", ") })}</span>}
				{!tried && !over && lacks.length === 0 && script && script.risk !== "safe" && (
					<span className="sub not-narrow">{t("run.first_try")}</span>
				)}
				<Btn onClick={close} kbd="Esc">
					{t(over ? "act.close" : "act.cancel")}
				</Btn>
				{!over && script && (
					<Btn
						kind={script.risk === "destructive" ? "stop-now" : tried || script.risk === "safe" ? "first" : undefined}
						disabled={busy || lacks.length > 0}
						loading={start.isPending}
						onClick={() => go(false)}
					>
						{t("run.go", { n: 1 })}
					</Btn>
				)}
			</div>
		</>
	);
}

function Picker({ scripts, chosen, choose }: { scripts: Script[]; chosen: string; choose: (id: string) => void }) {
	const t = useT();
	return (
		<div className="picker" role="radiogroup" aria-label={t("run.what")}>
			{scripts.map((script) => (
				<label key={script.id} className={script.id === chosen ? "chosen" : undefined}>
					<input
						type="radio"
						name="script"
						className="out-of-sight"
						checked={script.id === chosen}
						onChange={() => choose(script.id)}
					/>
					<span className="cut grow">{pick(script.title)}</span>
					{script.fits && <span className="sub not-narrow">{t("run.fits")}</span>}
					<span className="tag">{t(`risk.${script.risk}`)}</span>
				</label>
			))}
		</div>
	);
}
