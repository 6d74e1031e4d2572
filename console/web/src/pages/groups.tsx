import { useNavigate, useSearch } from "@tanstack/react-router";
import { GroupsPage } from "../fleet/GroupsPage";

export function GroupsRoute() {
	const { group } = useSearch({ from: "/console/computers/groups" });
	const navigate = useNavigate({ from: "/computers/groups" });
	return <GroupsPage chosen={group} choose={(id) => void navigate({ search: { group: id }, replace: true })} />;
}
