/** What a machine is and has: facts in the pane, and the rows of filesystems, processes, services and networks. */
import { useState } from "react";
import type { Facts, Machine } from "../api/types";
import { type MessageId, useT } from "../i18n";
import { bits, bytes, duration, number, percent, when } from "../i18n/format";
import { systemName } from "../i18n/words";
import { Bar, Empty, type Grade, Mark, Seg } from "../ui/parts";
import { unreadWhat, unreadWhy } from "./unread";

/** Names of hardware facts that we have a word for, and how their value reads. */
const hardware: Record<string, { word: MessageId; show?: (value: number) => string }> = {
	model: { word: "fact.model" },
	vendor: { word: "fact.vendor" },
	serial: { word: "fact.serial" },
	cpu: { word: "fact.cpu" },
	cpu_model: { word: "fact.cpu" },
	cores: { word: "fact.cores", show: (n) => number(n) },
	cpu_cores: { word: "fact.cores", show: (n) => number(n) },
	physical_cores: { word: "fact.physical_cores", show: (n) => number(n) },
	virtual: { word: "fact.virtual" },
	memory_bytes: { word: "fact.memory", show: bytes },
	swap_bytes: { word: "fact.swap", show: bytes },
};

/** Messages that a machine had to give up: a warning while that is news. */
function Lost({ messages, at }: { messages: number; at: string }) {
	const text = useT()("fact.lost_messages", { n: messages, at: when(at) });
	return Date.now() - Date.parse(at) < FRESH ? <Mark grade="warning">{text}</Mark> : text;
}

/** For how long a loss is a warning, in ms; then it is history. */
const FRESH = 30 * 24 * 3600_000;

const written = (value: unknown) =>
	typeof value === "string" ? value : typeof value === "number" ? number(value, 2) : JSON.stringify(value);

export function FactsPane({ facts, machine }: { facts: Facts; machine: Machine }) {
	const t = useT();
	const addresses = facts.network.filter((n) => n.up !== false && n.name !== "lo").flatMap((n) => n.addresses);
	return (
		<>
			<section>
				<h2>{t("machine.facts")}</h2>
				<dl className="kv">
					<dt>{t("fact.system")}</dt>
					<dd>{systemName(machine.os)}</dd>
					<dt>{t("fact.kernel")}</dt>
					<dd>
						{machine.os.kernel} · {machine.os.arch}
					</dd>
					{Object.entries(facts.hardware).map(([key, value]) => {
						const known = hardware[key];
						return value == null || value === "" ? null : (
							<FactRow key={key} name={known ? t(known.word) : key} mono={!known}>
								{known?.show && typeof value === "number" ? known.show(value) : written(value)}
							</FactRow>
						);
					})}
					{facts.uptime_seconds != null && (
						<FactRow name={t("fact.up")}>{t("fact.up_for", { time: duration(facts.uptime_seconds) })}</FactRow>
					)}
					{machine.clock_ahead_seconds !== 0 && (
						<FactRow name={t("fact.clock")}>
							<Mark grade="warning">
								{t(machine.clock_ahead_seconds > 0 ? "fact.clock_ahead" : "fact.clock_behind", {
									time: duration(Math.abs(machine.clock_ahead_seconds)),
								})}
							</Mark>
						</FactRow>
					)}
					{machine.lost_at && (
						<FactRow name={t("fact.lost")}>
							<Lost messages={machine.lost_messages} at={machine.lost_at} />
						</FactRow>
					)}
					{addresses.length > 0 && (
						<FactRow name={t("fact.address")}>
							<span className="mono">{addresses.slice(0, 3).join(", ")}</span>
						</FactRow>
					)}
					<FactRow name={t("fact.agent")}>{machine.agent.version}</FactRow>
					<FactRow name={t("fact.policy")}>
						{machine.policy.profile} · {t(`policy.terminal.${machine.policy.terminal as "off" | "ask" | "on"}`)}
					</FactRow>
					<FactRow name={t("fact.enrolled")}>{when(machine.enrolled_at)}</FactRow>
				</dl>
			</section>
			<section>
				<h2>{t("machine.people")}</h2>
				{!facts.people?.length ? (
					<Empty>{t(facts.people ? "machine.nobody" : "machine.who_unknown")}</Empty>
				) : (
					<ul className="rows">
						{facts.people.map((person) => (
							<li key={`${person.name} ${person.terminal}`}>
								<time>{person.since ? when(person.since) : ""}</time>
								<span className="cut">{person.name}</span>
								{person.terminal && <span className="mono dim">{person.terminal}</span>}
							</li>
						))}
					</ul>
				)}
			</section>
			{facts.unreadable.length > 0 && (
				<section>
					<h2>{t("machine.unreadable")}</h2>
					<ul className="unreadable">
						{facts.unreadable.map((item) => (
							<li key={item.what}>
								<span title={item.what}>{unreadWhat(t, item.what)}</span>
								<span className="sub">{unreadWhy(t, item.why)}</span>
							</li>
						))}
					</ul>
				</section>
			)}
		</>
	);
}

