import { useParams } from "@tanstack/react-router";
import { AuditPage } from "../account/AuditPage";
import { MySettings } from "../account/MySettings";
import { PeoplePage } from "../account/PeoplePage";
import { TokensPage } from "../account/TokensPage";
import { TrustPage } from "../account/TrustPage";
import { ConsoleSettings } from "../fleet/ConsoleSettings";
import { EnrolPage } from "../fleet/EnrolLine";
import { SettingsPage, type SettingsPart } from "../frame/SettingsPage";
import { ChecksPage } from "../health/ChecksPage";

const parts: SettingsPart[] = [
	{ id: "mine", word: "settings.mine", Page: MySettings },
	{ id: "enrol", word: "settings.enrol", right: "machine.enrol", Page: EnrolPage },
	{ id: "checks", word: "settings.checks", right: "machine.read", Page: ChecksPage },
	{ id: "console", word: "settings.console", right: "settings.write", Page: ConsoleSettings },
	{ id: "people", word: "settings.people", right: "people.write", Page: PeoplePage },
	{ id: "tokens", word: "settings.tokens", Page: TokensPage },
	{ id: "trust", word: "settings.trust", Page: TrustPage },
	{ id: "audit", word: "settings.audit", right: "audit.read", Page: AuditPage },
];

export function SettingsRoute() {
	const { part } = useParams({ from: "/console/settings/$part" });
	return <SettingsPage part={part} parts={parts} />;
}
