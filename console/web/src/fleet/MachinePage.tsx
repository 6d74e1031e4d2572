/**
 * One machine: a sentence on top, what is wrong, how it is now and was lately,
 * and what it is. What belongs to other features is handed in as parts.
 */
import { type ComponentType, useEffect } from "react";
import { useActs } from "../api/acts";
import { useCan } from "../api/me";
import type { Facts, Machine } from "../api/types";
import { useT } from "../i18n";
import { presence, presenceSentence, systemName } from "../i18n/words";
import { useKeys } from "../ui/keyboard";
import { Bones, Btn, Chip, Empty, WithCommands, Wrong } from "../ui/parts";
import { CheckNow } from "./CheckNow";
import { ExpelMenu } from "./Expel";
import { FactsPane, FactsRows } from "./MachineFacts";
import { useFacts, useMachine } from "./queries";
import "./fleet.css";

export type MachinePart = ComponentType<{ machine: Machine }>;
export type MachineParts = {
	Sentence: MachinePart;
	Findings: MachinePart;
	/** `booted` is when the computer started, in ms, where that is known. */
	Vitals: ComponentType<{ machine: Machine; booted?: number }>;
	OpenTickets: MachinePart;
	Runs: MachinePart;
	Sessions: MachinePart;
};

const bootedAt = (facts: Facts | undefined) => (facts?.os?.booted_at ? Date.parse(facts.os.booted_at) : undefined);

export function MachinePage({ id, parts }: { id: string; parts: MachineParts }) {
	const t = useT();
	const machine = useMachine(id);
	const facts = useFacts(id);
	useEffect(() => {
		document.title = `${machine.data?.name ?? t("nav.computers")} · Deskside`;
	}, [machine.data?.name, t]);
	if (machine.error) return <Wrong reason={machine.error} retry={() => void machine.refetch()} large />;
	if (!machine.data)
		return (
			<div className="page-head">
				<Bones lines={3} />
			</div>
		);
	return (
		<div className="page machine-page">
			<Head machine={machine.data} parts={parts} />
			<div className="split machine-split">
				<div className="scroll">
					<parts.Findings machine={machine.data} />
					<parts.Vitals machine={machine.data} booted={bootedAt(facts.data)} />
					<Rows id={id} />
					<div className="duo">
						<parts.Runs machine={machine.data} />
						<parts.Sessions machine={machine.data} />
					</div>
				</div>
				<Pane machine={machine.data} />
			</div>
		</div>
	);
}

function Head({ machine, parts }: { machine: Machine; parts: MachineParts }) {
	const t = useT();
	const can = useCan();
	const acts = useActs();
	const online = machine.presence === "online";
	const person = machine.people?.[0]?.name;
	const ours = !machine.revoked;
	const runs = ours && can("run.start") && machine.policy.scripts !== "off";
	const connects = ours && can("session.open") && machine.policy.terminal !== "off";
	const run = () => acts.run({ machine: machine.id });
	const connect = () => acts.connect({ machine: machine.id });
	useKeys([
		...(connects ? [{ keys: "o", does: "key.connect" as const, run: connect }] : []),
		...(runs ? [{ keys: "s", does: "key.run" as const, run }] : []),
		...(can("ticket.write")
			? [{ keys: "n", does: "key.new" as const, run: () => acts.ticket({ machine: machine.id }) }]
			: []),
	]);
	return (
		<section className="page-head machine-head">
			<div className="line first-line">
				<h1>{machine.name}</h1>
				<Chip grade={online ? "ok" : "unknown"}>{presence(t, machine)}</Chip>
				{person && <b>{person}</b>}
				<span className="dim cut">
					{systemName(machine.os)} · {machine.os.arch}
				</span>
				<span className="grow" />
				<parts.OpenTickets machine={machine} />
			</div>
			<p className="sentence">
				{ours && (online || machine.headline) ? (
					<parts.Sentence machine={machine} />
				) : (
					<WithCommands>{presenceSentence(t, machine)}</WithCommands>
				)}
			</p>
			<div className="line wrap acts">
				{runs && (
					<Btn kind={machine.open_alerts > 0 || !connects ? "first" : undefined} icon="play" kbd="s" onClick={run}>
						{t("act.run_script")}
					</Btn>
				)}
				{connects && (
					<Btn kind={machine.open_alerts > 0 && runs ? undefined : "first"} icon="connect" kbd="o" onClick={connect}>
						{t("act.connect")}
					</Btn>
				)}
				{ours && <CheckNow machine={machine} keys />}
				{can("ticket.write") && (
					<Btn kind="bare" kbd="n" onClick={() => acts.ticket({ machine: machine.id })}>
						{t("act.new_ticket")}
					</Btn>
				)}
				<span className="grow" />
				{ours && machine.policy.terminal === "off" && can("session.open") && (
					<span className="sub">{t("machine.no_terminal")}</span>
				)}
				{ours && machine.headline && !online && <span className="sub">{presenceSentence(t, machine)}</span>}
				{ours && can("machine.enrol") && <ExpelMenu machine={machine} />}
			</div>
		</section>
	);
}

function Rows({ id }: { id: string }) {
	const facts = useFacts(id);
	if (facts.error) return null;
	if (!facts.data)
		return (
			<div className="sec">
				<Bones lines={4} />
			</div>
		);
	return <FactsRows facts={facts.data} />;
}

function Pane({ machine }: { machine: Machine }) {
	const t = useT();
	const facts = useFacts(machine.id);
	return (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
		<aside className="pane" tabIndex={0} aria-label={t("machine.facts")}>
			{facts.error ? (
				<section>
					<Wrong reason={facts.error} retry={() => void facts.refetch()} />
				</section>
			) : facts.data ? (
				facts.data.observed_at ? (
					<FactsPane facts={facts.data} machine={machine} />
				) : (
					<section>
						<Empty>{t(machine.last_seen_at ? "machine.just_enrolled" : "machine.no_readings")}</Empty>
					</section>
				)
			) : (
				<section>
					<Bones lines={8} />
				</section>
			)}
		</aside>
	);
}
