/** The one line that adds a computer, with the code in it that only this console gives out. */
import { Select } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTrust } from "../api/trust";
import { useT } from "../i18n";
import { moment } from "../i18n/format";
import { say } from "../ui/notices";
import { Btn, Wrong } from "../ui/parts";
import { useEnrol } from "./queries";
import "./fleet.css";

const DAY = 86_400;

export function EnrolLine() {
	const t = useT();
	const enrol = useEnrol();
	const [uses, setUses] = useState("1");
	const [days, setDays] = useState("1");
	const copy = (text: string) =>
		void navigator.clipboard.writeText(text).then(
			() => say(t("act.copied")),
			() => say(t("act.copy_by_hand")),
		);
	return (
		<div className="enrol">
			{enrol.error && <Wrong reason={enrol.error} />}
			{enrol.data ? (
				<>
					<pre className="code">{enrol.data.command}</pre>
					<div className="line wrap">
						<Btn kind="first" icon="copy" onClick={() => copy(enrol.data.command)}>
							{t("act.copy")}
						</Btn>
						<span className="sub">{t("enrol.valid", { until: moment(enrol.data.expires_at) })}</span>
					</div>
				</>
			) : (
				<div className="line wrap enrol-how">
					<Select
						label={t("enrol.uses")}
						value={uses}
						onChange={(value) => setUses(value ?? "1")}
						data={["1", "10", "100", "1000"].map((value) => ({
							value,
							label: t("enrol.computers", { n: Number(value) }),
						}))}
					/>
					<Select
						label={t("enrol.expires")}
						value={days}
						onChange={(value) => setDays(value ?? "1")}
						data={["1", "7", "30"].map((value) => ({ value, label: t("enrol.days", { n: Number(value) }) }))}
					/>
					<Btn
						kind="first"
						loading={enrol.isPending}
						onClick={() => enrol.mutate({ uses: Number(uses), expires_in_seconds: Number(days) * DAY })}
					>
						{t("enrol.make")}
					</Btn>
				</div>
			)}
		</div>
	);
}

/** In the settings: the same line with what it does. */
export function EnrolPage() {
	const t = useT();
	const trust = useTrust();
	return (
		<div className="stack setting-list">
			<p>{t("enrol.what")}</p>
			<EnrolLine />
			{trust.data &&
				(trust.data.version > 0 ? (
					<p className="sub">
						{t("enrol.root")} <span className="mono">{trust.data.root}</span>
					</p>
				) : (
					<p className="sub">
						{t("enrol.no_root")}{" "}
						<Link to="/settings/$part" params={{ part: "trust" }} className="link within">
							{t("enrol.found")}
						</Link>
					</p>
				))}
		</div>
	);
}
