/**
 * Whose signatures count on the computers. The keys never lie here: what they signed is
 * brought by hand, from the signing desk on somebody's own computer, and looked at first.
 */
import { Textarea } from "@mantine/core";
import { useEffect, useState } from "react";
import { useCan } from "../api/me";
import { useTrust } from "../api/trust";
import type { Trust } from "../api/types";
import { useT } from "../i18n";
import { moment, number } from "../i18n/format";
import { say } from "../ui/notices";
import { Bones, Btn, Wrong } from "../ui/parts";
import { useBring } from "./queries";
import "./account.css";

export function TrustPage() {
	const t = useT();
	const can = useCan();
	const trust = useTrust();
	if (trust.error) return <Wrong reason={trust.error} retry={() => void trust.refetch()} large />;
	if (!trust.data) return <Bones lines={6} />;
	return (
		<div className="stack trust">
			{trust.data.version === 0 ? <Founding trust={trust.data} /> : <Standing trust={trust.data} />}
			{can("people.write") && <Bring now={trust.data} />}
			{!can("people.write") && trust.data.version === 0 && <p className="sub">{t("trust.who_founds")}</p>}
		</div>
	);
}

/** Nothing was signed yet: what that means, and the two things to be done. */
function Founding({ trust }: { trust: Trust }) {
	const t = useT();
	const line = `deskside-agent sign --init ${trust.errand}`;
	return (
		<>
			<h2>{t("trust.none")}</h2>
			<p className="sub">{t("trust.none_why")}</p>
			{trust.errand && (
				<ol className="steps">
					<li>
						<p>{t("trust.step_sign")}</p>
						<pre className="code">{line}</pre>
						<Copy text={line} />
					</li>
					<li>{t("trust.step_paper")}</li>
					<li>{t("trust.step_bring")}</li>
				</ol>
			)}
		</>
	);
}

function Copy({ text }: { text: string }) {
	const t = useT();
	return (
		<Btn
			icon="copy"
			onClick={() =>
				void navigator.clipboard.writeText(text).then(
					() => say(t("act.copied")),
					() => say(t("act.copy_by_hand")),
				)
			}
		>
			{t("act.copy")}
		</Btn>
	);
}

/** What holds now. */
function Standing({ trust }: { trust: Trust }) {
	const t = useT();
	const { machines, withdrawal, expires_at } = trust;
	return (
		<>
			<h2>{t("trust.words")}</h2>
			<p className="words mono">{trust.root}</p>
			<p className="sub">{t("trust.words_why")}</p>
			<p>
				{machines.rooted === 0 ? t("trust.nobody_yet") : t("trust.current", { n: machines.current })}
				{machines.rooted > machines.current && ` ${t("trust.behind", { n: machines.rooted - machines.current })}`}
				{machines.rootless > 0 && ` ${t("trust.rootless", { n: machines.rootless })}`}
			</p>
			<p className="sub">
				{t("trust.file", { version: number(trust.version), name: trust.name })}
				{expires_at && ` ${t("trust.expires", { until: moment(expires_at) })}`}
				{withdrawal && ` ${t("trust.withdrawn", { n: withdrawal.statements + withdrawal.scripts })}`}
			</p>
			<People trust={trust} />
		</>
	);
}

function People({ trust }: { trust: Trust }) {
	const t = useT();
	return (
		<>
			<table className="plain people">
				<thead>
					<tr>
						<th>{t("people.person")}</th>
						<th>{t("trust.may")}</th>
						<th>{t("trust.keys")}</th>
					</tr>
				</thead>
				<tbody>
					{trust.people.map((person) => (
						<tr key={person.id}>
							<td>
								<b className="cut" title={person.name}>
									{person.name}
								</b>
							</td>
							<td>{person.roles.map((role) => t(`trust.role.${role}`)).join(", ")}</td>
							<td className="mid nowrap">
								{person.keys.map((key) => (
									<div key={key.id} title={key.id}>
										{key.name}
										{key.hardware && <span className="tag">{t("trust.hardware")}</span>}
									</div>
								))}
							</td>
						</tr>
					))}
				</tbody>
			</table>
			<p className="sub">
				{trust.one_person
					? t("trust.one_person")
					: t("trust.needs", {
							safe: number(trust.needs.safe),
							disruptive: number(trust.needs.disruptive),
							destructive: number(trust.needs.destructive),
							root: number(trust.needs.root),
						})}
			</p>
		</>
	);
}

/** What the signing desk leads back with stands behind the # of the address. */
const carried = () => /^#([\w-]{4,100000})$/.exec(window.location.hash)?.[1] ?? "";

/** Brings what was signed: first it is looked at, then somebody says yes to what they read. */
function Bring({ now }: { now: Trust }) {
	const t = useT();
	const bring = useBring();
	const [text, setText] = useState(carried);
	const [would, setWould] = useState<Trust>();
	const statement = text.replace(/\s/g, "").replace(/^.*#/, "");
	const { mutate } = bring;
	const look = () => mutate({ statement, look: true }, { onSuccess: setWould });
	// biome-ignore lint/correctness/useExhaustiveDependencies: once, with what came along
	useEffect(() => {
		if (carried()) mutate({ statement: carried(), look: true }, { onSuccess: setWould });
	}, []);
	const end = () => {
		setText("");
		setWould(undefined);
		bring.reset();
		window.history.replaceState(null, "", window.location.pathname);
	};
	if (would)
		return (
			<section className="stack look" aria-live="polite">
				<h2>{t("trust.look", { version: number(would.version) })}</h2>
				<p className="words mono">{would.root}</p>
				<p>{t(now.version === 0 ? "trust.compare" : "trust.compare_next")}</p>
				<People trust={would} />
				{bring.error && <Wrong reason={bring.error} />}
				<div className="line wrap">
					<Btn
						kind="first"
						loading={bring.isPending}
						onClick={() =>
							mutate(
								{ statement },
								{
									onSuccess: () => {
										say(t("trust.brought"));
										end();
									},
								},
							)
						}
					>
						{t("trust.bring")}
					</Btn>
					<Btn onClick={end}>{t("act.cancel")}</Btn>
				</div>
			</section>
		);
	return (
		<section className="stack">
			<Textarea
				label={t("trust.paste")}
				description={t("trust.paste_why")}
				value={text}
				onChange={(event) => setText(event.currentTarget.value)}
				autosize
				minRows={2}
				maxRows={6}
				spellCheck={false}
			/>
			{bring.error && <Wrong reason={bring.error} />}
			<div className="line">
				<Btn disabled={!statement} loading={bring.isPending} onClick={look}>
					{t("trust.look_at")}
				</Btn>
			</div>
		</section>
	);
}
