/** A ticket with the parts of other features: findings, the machine beside it, runs and sessions. */
import { useParams, useRouter } from "@tanstack/react-router";
import type { Ticket } from "../api/types";
import { TicketPage, type TicketParts } from "../desk/TicketPage";
import { MachineCard } from "../fleet/MachineCard";
import { StillFailing, TicketFindings } from "../health/TicketFindings";
import { NowBars } from "../health/Vitals";
import { RunItem } from "../repair/RunItem";
import { Suggested } from "../repair/Suggested";
import { SessionItem } from "../session/SessionItem";

function Machine({ machine, ticket }: { machine: string; ticket: Ticket }) {
	return (
		<>
			<MachineCard id={machine} ticket={ticket.id} keys={ticket.machine_ids[0] === machine} Now={NowBars} />
			<Suggested machine={machine} ticket={ticket.id} finding={ticket.alert_ids.length > 0} />
		</>
	);
}

const parts: TicketParts = { Findings: TicketFindings, Machine, Run: RunItem, Session: SessionItem, StillFailing };

export function TicketRoute() {
	const { id } = useParams({ from: "/console/tickets/$id" });
	const router = useRouter();
	return <TicketPage key={id} id={id} parts={parts} back={() => router.history.back()} />;
}
