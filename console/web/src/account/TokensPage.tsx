/** API tokens: whose they are, until when, and taking them back. Their secrets are not known here. */
import { useState } from "react";
import { useCan, useMe } from "../api/me";
import type { Token } from "../api/types";
import { useT } from "../i18n";
import { moment, when } from "../i18n/format";
import { Confirm } from "../ui/confirm";
import { say } from "../ui/notices";
import { Bones, Btn, Empty, Wrong } from "../ui/parts";
import { useRevoke, useTokens } from "./queries";
import "./account.css";

export function TokensPage() {
	const t = useT();
	const can = useCan();
	const me = useMe();
	const tokens = useTokens();
	const revoke = useRevoke();
	const [asked, setAsked] = useState<Token>();
	const rows = tokens.data?.pages.flatMap((page) => page.items) ?? [];
	if (tokens.error) return <Wrong reason={tokens.error} retry={() => void tokens.refetch()} large />;
	if (!tokens.data) return <Bones lines={5} />;
	return (
		<>
			<p className="sub settings-lead">{t(can("people.write") ? "tokens.lead" : "tokens.lead_own")}</p>
			{revoke.error && <Wrong reason={revoke.error} />}
			{rows.length === 0 ? (
				<Empty large>{t("tokens.none")}</Empty>
			) : (
				<table className="plain people">
					<thead>
						<tr>
							<th>{t("tokens.whose")}</th>
							<th className="not-narrow">{t("tokens.made")}</th>
							<th>{t("tokens.until")}</th>
							<th>
								<span className="out-of-sight">{t("people.acts")}</span>
							</th>
						</tr>
					</thead>
					<tbody>
						{rows.map((token) => (
							<tr key={token.id}>
								<td>
									<span className="line">
										<b className="cut" title={token.person.name}>
											{token.person.name}
										</b>
										{token.person.id === me.id && <span className="tag">{t("people.you")}</span>}
									</span>
								</td>
								<td className="mid not-narrow" title={moment(token.created_at)}>
									{when(token.created_at)}
								</td>
								<td className="mid" title={moment(token.expires_at)}>
									{Date.parse(token.expires_at) < Date.now() ? t("tokens.over") : when(token.expires_at)}
								</td>
								<td className="r">
									<Btn low onClick={() => setAsked(token)}>
										{t("tokens.revoke")}
										<span className="out-of-sight">
											{" "}
											{token.person.name}, {when(token.created_at)}
										</span>
									</Btn>
								</td>
							</tr>
						))}
					</tbody>
				</table>
			)}
			{tokens.hasNextPage && (
				<Btn low loading={tokens.isFetchingNextPage} onClick={() => void tokens.fetchNextPage()}>
					{t("act.more")}
				</Btn>
			)}
			<p className="sub settings-hint">
				{t("tokens.how_to_make")} <span className="mono">deskside-console token create --person NAME --data DIR</span>
			</p>
			{asked && (
				<Confirm
					title={t("tokens.revoke_title", { name: asked.person.name, at: when(asked.created_at) })}
					act={t("tokens.revoke_act")}
					busy={revoke.isPending}
					close={() => setAsked(undefined)}
					confirm={() =>
						revoke.mutate(asked.id, {
							onSuccess: () => say(t("tokens.revoked", { name: asked.person.name })),
							onSettled: () => setAsked(undefined),
						})
					}
				>
					{t("tokens.revoke_what")}
				</Confirm>
			)}
		</>
	);
}
