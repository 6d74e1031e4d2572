/** A machine beside a ticket: where it is, what is the matter in a sentence, and the ways to it. */
import { Link } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { useActs } from "../api/acts";
import { useCan } from "../api/me";
import type { Machine } from "../api/types";
import { useT } from "../i18n";
import { when } from "../i18n/format";
import { headline, presence, presenceSentence } from "../i18n/words";
import { Bones, Btn, Mark, WithCommands, Wrong } from "../ui/parts";
import { CheckNow } from "./CheckNow";
import { useMachine } from "./queries";
import "./fleet.css";

export function MachineCard({
	id,
	ticket,
	keys,
	Now,
}: {
	id: string;
	ticket?: string;
	/** Whether the keys of the page are for this machine: of several, they are for the first. */
	keys: boolean;
	Now: ComponentType<{ machine: Machine }>;
}) {
	const t = useT();
	const can = useCan();
	const acts = useActs();
	const machine = useMachine(id);
	if (machine.error)
		return (
			<section>
				<Wrong reason={machine.error} retry={() => void machine.refetch()} />
			</section>
		);
	if (!machine.data)
		return (
			<section>
				<Bones lines={3} />
			</section>
		);
	const { data } = machine;
	const online = data.presence === "online";
	return (
		<>
			<section>
				<div className="line">
					<Link to="/computers/$id" params={{ id }} className="link mono cut">
						<b>{data.name}</b>
					</Link>
					<span className="grow" />
					<Mark grade={online ? "ok" : "unknown"}>{presence(t, data)}</Mark>
				</div>
				<p className="card-words">
					{data.headline && !data.revoked ? (
						headline(t, data)
					) : online ? (
						data.last_seen_at ? (
							t("machine.fine", { at: when(data.last_seen_at) })
						) : (
							t("machine.just_enrolled")
						)
					) : (
						<WithCommands>{presenceSentence(t, data)}</WithCommands>
					)}
				</p>
				<div className="line wrap">
					{!data.revoked && can("session.open") && data.policy.terminal !== "off" && (
						<Btn icon="connect" kbd={keys ? "o" : undefined} onClick={() => acts.connect({ machine: id, ticket })}>
							{t("act.connect")}
						</Btn>
					)}
					{!data.revoked && can("run.start") && data.policy.scripts !== "off" && (
						<Btn icon="play" kbd={keys ? "s" : undefined} onClick={() => acts.run({ machine: id, ticket })}>
							{t("act.run_script")}
						</Btn>
					)}
				</div>
			</section>
			<section>
				<div className="line">
					<h2 className="grow">{t("machine.now")}</h2>
					<CheckNow machine={data} keys={keys} bare />
				</div>
				<Now machine={data} />
			</section>
		</>
	);
}
