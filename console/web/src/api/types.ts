/** The nouns of the console's API by the names this application uses for them. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Me = Schemas["Me"];
export type Role = Schemas["Role"];
export type NameRef = Schemas["NameRef"];
export type Health = Schemas["Health"];
export type Severity = Schemas["Severity"];
export type Machine = Schemas["Machine"];
export type MachineCounts = Schemas["MachineCounts"];
export type Facts = Schemas["Facts"];
export type Process = Schemas["Process"];
export type Series = Schemas["Series"];
export type Vitals = Schemas["Vitals"];
export type Enrolment = Schemas["Enrolment"];
export type Alert = Schemas["Alert"];
export type Ticket = Schemas["Ticket"];
export type TicketState = Schemas["TicketState"];
export type TicketCounts = Schemas["TicketCounts"];
export type CanWork = Schemas["CanWork"];
export type TimelineItem = Schemas["TimelineItem"];
export type Found = Schemas["Found"];
export type Person = Schemas["Person"];
export type Script = Schemas["Script"];
export type Risk = Schemas["Risk"];
export type Run = Schemas["Run"];
export type RunState = Schemas["RunState"];
export type Question = Schemas["Question"];
export type Answer = Schemas["Answer"];
export type Field = Schemas["Field"];
export type Session = Schemas["Session"];
export type Check = Schemas["Check"];
export type Settings = Schemas["Settings"];
export type AuditItem = Schemas["AuditItem"];
export type HelpHome = Schemas["HelpHome"];
export type HelpTicket = Schemas["HelpTicket"];
export type Problem = Schemas["Problem"];

/** What a list answers: one page, where the next begins, and how many there are in all. */
export type List<T> = { items: T[]; next: string | null; total: number };

/** A live value of a vital, sent about once a second while its machine is watched. */
export type LiveValue = { name: string; unit: string; attributes: Record<string, string>; value: number | null };
