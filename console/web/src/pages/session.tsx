import { useParams } from "@tanstack/react-router";
import { ReplayPage } from "../session/ReplayPage";
import { SessionPage } from "../session/SessionPage";

export function SessionRoute() {
	const { id } = useParams({ from: "/console/sessions/$id" });
	return <SessionPage key={id} id={id} />;
}

export function ReplayRoute() {
	const { id } = useParams({ from: "/console/sessions/$id/replay" });
	return <ReplayPage key={id} id={id} />;
}
