import { RepairsPage } from "../repair/RepairsPage";

export function RepairsRoute() {
	return <RepairsPage />;
}
