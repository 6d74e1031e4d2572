/** A session: consent, the terminal in its frame, and how it ended. The frame says whose machine this is. */
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useCan } from "../api/me";
import type { Machine, Session } from "../api/types";
import { useT } from "../i18n";
import { clock, counter, duration, number } from "../i18n/format";
import { systemName } from "../i18n/words";
import { Icon } from "../ui/icons";
import { useNarrow } from "../ui/list";
import { Bones, Btn, Empty, Mark, Wrong } from "../ui/parts";
import { Refusal } from "../ui/refusal";
import { freeLetter, letterOf } from "./letters";
import { useEnd, useSession, useTarget } from "./queries";
import type { Link as WireLink } from "./wire";
import "./session.css";

const LiveTerminal = lazy(() => import("./LiveTerminal"));
const WAIT = 60;

export function SessionPage({ id }: { id: string }) {
	const t = useT();
	const session = useSession(id);
	const machine = useTarget(session.data?.machine_id);
	// A console that cannot be reached for a while takes no terminal away.
	if (session.error && !session.data)
		return <Wrong reason={session.error} retry={() => void session.refetch()} large />;
	if (!session.data)
		return (
			<div className="page-head">
				<Bones lines={2} />
			</div>
		);
	return (
		<Framed
			session={session.data}
			machine={machine.data}
			title={machine.data?.people?.[0]?.name ?? session.data.machine_name}
			t={t}
		/>
	);
}

function Framed({
	session,
	machine,
	title,
	t,
}: {
	session: Session;
	machine?: Machine;
	title: string;
	t: ReturnType<typeof useT>;
}) {
	const narrow = useNarrow();
	// A window that is made smaller, or turned, takes no terminal away that was there.
	const [wide, setWide] = useState(!narrow);
	if (!narrow && !wide) setWide(true);
	const [letter] = useState(() => letterOf(session.id));
	const over = session.state === "ended" || session.state === "refused";
	useEffect(() => {
		document.title = `${letter.toUpperCase()} · ${title} · ${session.machine_name}`;
	}, [letter, title, session.machine_name]);
	useEffect(() => {
		if (over) freeLetter(session.id);
	}, [over, session.id]);
	return (
		<div className={`session ${over ? "over" : letter}`}>
			<div className="session-in">
				<Head session={session} title={title} letter={letter} t={t} />
				{session.state === "waiting_consent" || session.state === "opening" ? (
					<Waiting session={session} />
				) : over ? (
					<Over session={session} />
				) : !wide ? (
					<Empty large>{t("session.larger")}</Empty>
				) : (
					<Live session={session} machine={machine} />
				)}
			</div>
		</div>
	);
}

function Head({
	session,
	title,
	letter,
	t,
}: {
	session: Session;
	title: string;
	letter: string;
	t: ReturnType<typeof useT>;
}) {
	const end = useEnd();
	const open = session.state === "open" || session.state === "opening" || session.state === "waiting_consent";
	return (
		<section className="session-head">
			<span className="letter" aria-hidden="true">
				{letter.toUpperCase()}
			</span>
			<div className="session-who">
				<h1>
					{title} {title !== session.machine_name && <span className="mono">{session.machine_name}</span>}
				</h1>
				<span className="sub">
					{session.reason}
					{session.ticket_id && (
						<>
							{" · "}
							<Link to="/tickets/$id" params={{ id: session.ticket_id }} className="link">
								{t("session.ticket")}
							</Link>
						</>
					)}
				</span>
			</div>
			<span className="grow" />
			{session.opened_at && open && (
				<span className="session-fact">
					<Icon name="record" />
					<span>
						<b>{t("session.is_recorded")}</b>
						<Since at={session.opened_at} />
					</span>
				</span>
			)}
			{open && (
				<Btn kind="stop" id="session-end" loading={end.isPending} onClick={() => end.mutate(session.id)}>
					{t("session.end")}
				</Btn>
			)}
			{end.error && <Wrong reason={end.error} />}
		</section>
	);
}

function useSeconds(from: string | number | undefined): number {
	const [now, setNow] = useState(Date.now);
	useEffect(() => {
		if (from === undefined) return;
		const timer = setInterval(() => setNow(Date.now()), 1000);
		return () => clearInterval(timer);
	}, [from]);
	return from === undefined ? 0 : Math.max(0, (now - new Date(from).getTime()) / 1000);
}

function Since({ at }: { at: string }) {
	const seconds = useSeconds(at);
	return <span className="sub">{counter(seconds)}</span>;
}

