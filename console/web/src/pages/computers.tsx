import { useNavigate, useSearch } from "@tanstack/react-router";
import { ComputersPage } from "../fleet/ComputersPage";

export function ComputersRoute() {
	const filter = useSearch({ from: "/console/computers" });
	const navigate = useNavigate({ from: "/computers" });
	return (
		<ComputersPage
			filter={filter}
			set={(change) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true })}
			open={(id) => void navigate({ to: "/computers/$id", params: { id } })}
		/>
	);
}
