import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { QueuePage } from "../desk/QueuePage";

export function QueueRoute() {
	const { view } = useParams({ from: "/console/queue/$view" });
	const { q, sort } = useSearch({ from: "/console/queue/$view" });
	const navigate = useNavigate({ from: "/queue/$view" });
	return (
		<QueuePage
			filter={{ view, q, sort }}
			set={(change) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true })}
			open={(id) => void navigate({ to: "/tickets/$id", params: { id } })}
		/>
	);
}
