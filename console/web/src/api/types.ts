/** The nouns of the console's API by the names this application uses for them. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Me = Schemas["Me"];
export type Role = Me["role"];
export type Token = Schemas["Token"];
export type Trust = Schemas["Trust"];
export type NameRef = Schemas["Ref"];
export type Health = Machine["health"];
export type Severity = Alert["severity"];
export type Machine = Schemas["Machine"];
export type MachineCounts = Schemas["MachineCounts"];
type Raw = Schemas["Facts"];
type Lists = "filesystems" | "network" | "people" | "services" | "processes" | "unreadable";
type Rows<K extends Lists> = NonNullable<Raw[K]>[number];
/** A row whose name is known: what has no name cannot be listed. */
type Called<T, K extends keyof T> = Omit<T, K> & { [P in K]: NonNullable<T[P]> };

/** Facts as pages use them: a section that is unknown is an empty list, and `unreadable` says why. */
export type Facts = Omit<
	Raw,
	"hardware" | "filesystems" | "network" | "people" | "services" | "processes" | "unreadable"
> & {
	hardware: Partial<NonNullable<Raw["hardware"]>>;
	filesystems: Called<Rows<"filesystems">, "mount">[];
	network: Called<Rows<"network">, "name" | "addresses">[];
	/** null: not known. */
	people: Called<Rows<"people">, "name">[] | null;
	services: Called<Rows<"services">, "name">[];
	processes: Rows<"processes">[];
	unreadable: Rows<"unreadable">[];
};

export const factsOf = (raw: Raw): Facts => ({
	...raw,
	hardware: raw.hardware ?? {},
	filesystems: (raw.filesystems ?? []).map((row) => ({ ...row, mount: row.mount ?? "" })),
	network: (raw.network ?? []).map((row) => ({ ...row, name: row.name ?? "", addresses: row.addresses ?? [] })),
	people: raw.people?.map((row) => ({ ...row, name: row.name ?? "" })) ?? null,
	services: (raw.services ?? []).map((row) => ({ ...row, name: row.name ?? "" })),
	processes: raw.processes ?? [],
	unreadable: raw.unreadable ?? [],
});
export type Process = Schemas["FactProcess"];
export type Series = Schemas["Series"];
export type Vitals = Schemas["Vitals"];
export type Group = Schemas["Group"];
export type Enrolment = Schemas["NewEnrolment"];
export type Alert = Schemas["Alert"];
export type Ticket = Schemas["Ticket"];
export type TicketState = Ticket["state"];
export type TicketCounts = Schemas["TicketCounts"];
export type CanWork = NonNullable<Ticket["can_work"]>;
export type TimelineItem = Schemas["Item"];
export type Found = Schemas["Found"];
export type Person = Schemas["Person"];
export type Script = Schemas["Script"];
export type Risk = Script["risk"];
export type Run = Schemas["Run"];
export type RunState = Run["state"];
export type Question = Schemas["Question"];
export type Answer = Schemas["QuestionAnswer"];
export type Field = Schemas["Field"];
export type Session = Schemas["Session"];
export type Check = Schemas["Check"];
export type Settings = Schemas["Settings"];
export type AuditItem = Schemas["AuditRow"];
export type HelpHome = Schemas["HelpPage"];
export type HelpTicket = Schemas["HelpTicket"];
export type Problem = Schemas["Problem"];

/** What a list answers: one page, where the next begins, and how many there are, as far as they were counted. */
export type List<T> = { items: T[]; next: string | null; total: number; over: boolean };

/** A live value of a vital, sent about once a second while its machine is watched. */
export type LiveValue = { name: string; unit: string; attributes: Record<string, string>; value: number | null };
