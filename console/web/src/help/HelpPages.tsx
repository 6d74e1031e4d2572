/**
 * The person's side: say what is wrong, whether one can work, see what we noticed,
 * follow and answer. Its own layout, for a telephone first; no word of the trade. It speaks
 * the language of the browser until the person chooses the other one.
 */
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { CanWork, HelpHome, HelpTicket } from "../api/types";
import { language, pick, setLanguage, useT } from "../i18n";
import { when } from "../i18n/format";
import { Icon, Logo } from "../ui/icons";
import { Bones, Btn, Seg, useSentence } from "../ui/parts";
import { useAnswer, useAskForHelp, useHelp, useHelpSignIn, useHelpTicket, useWorks } from "./queries";
import "./help.css";

const STORED = "deskside-help-draft";

function Layout({ home, children, back }: { home?: HelpHome; children: ReactNode; back?: boolean }) {
	const t = useT();
	useEffect(() => {
		document.title = t("help.title");
	}, [t]);
	return (
		<div className="help-ground">
			<main className="help">
				<header>
					{back ? (
						<Link to="/help" className="link">
							{t("help.back")}
						</Link>
					) : (
						<>
							<Logo />
							{t("help.title")}
						</>
					)}
					<span className="grow" />
					<Seg
						label={t("settings.language")}
						value={language()}
						options={[
							{ value: "en", label: "English" },
							{ value: "pl", label: "Polski" },
						]}
						onChange={(to) => void setLanguage(to)}
					/>
				</header>
				{children}
				{home && <p className="sub help-machine">{home.machine.name}</p>}
			</main>
		</div>
	);
}

export function HelpPage({
	link,
	signedIn,
	open,
}: {
	link?: string;
	signedIn: () => void;
	open: (ticket: string) => void;
}) {
	const t = useT();
	const signIn = useHelpSignIn();
	const tried = useRef(false);
	const { mutate } = signIn;
	useEffect(() => {
		if (!link || tried.current) return;
		tried.current = true;
		mutate(link, { onSuccess: signedIn });
	}, [link, mutate, signedIn]);
	const home = useHelp(!link);
	if (signIn.error || home.error)
		return (
			<Layout>
				<h1>{t("help.closed")}</h1>
				<p>{t("help.closed_how")}</p>
			</Layout>
		);
	if (!home.data)
		return (
			<Layout>
				<Bones lines={4} />
			</Layout>
		);
	return (
		<Layout home={home.data}>
			<Ask home={home.data} open={open} />
		</Layout>
	);
}

const answers: { value: CanWork; word: "help.work_yes" | "help.work_some" | "help.work_no" }[] = [
	{ value: "yes", word: "help.work_yes" },
	{ value: "with_difficulty", word: "help.work_some" },
	{ value: "no", word: "help.work_no" },
];

function Ask({ home, open }: { home: HelpHome; open: (ticket: string) => void }) {
	const t = useT();
	const sentence = useSentence();
	const ask = useAskForHelp();
	const [says, setSays] = useState(() => localStorage.getItem(STORED) ?? "");
	const [work, setWork] = useState<CanWork>();
	const write = (text: string) => {
		setSays(text);
		localStorage.setItem(STORED, text);
	};
	const ready = says.trim() !== "" && work !== undefined;
	return (
		<form
			className="help-form"
			onSubmit={(event) => {
				event.preventDefault();
				if (!ready || !work) return;
				ask.mutate(
					{ says: says.trim(), can_work: work },
					{
						onSuccess: (ticket) => {
							localStorage.removeItem(STORED);
							open(ticket.id);
						},
					},
				);
			}}
		>
			<h1>
				<label htmlFor="says">{t("help.what")}</label>
			</h1>
			<textarea id="says" rows={4} value={says} onChange={(event) => write(event.currentTarget.value)} autoFocus />
			<h2 id="work">{t("help.can_work")}</h2>
			<div className="help-three" role="group" aria-labelledby="work">
				{answers.map(({ value, word }) => (
					<button key={value} type="button" aria-pressed={work === value} onClick={() => setWork(value)}>
						{t(word)}
					</button>
				))}
			</div>
			{home.noticed.length > 0 && (
				<section className="help-noticed">
					<div className="line sub">
						<Icon name="eye" />
						{t("help.noticed")}
					</div>
					{home.noticed.map((one) => (
						<p key={one.plain.en}>{pick(one.plain)}</p>
					))}
				</section>
			)}
			{home.tickets.length > 0 && <Mine home={home} />}
			<h2>{t("help.next")}</h2>
			<ol className="help-next">
				<li>
					<Icon name="person" />
					<span>{t("help.next_who")}</span>
				</li>
				<li>
					<Icon name="reply" />
					<span>{t("help.next_here")}</span>
				</li>
				<li>
					<Icon name="lock" />
					<span>{t("help.next_safe")}</span>
				</li>
			</ol>
			<div className="help-foot">
				{ask.error && (
					<p role="alert" className="help-wrong">
						{sentence(ask.error)}
					</p>
				)}
				<Btn type="submit" kind="first" loading={ask.isPending} disabled={!ready}>
					{t("act.send")}
				</Btn>
				{!ready && <p className="sub">{t(says.trim() ? "help.lacks_work" : "help.lacks_words")}</p>}
			</div>
		</form>
	);
}

