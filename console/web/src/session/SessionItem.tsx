/** A session where it happened: in a ticket's timeline and on the page of its machine. */
import { Link } from "@tanstack/react-router";
import { useCan } from "../api/me";
import type { Machine, Session } from "../api/types";
import { useT } from "../i18n";
import { duration, when } from "../i18n/format";
import { Bones, Empty, Wrong } from "../ui/parts";
import { useSession, useSessions } from "./queries";

function Where({ session }: { session: Session }) {
	const t = useT();
	const can = useCan();
	if (session.state === "open" || session.state === "waiting_consent" || session.state === "opening")
		return (
			<Link to="/sessions/$id" params={{ id: session.id }} className="link">
				{t("session.go")}
			</Link>
		);
	if (session.recording && can("session.replay"))
		return (
			<Link to="/sessions/$id/replay" params={{ id: session.id }} className="link">
				{t("session.replay")}
			</Link>
		);
	return null;
}

const length = (session: Session) =>
	session.opened_at && session.ended_at
		? duration((Date.parse(session.ended_at) - Date.parse(session.opened_at)) / 1000)
		: "";

export function SessionItem({ session: id }: { session: string }) {
	const t = useT();
	const session = useSession(id);
	if (session.error) return <Wrong reason={session.error} retry={() => void session.refetch()} />;
	if (!session.data) return <Bones lines={1} />;
	const { data } = session;
	return (
		<div className="line wrap">
			<b>{t("session.terminal")}</b>
			<span className="dim">
				{[data.by.name, t(`session.state.${data.state}`), length(data)].filter(Boolean).join(" · ")}
			</span>
			<span className="grow" />
			<Where session={data} />
		</div>
	);
}

export function MachineSessions({ machine }: { machine: Machine }) {
	const t = useT();
	const sessions = useSessions({ machine_id: machine.id });
	return (
		<section>
			<h2>{t("session.sessions")}</h2>
			{sessions.error ? (
				<Wrong reason={sessions.error} retry={() => void sessions.refetch()} />
			) : !sessions.data ? (
				<Bones lines={2} />
			) : sessions.data.items.length === 0 ? (
				<Empty>{t("session.none")}</Empty>
			) : (
				<ul className="rows">
					{sessions.data.items.slice(0, 6).map((session) => (
						<li key={session.id}>
							<time>{when(session.created_at)}</time>
							<span className="cut grow" title={session.reason}>
								{session.by.name}{" "}
								<span className="dim">
									{[t(`session.state.${session.state}`), length(session)].filter(Boolean).join(" · ")}
								</span>
							</span>
							<Where session={session} />
						</li>
					))}
				</ul>
			)}
		</section>
	);
}