function Waiting({ session }: { session: Session }) {
	const t = useT();
	const passed = useSeconds(session.created_at);
	if (session.state === "opening")
		return (
			<div className="session-wait">
				<p className="sentence" role="status">
					{t("session.opening")}
				</p>
			</div>
		);
	return (
		<div className="session-wait">
			<p className="sentence" role="status">
				{t("session.waiting")}
			</p>
			<p className="mid">{t("session.left", { n: Math.max(0, Math.ceil(WAIT - passed)) })}</p>
			<p className="sub">{t("session.meanwhile")}</p>
			<Btn renderRoot={(props) => <Link to="/computers/$id" params={{ id: session.machine_id }} {...props} />}>
				{t("session.to_machine")}
			</Btn>
		</div>
	);
}

function Over({ session }: { session: Session }) {
	const t = useT();
	const can = useCan();
	const seconds =
		session.opened_at && session.ended_at
			? (Date.parse(session.ended_at) - Date.parse(session.opened_at)) / 1000
			: null;
	return (
		<div className="session-wait">
			{session.refusal ? (
				<Refusal of={session.refusal} />
			) : (
				<p className="sentence" role="status">
					{seconds !== null ? t("session.ended", { time: duration(seconds) }) : t("session.ended_before")}
				</p>
			)}
			{session.state === "ended" && session.ended_at && (
				<p className="mid">{t("session.ended_at", { at: clock(session.ended_at), name: session.by.name })}</p>
			)}
			<div className="line">
				{session.recording && can("session.replay") && (
					<Btn
						kind="first"
						icon="play"
						renderRoot={(props) => <Link to="/sessions/$id/replay" params={{ id: session.id }} {...props} />}
					>
						{t("session.replay")}
					</Btn>
				)}
				<Btn renderRoot={(props) => <Link to="/computers/$id" params={{ id: session.machine_id }} {...props} />}>
					{t("session.to_machine")}
				</Btn>
			</div>
		</div>
	);
}

function Live({ session, machine }: { session: Session; machine?: Machine }) {
	const t = useT();
	const [link, setLink] = useState<{ link: WireLink; since?: number }>({ link: "connecting" });
	const [code, setCode] = useState<number>();
	const [notices, setNotices] = useState<{ at: number; text: string }[]>([]);
	const [size, setSize] = useState<[number, number]>();
	const [refused, setRefused] = useState(false);
	const lost = useSeconds(link.link === "lost" ? link.since : undefined);
	const sizeTold = useRef(setSize);
	return (
		<div className="session-body">
			<div className="term-column">
				<div className={link.link === "lost" || link.link === "elsewhere" ? "term-place faded" : "term-place"}>
					<Suspense fallback={null}>
						<LiveTerminal
							id={session.id}
							label={session.machine_name}
							leave={() => document.getElementById("session-end")?.focus()}
							link={(state, since) => setLink({ link: state, since })}
							exit={setCode}
							notice={(text) => setNotices((all) => [...all.slice(-20), { at: Date.now(), text }])}
							refused={setRefused}
							size={(columns, rows) => sizeTold.current([columns, rows])}
						/>
					</Suspense>
				</div>
				<div className="term-foot">
					<span role="status">
						{link.link === "open" ? (
							<Mark grade="ok">{t("session.link_good")}</Mark>
						) : link.link === "lost" ? (
							<Mark grade="warning">{t("session.link_lost", { time: duration(Math.floor(lost)) })}</Mark>
						) : link.link === "elsewhere" ? (
							<Mark grade="unknown">{t("session.elsewhere")}</Mark>
						) : link.link === "over" ? (
							<Mark grade="unknown">
								{code === undefined ? t("session.link_over") : t("session.exit", { code: number(code) })}
							</Mark>
						) : (
							t("session.opening")
						)}
					</span>
					<span role="alert">{refused && <Mark grade="warning">{t("session.refused_input")}</Mark>}</span>
					{size && (
						<span>
							{size[0]} × {size[1]}
						</span>
					)}
					<span className="grow" />
					<span className="not-narrow">
						{t("session.keys")} <kbd>Ctrl Shift Space</kbd> {t("session.leaves")}
					</span>
				</div>
			</div>
			<aside className="pane" aria-label={t("session.about")}>
				<section>
					<h2>{t("session.person")}</h2>
					<p>{t("session.unseen")}</p>
				</section>
				{machine && (
					<section className="not-narrow">
						<h2>{t("ticket.machine")}</h2>
						<dl className="kv">
							<dt>{t("fact.system")}</dt>
							<dd>{systemName(machine.os)}</dd>
							<dt>{t("fact.policy")}</dt>
							<dd>{machine.policy.profile}</dd>
							<dt>{t("session.since")}</dt>
							<dd>{session.opened_at ? clock(session.opened_at) : ""}</dd>
						</dl>
					</section>
				)}
				{notices.length > 0 && (
					<section>
						<h2>{t("session.notices")}</h2>
						<ul className="rows">
							{notices.map((notice) => (
								<li key={`${notice.at} ${notice.text}`}>
									<time>{clock(notice.at)}</time>
									<span>{notice.text}</span>
								</li>
							))}
						</ul>
					</section>
				)}
			</aside>
		</div>
	);
}
