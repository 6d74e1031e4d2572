import { useNavigate, useSearch } from "@tanstack/react-router";
import { AskPage } from "../fleet/AskPage";

export function AskRoute() {
	const { e, question } = useSearch({ from: "/console/computers/ask" });
	const navigate = useNavigate({ from: "/computers/ask" });
	return (
		<AskPage
			expression={e}
			question={question}
			asked={(fresh) => void navigate({ search: { e: fresh.expression, question: fresh.id } })}
		/>
	);
}
