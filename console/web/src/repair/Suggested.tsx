/** Beside a ticket: the repair that fits its finding, with a try that changes nothing. */
import { useActs } from "../api/acts";
import { useCan } from "../api/me";
import { pick, useT } from "../i18n";
import { Btn } from "../ui/parts";
import { fittingFirst, useScripts } from "./queries";

/** `finding` is whether the ticket has one: without it nothing is missed where no repair fits. */
export function Suggested({ machine, ticket, finding }: { machine: string; ticket: string; finding: boolean }) {
	const t = useT();
	const can = useCan();
	const acts = useActs();
	const scripts = useScripts({ machine_id: machine, ticket_id: ticket }, can("run.start"));
	if (!can("run.start") || !scripts.data) return null;
	const script = [...scripts.data].sort(fittingFirst).find((one) => one.fits);
	if (!script && !finding) return null;
	return (
		<section>
			<h2>{t("run.suggested")}</h2>
			{script ? (
				<>
					<div className="line">
						<b className="grow">{pick(script.title)}</b>
						<span className="tag">{t(`risk.${script.risk}`)}</span>
					</div>
					<p className="sub">{pick(script.explanation)}</p>
					<div className="line wrap suggested">
						<Btn onClick={() => acts.run({ machine, ticket, script: script.id })}>{t("run.open")}</Btn>
					</div>
				</>
			) : (
				<p className="empty">
					{t("run.no_fit")}{" "}
					<button type="button" className="plain link" onClick={() => acts.run({ machine, ticket })}>
						{t("run.browse")}
					</button>
				</p>
			)}
		</section>
	);
}