function Mine({ home }: { home: HelpHome }) {
	const t = useT();
	return (
		<section>
			<h2>{t("help.mine")}</h2>
			<ul className="help-mine">
				{home.tickets.map((ticket) => (
					<li key={ticket.id}>
						<Link to="/help/$id" params={{ id: ticket.id }}>
							<span className="cut">{ticket.says || ticket.number}</span>
							<span className="sub">
								{t(`help.state.${ticket.state}`)} · {when(ticket.updated_at)}
							</span>
						</Link>
					</li>
				))}
			</ul>
		</section>
	);
}

export function HelpTicketPage({ id }: { id: string }) {
	const t = useT();
	const sentence = useSentence();
	const ticket = useHelpTicket(id);
	return (
		<Layout back>
			{ticket.error ? (
				<p role="alert">{sentence(ticket.error)}</p>
			) : ticket.data ? (
				<>
					<p className="sub">{ticket.data.number}</p>
					<h1>{t(`help.state.${ticket.data.state}`)}</h1>
					{ticket.data.says && ticket.data.messages[0]?.text !== ticket.data.says && (
						<blockquote className="text">{t("ticket.quoted", { words: ticket.data.says })}</blockquote>
					)}
					<Messages ticket={ticket.data} />
					{ticket.data.state === "resolved" && <Works ticket={ticket.data} />}
					{ticket.data.state === "closed" ? (
						<p className="help-foot">
							<Link to="/help" className="link">
								{t("help.another")}
							</Link>
						</p>
					) : (
						<Answer ticket={ticket.data} />
					)}
				</>
			) : (
				<Bones lines={5} />
			)}
		</Layout>
	);
}

function Messages({ ticket }: { ticket: HelpTicket }) {
	const t = useT();
	if (ticket.messages.length === 0) return <p className="help-quiet">{t("help.quiet")}</p>;
	return (
		<ol className="help-messages" aria-live="polite">
			{ticket.messages.map((message, i) => (
				<li key={`${message.at} ${i}`} className={message.from_person ? "mine" : undefined}>
					<p className="sub">
						{message.from_person ? t("help.you") : message.by} · {when(message.at)}
					</p>
					<p className="text">{message.text}</p>
				</li>
			))}
		</ol>
	);
}

/** The person has the last word: it works, or they write what does not. */
function Works({ ticket }: { ticket: HelpTicket }) {
	const t = useT();
	const sentence = useSentence();
	const works = useWorks(ticket.id);
	return (
		<div className="help-works">
			<Btn kind="first" loading={works.isPending} onClick={() => works.mutate()}>
				{t("help.works")}
			</Btn>
			{works.error && (
				<p role="alert" className="help-wrong">
					{sentence(works.error)}
				</p>
			)}
		</div>
	);
}

function Answer({ ticket }: { ticket: HelpTicket }) {
	const t = useT();
	const sentence = useSentence();
	const answer = useAnswer(ticket.id);
	const [text, setText] = useState("");
	const over = ticket.state === "resolved";
	return (
		<form
			className="help-foot"
			onSubmit={(event) => {
				event.preventDefault();
				if (text.trim()) answer.mutate(text.trim(), { onSuccess: () => setText("") });
			}}
		>
			<label htmlFor="answer">{t(over ? "help.not_over" : "help.answer")}</label>
			<textarea id="answer" rows={3} value={text} onChange={(event) => setText(event.currentTarget.value)} />
			{answer.error && (
				<p role="alert" className="help-wrong">
					{sentence(answer.error)}
				</p>
			)}
			<Btn type="submit" kind={over ? undefined : "first"} loading={answer.isPending} disabled={!text.trim()}>
				{t("act.send")}
			</Btn>
		</form>
	);
}
