import { useNavigate, useSearch } from "@tanstack/react-router";
import { AskPage } from "../fleet/AskPage";

export function AskRoute() {
	const { e, question, group } = useSearch({ from: "/console/computers/ask" });
	const navigate = useNavigate({ from: "/computers/ask" });
	return (
		<AskPage
			expression={e}
			question={question}
			group={group}
			setGroup={(id) => void navigate({ search: (now) => ({ ...now, group: id }), replace: true })}
			asked={(fresh) => void navigate({ search: { e: fresh.expression, question: fresh.id, group } })}
		/>
	);
}
