/** What an agent could not read, and why: its sentences are English, and those we know are said in the reader's language. */
import type { MessageId, Translate } from "../i18n";

/** The sections and fields that may be missing; a share is called by where it is mounted. */
const whats: Record<string, MessageId> = {
	os: "unread.what.os",
	hardware: "unread.what.hardware",
	"hardware.vendor": "unread.what.hardware_vendor",
	"hardware.serial": "unread.what.hardware_serial",
	filesystems: "unread.what.filesystems",
	network: "unread.what.network",
	people: "unread.what.people",
	services: "unread.what.services",
	processes: "unread.what.processes",
	"processes.cpu": "unread.what.processes_cpu",
	"cpu.used": "unread.what.cpu_used",
	"cpu.load_1m": "unread.what.cpu_load_1m",
	memory: "unread.what.memory",
	swap: "unread.what.swap",
	disks: "unread.what.disks",
	network_io: "unread.what.network_io",
	uptime_seconds: "unread.what.uptime_seconds",
};

/** The same words as in the agent's own report; anything else is the system's. */
const whys: Record<string, MessageId> = {
	"no service manager runs here that Deskside knows (systemd)": "unread.why.no_manager",
	"nothing here notes who signs in (neither logind nor utmp)": "unread.why.no_signins",
	"the firmware does not say who made this computer": "unread.why.no_firmware",
	"the registry does not say who made this computer": "unread.why.no_registry",
	"only root may read it": "unread.why.root",
	"only the processes of this account can be seen": "unread.why.own_processes",
	"this account may not see the times of all processes": "unread.why.no_times",
	"the policy of this machine does not let them out": "unread.why.policy",
	"the policy of this machine does not let people out": "unread.why.policy_people",
	"the system does not say when it was started": "unread.why.no_start",
	"the system does not say how many there are": "unread.why.no_count",
	"the system answered with nothing": "unread.why.nothing",
	"the share does not answer": "unread.why.share",
	"has not answered since an earlier round": "unread.why.earlier",
	"not implemented yet": "unread.why.not_here",
};

/** Beginnings of sentences that end in what the system said. */
const starts: [string, MessageId][] = [
	["did not answer within ", "unread.why.slow"],
	["the page files cannot be asked for: ", "unread.why.page_files"],
	["the service manager does not answer: ", "unread.why.manager"],
	["the terminal services do not answer: ", "unread.why.terminals"],
];

export function unreadWhat(t: Translate, what: string): string {
	const known = whats[what];
	return known ? t(known) : what.replace(/^filesystems\./, "");
}

export function unreadWhy(t: Translate, why: string): string {
	const known = whys[why];
	if (known) return t(known);
	for (const [start, id] of starts) if (why.startsWith(start)) return t(id, { rest: why.slice(start.length) });
	const [, all, listed] = /^there are (\d+); the first (\d+) are listed$/.exec(why) ?? [];
	return all && listed ? t("unread.why.listed", { all, listed }) : why;
}
