/** How the nouns of the console are said. Words that several features show alike. */
import type { Machine, Run, Ticket } from "../api/types";
import { type MessageId, pick, type Translate } from ".";
import { lasted, when } from "./format";

type Present = Pick<Machine, "presence" | "offline_reason" | "last_seen_at" | "people"> & { revoked?: boolean };

/** The title in the reader's language, while it is the one that Deskside gave. */
export const titleOf = (ticket: Pick<Ticket, "title" | "titles">) =>
	ticket.titles ? pick(ticket.titles) : ticket.title;

/** Presence with its reason, short enough for a row: “online, in use”, “asleep 09:40”. */
export function presence(t: Translate, machine: Present): string {
	if (machine.revoked) return t("presence.expelled");
	if (machine.presence === "online") return t(machine.people?.length ? "presence.in_use" : "presence.online");
	const since = machine.last_seen_at ? when(machine.last_seen_at) : "";
	if (!since) return t("presence.never");
	switch (machine.offline_reason) {
		case "asleep":
			return t("presence.asleep", { since });
		case "shut_down":
			return t("presence.shut_down", { since });
		case "crashed":
			return t("presence.crashed", { since });
		case "updating":
			return t("presence.updating");
		case "link_lost":
			return t("presence.link_lost", { age: lasted(machine.last_seen_at ?? "") });
		default:
			return t("presence.unknown", { since });
	}
}

/** The same as a sentence, for the top of a page. */
export function presenceSentence(t: Translate, machine: Present): string {
	if (machine.revoked) return t("presence.long.expelled");
	const since = machine.last_seen_at ? when(machine.last_seen_at) : "";
	if (!since) return t("presence.long.never", { start: "deskside-agent start", run: "deskside-agent run" });
	switch (machine.offline_reason) {
		case "asleep":
			return t("presence.long.asleep", { since });
		case "shut_down":
			return t("presence.long.shut_down", { since });
		case "crashed":
			return t("presence.long.crashed", { since });
		case "updating":
			return t("presence.long.updating");
		case "link_lost":
			return t("presence.long.link_lost", { since });
		default:
			return t("presence.long.unknown", { since });
	}
}

/** “Debian GNU/Linux 12 (bookworm)”: the version is added only where the name does not have it. */
export function systemName({ name, version }: Pick<Machine["os"], "name" | "version">): string {
	return !version || name.split(/[\s(),]+/).includes(version) ? name : `${name} ${version}`;
}

/** What is wrong with a machine in a few words, or that nothing is. */
export function headline(t: Translate, machine: Pick<Machine, "headline" | "health">): string {
	if (machine.headline) return pick(machine.headline.title);
	return t(`health.row.${machine.health}`);
}

export function ticketState(t: Translate, ticket: Pick<Ticket, "state" | "hold_reason">): string {
	return t(`ticket.state.${ticket.state}`);
}

/** The last digits of a ticket's number, as people say them: DS-000118 is 118. */
export function shortNumber(number: string): string {
	return number.replace(/^.*?0*(\d+)$/, "$1").padStart(3, "0");
}

export function runState(t: Translate, run: Pick<Run, "state" | "dry_run">): string {
	return t(`run.state.${run.state}`);
}

/** What a run ended as, in the grades that health has. */
export function runGrade(run: Pick<Run, "state" | "verify">): "ok" | "warning" | "critical" | "unknown" | undefined {
	if (run.verify?.verdict === "still_failing") return "warning";
	if (run.state === "succeeded") return "ok";
	if (["failed", "timed_out", "lost"].includes(run.state)) return "critical";
	if (["refused", "cancelled", "expired"].includes(run.state)) return "unknown";
	return undefined;
}

/** What the fields of a body are called on screen. */
const fieldWords: Record<string, MessageId> = {
	title: "new.title",
	says: "call.says",
	requester_name: "call.who",
	"resolution.text": "resolve.text",
	reason: "session.reason",
	display_name: "settings.name",
	expression: "ask.expression",
	rule: "groups.rule",
	name: "groups.name",
	watched_services: "settings.watched_services",
};

/** What the schema says of a field, where it says no number. */
const schemaWords: Record<string, MessageId> = {
	"expected length >= 1": "wrong.too_short",
	"expected integer": "wrong.no_integer",
	"expected number": "wrong.no_number",
};

/** What a field may hold, said in the reader's language where the console speaks as its schema does. */
export function fieldProblem(t: Translate, why: string): string {
	const most = /^expected length <= (\d+)$/.exec(why)?.[1];
	if (most) return t("wrong.too_long", { n: Number(most) });
	const known = schemaWords[why];
	return known ? t(known) : why;
}

/** A refused field by its name on screen: “Says: at most 20,000 characters”. */
export function fieldSentence(t: Translate, name: string, why: string): string {
	const word = fieldWords[name];
	return t("wrong.field", { field: word ? t(word) : name, why: fieldProblem(t, why) });
}

/** Why a computer did not do what was asked: a sentence for each code that it may answer with. */
export function refusalSentence(t: Translate, code: string): string {
	const known = refusalCodes.find((one) => one === code);
	return t(known ? `refusal.${known}` : "refusal.other");
}

const refusalCodes = [
	"stamp_invalid",
	"wrong_machine",
	"expired",
	"too_early",
	"already_seen",
	"clock_in_doubt",
	"policy",
	"policy_broken",
	"proof_missing",
	"proof_invalid",
	"consent_missing",
	"limit_reached",
	"busy",
	"malformed",
	"unknown_kind",
	"unsupported",
	"unknown_script",
	"script_differs",
	"not_approved",
	"risk",
	"no_check_firing",
	"parameters_invalid",
	"protected",
	"platform",
	"expression",
	"revoked",
	"forbidden",
] as const;
