import { useParams } from "@tanstack/react-router";
import { OpenTickets } from "../desk/TicketsOf";
import { MachinePage, type MachineParts } from "../fleet/MachinePage";
import { Findings, Sentence } from "../health/Findings";
import { Vitals } from "../health/Vitals";
import { MachineRuns } from "../repair/RunItem";
import { MachineSessions } from "../session/SessionItem";

const parts: MachineParts = { Sentence, Findings, Vitals, OpenTickets, Runs: MachineRuns, Sessions: MachineSessions };

export function MachineRoute() {
	const { id } = useParams({ from: "/console/computers/$id" });
	return <MachinePage key={id} id={id} parts={parts} />;
}
