/** What the pages with an expression share: the fields that it can name, and why it was refused. */
import { useState } from "react";
import { Failure } from "../api/client";
import { pick, useT } from "../i18n";
import { Wrong } from "../ui/parts";
import { useFields } from "./queries";

/** Why an expression was refused, with the place marked under the line it stands in. `field` is what the API calls it. */
export function Refused({ reason, expression, field }: { reason: unknown; expression: string; field: string }) {
	const problem =
		reason instanceof Failure ? reason.problem.errors?.find((e) => e.location === `body.${field}`) : undefined;
	if (!problem) return <Wrong reason={reason} />;
	const place = problem.position;
	const line = place ? expression.split("\n")[place.line - 1] : undefined;
	return (
		<div role="alert" className="ask-where">
			{line !== undefined && place && `${line}\n${" ".repeat(Math.max(0, place.column - 1))}^ `}
			{problem.message}
		</div>
	);
}

/** What an expression can name; with `facts`, without what changes from moment to moment. */
export function FieldHelp({ insert, facts }: { insert: (name: string) => void; facts?: boolean }) {
	const t = useT();
	const fields = useFields();
	const [filter, setFilter] = useState("");
	const wanted = filter.trim().toLocaleLowerCase();
	return (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
		<aside className="pane" tabIndex={0} aria-label={t("ask.fields")}>
			<section>
				<h2>{t("ask.fields")}</h2>
				<input
					className="field-filter"
					type="search"
					aria-label={t("act.filter")}
					placeholder={t("act.filter")}
					value={filter}
					onChange={(event) => setFilter(event.currentTarget.value)}
				/>
				{fields.error && <Wrong reason={fields.error} retry={() => void fields.refetch()} />}
				<ul className="ask-fields">
					{fields.data
						?.filter((f) => !(facts && f.vital))
						.filter((f) => !wanted || `${f.name} ${pick(f.help)}`.toLocaleLowerCase().includes(wanted))
						.map((field) => (
							<li key={field.name}>
								<button type="button" className="plain" onClick={() => insert(field.name)}>
									<span className="line">
										<b className="mono cut">{field.name}</b>
										<span className="mono dim">{field.type}</span>
										{field.class !== "plain" && (
											<span className="tag">{t(field.class === "private" ? "ask.private" : "ask.personal")}</span>
										)}
									</span>
									<span className="sub">{pick(field.help)}</span>
								</button>
							</li>
						))}
				</ul>
			</section>
		</aside>
	);
}
