/** The settings: one list of places, one page each. What a person may not change is not in the list. */
import { Link } from "@tanstack/react-router";
import { type ComponentType, useEffect } from "react";
import { Failure } from "../api/client";
import { type Right, useCan } from "../api/me";
import { type MessageId, useT } from "../i18n";
import { Wrong } from "../ui/parts";
import "./settings.css";

export type SettingsPart = { id: string; word: MessageId; right?: Right; Page: ComponentType };

export function SettingsPage({ part, parts }: { part: string; parts: SettingsPart[] }) {
	const t = useT();
	const can = useCan();
	const mine = parts.filter((one) => !one.right || can(one.right));
	const current = mine.find((one) => one.id === part);
	useEffect(() => {
		document.title = `${current ? t(current.word) : t("nav.settings")} · Deskside`;
	}, [current, t]);
	return (
		<div className="settings">
			<nav className="settings-places" aria-label={t("nav.settings")}>
				{mine.map((one) => (
					<Link
						key={one.id}
						to="/settings/$part"
						params={{ part: one.id }}
						aria-current={one.id === part ? "page" : undefined}
					>
						{t(one.word)}
					</Link>
				))}
				<Link to="/repairs" className="only-narrow">
					{t("nav.repairs")}
				</Link>
			</nav>
			<div className="settings-page scroll">
				{current ? (
					<>
						<h1 className="sentence">{t(current.word)}</h1>
						<current.Page />
					</>
				) : (
					<Wrong reason={new Failure(404, {})} large />
				)}
			</div>
		</div>
	);
}