function FactRow({ name, children, mono }: { name: string; children: React.ReactNode; mono?: boolean }) {
	return (
		<>
			<dt className={mono ? "mono cut" : undefined} title={mono ? name : undefined}>
				{name}
			</dt>
			<dd>{children}</dd>
		</>
	);
}

/** How full a volume is, and what people can still fill: size minus used would count what is kept for root. */
export function roomOf(
	t: ReturnType<typeof useT>,
	{ size_bytes, available_bytes }: Pick<Facts["filesystems"][number], "size_bytes" | "available_bytes">,
	ratio: number,
): string {
	if (size_bytes === null || available_bytes === null) return percent(ratio);
	return t("machine.free_of", { ratio: percent(ratio), free: bytes(available_bytes), size: bytes(size_bytes) });
}

const fullness = (ratio: number): Grade | undefined =>
	ratio >= 0.95 ? "critical" : ratio >= 0.85 ? "warning" : undefined;

export function FactsRows({ facts }: { facts: Facts }) {
	const t = useT();
	const [by, setBy] = useState<"cpu" | "memory">("cpu");
	const [all, setAll] = useState(false);
	const processes = [...facts.processes].sort((a, b) =>
		by === "cpu" ? (b.cpu ?? -1) - (a.cpu ?? -1) : (b.rss_bytes ?? -1) - (a.rss_bytes ?? -1),
	);
	const stopped = facts.services.filter((s) => s.state !== "running" && s.state !== "active");
	const services = all ? [...facts.services].sort((a, b) => a.name.localeCompare(b.name)) : stopped.slice(0, 8);
	return (
		<>
			<div className="duo">
				<section>
					<h2>{t("machine.filesystems")}</h2>
					{facts.filesystems.length === 0 && <Empty>{t("machine.not_reported")}</Empty>}
					<ul className="disks">
						{facts.filesystems.map((fs) => {
							const ratio = fs.used;
							return (
								<li key={fs.mount}>
									<b className="cut" title={fs.mount}>
										{fs.mount}
									</b>
									{ratio === null ? (
										<span className="dim">{t("plot.not_read")}</span>
									) : (
										<Bar ratio={ratio} grade={fullness(ratio)} />
									)}
									<span className="mid cut" title={fs.type ?? undefined}>
										{ratio !== null && roomOf(t, fs, ratio)}
									</span>
								</li>
							);
						})}
					</ul>
				</section>
				<section>
					<div className="line">
						<h2 className="grow">{t("machine.processes")}</h2>
						<Seg
							label={t("machine.processes")}
							value={by}
							onChange={setBy}
							options={[
								{ value: "cpu", label: t("machine.by_cpu") },
								{ value: "memory", label: t("machine.by_memory") },
							]}
						/>
					</div>
					{processes.length === 0 && <Empty>{t("machine.not_reported")}</Empty>}
					<ul className="procs">
						{processes.slice(0, 8).map((process) => (
							<li key={process.pid}>
								<span className="cut" title={`${process.name} (${process.pid})`}>
									{process.name}
								</span>
								<b>{process.rss_bytes == null ? "" : bytes(process.rss_bytes)}</b>
								<span>{process.cpu == null ? "" : percent(process.cpu)}</span>
								<span className="dim cut">{process.owner}</span>
							</li>
						))}
					</ul>
				</section>
			</div>
			<div className="duo">
				<section>
					<div className="line">
						<h2 className="grow">{t("machine.services")}</h2>
						{facts.services.length > 0 && (
							<button type="button" className="plain link sub" onClick={() => setAll(!all)}>
								{all ? t("machine.services_stopped") : t("machine.services_all", { n: facts.services.length })}
							</button>
						)}
					</div>
					{facts.services.length === 0 ? (
						<Empty>{t("machine.not_reported")}</Empty>
					) : (
						services.length === 0 && <Empty>{t("machine.services_run", { n: facts.services.length })}</Empty>
					)}
					<ul className="services">
						{services.map((service) => (
							<li key={service.name}>
								<span className="cut grow" title={service.display_name ?? service.name}>
									{service.display_name || service.name}
								</span>
								<span className="mono dim">{service.state}</span>
							</li>
						))}
					</ul>
				</section>
				<section>
					<h2>{t("machine.network")}</h2>
					{facts.network.length === 0 && <Empty>{t("machine.not_reported")}</Empty>}
					<ul className="services">
						{facts.network.map((card) => (
							<li key={card.name}>
								<b className="cut">{card.name}</b>
								<span className="mono cut grow" title={card.addresses.join(", ")}>
									{card.addresses.join(", ")}
								</span>
								<span className="dim">
									{card.up === false ? t("machine.down") : card.speed_bits ? bits(card.speed_bits / 8) : ""}
								</span>
							</li>
						))}
					</ul>
				</section>
			</div>
		</>
	);
}
