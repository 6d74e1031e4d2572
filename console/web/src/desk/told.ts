/** What a machine, or Deskside itself, did in a ticket: said in the reader's language. */
import type { Ticket, TimelineItem } from "../api/types";
import { type MessageId, pick, type Translate } from "../i18n";
import { stateWord } from "./words";

type Words = { en: string; pl: string };
const isWords = (value: unknown): value is Words => typeof (value as Words | null)?.pl === "string";

const reasons: Record<string, MessageId> = {
	opened: "timeline.opened",
	joined: "timeline.joined",
	"came back": "timeline.came_back",
	cleared: "timeline.cleared",
	corrected: "timeline.corrected",
	severity: "timeline.severity",
	storm: "timeline.storm",
	expelled: "timeline.expelled",
	works: "timeline.works",
	condition_cleared: "timeline.by_itself",
};

/** The sentence of an item that no person wrote. */
export function toldOf(t: Translate, item: TimelineItem): string {
	const { what, to, hold_reason, finding, added, removed } = item.data;
	if (isWords(finding)) return pick(finding);
	if (item.kind === "state" && what === "state") {
		const state = { state: to, hold_reason: hold_reason || null } as Pick<Ticket, "state" | "hold_reason">;
		const moved = t("timeline.state", { state: t(stateWord(state)) });
		return item.text ? `${moved}: ${item.text}` : moved;
	}
	if (what === "assignee") return to ? t("timeline.leads", { name: String(to) }) : t("timeline.leads_nobody");
	if (what === "machines") return aboutOf(t, namesOf(added), namesOf(removed));
	if (what === "priority") return t("timeline.priority", { n: String(to) });
	return item.text;
}

/** Why it happened; a reason that has no words of its own is left out. */
export function reasonOf(t: Translate, item: TimelineItem): string {
	const word = reasons[item.reason];
	return word ? t(word) : "";
}

const namesOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

function aboutOf(t: Translate, added: string[], removed: string[]): string {
	return [
		added.length > 0 && t("timeline.about", { n: added.length, names: added.join(", ") }),
		removed.length > 0 && t("timeline.not_about", { n: removed.length, names: removed.join(", ") }),
	]
		.filter(Boolean)
		.join(" ");
}
