/** How the rows of the audit log are said: who acted, what was done, and how it ended. */
import { i18n } from "@lingui/core";
import type { AuditItem } from "../api/types";
import { type MessageId, pick, type Translate } from "../i18n";

/** A sentence whose id is put together, where there is one. One that is not there is never asked for: the catalogue warns of it. */
const said = (t: Translate, id: string): string | undefined => (i18n.messages[id] ? t(id as MessageId) : undefined);

/** What was done, or the console's own word for it. */
export const didWords = (t: Translate, action: string): string => said(t, `audit.did.${action}`) ?? action;

/** A run ends as it ends; everything else was done, asked for or refused. */
export const resultWords = (t: Translate, result: string): string =>
	said(t, `audit.result.${result}`) ?? said(t, `run.state.${result}`) ?? result;

/** A computer that acts is named where the row is about it. */
export function whoDid(t: Translate, actor: AuditItem["actor"], subjects: AuditItem["subjects"] = []): string {
	const { kind } = actor;
	const name = actor.name || pick(subjects.find((one) => one.id === actor.id)?.name);
	switch (kind) {
		case "machine":
			return name ? t("audit.by.machine_named", { name }) : t("audit.by.machine");
		case "system":
			return t(name === "command line" ? "audit.by.command" : "audit.by.system");
	}
	if (!name) return t("audit.by.erased");
	return kind === "token"
		? t("audit.by.token", { name })
		: kind === "requester"
			? t("audit.by.requester", { name })
			: name;
}

/** Kinds that have names: without one, the thing is gone. */
const named = new Set(["machine", "ticket", "person", "group", "question", "alert", "run"]);

/** What a row is about, before the computer where it was; whoever acts is said already, and what the row deletes is gone. */
export const aboutOf = ({ action, actor, subjects }: Pick<AuditItem, "action" | "actor" | "subjects">) =>
	subjects
		.filter((one) => one.id !== actor.id && (one.name || (named.has(one.kind) && action !== "group.delete")))
		.sort((a, b) => Number(a.kind === "machine") - Number(b.kind === "machine"));
