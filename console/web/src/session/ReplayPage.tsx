/** A recording of a terminal, played on the same screen that showed it live. */
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useEffect } from "react";
import { useT } from "../i18n";
import { bytes, duration, moment } from "../i18n/format";
import { Bones, Btn, Empty, Wrong } from "../ui/parts";
import { useRecording, useSession } from "./queries";
import "./session.css";

const ReplayScreen = lazy(() => import("./ReplayScreen"));

export function ReplayPage({ id }: { id: string }) {
	const t = useT();
	const session = useSession(id);
	const recording = useRecording(id, !!session.data?.recording);
	useEffect(() => {
		document.title = `${t("session.replay")} · ${session.data?.machine_name ?? ""} · Deskside`;
	}, [t, session.data?.machine_name]);
	const error = session.error ?? recording.error;
	if (error) return <Wrong reason={error} retry={() => void (session.error ? session : recording).refetch()} large />;
	if (!session.data)
		return (
			<div className="page-head">
				<Bones lines={2} />
			</div>
		);
	const machine = session.data.machine_id;
	return (
		<div className="page">
			<section className="page-head line wrap">
				<div className="grow">
					<h1 className="sentence">
						{t("session.replay_of", { name: session.data.by.name, machine: session.data.machine_name })}
					</h1>
					<p className="sub">
						{moment(session.data.created_at)} · {session.data.reason}
						{session.data.recording &&
							` · ${duration(session.data.recording.seconds)} · ${bytes(session.data.recording.bytes)}`}
					</p>
				</div>
				<Btn renderRoot={(props) => <Link to="/computers/$id" params={{ id: machine }} {...props} />}>
					{t("session.to_machine")}
				</Btn>
			</section>
			{!session.data.recording ? (
				<Empty large>{t("session.no_recording")}</Empty>
			) : recording.data === undefined ? (
				<div className="sec">
					<Bones lines={6} />
				</div>
			) : (
				<Suspense fallback={null}>
					<ReplayScreen text={recording.data} />
				</Suspense>
			)}
		</div>
	);
}
