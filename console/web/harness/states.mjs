// The consoles that pictures are taken of: the real programs from bin, each with
// a folder of its own, and what happened in them.
import { join } from "node:path";
import { bin, busy, eventually, run, startConsole, startWorld } from "../e2e/world.mjs";

/** What people said; the first is the one that the pages of a person's ticket show. */
const calls = [
	{ says: "Nie drukuje od rana, mam wypłaty na dwunastą", requester_name: "Maria Nowak", can_work: "no" },
	{ says: "OneDrive stoi na 41 plikach", requester_name: "Piotr Zając", can_work: "with_difficulty" },
	{ says: "My laptop has been slow since lunch", requester_name: "Ola Bąk", can_work: "with_difficulty" },
	{
		says: "Please give me access to the invoices folder",
		requester_name: "Jan Król",
		can_work: "yes",
		kind: "request",
	},
];

/** Checks that wait minutes fire within seconds, and who is silent is soon away. */
async function hurry(world) {
	const { version } = await world.api("GET", "/settings");
	await world.api("PATCH", "/settings", { version, beat: "5s", offline_after: "5s" });
	for (const check of ["filesystem.full", "process.cpu", "service.stopped"])
		await world.api("PATCH", `/checks/${check}`, { for: "5s", keep_firing_for: "5s", interval: "5s" });
}

const list = async (world, path) => (await world.api("GET", path)).items;

/** Nobody but an administrator. */
export const empty = () => startConsole("sqlite");

/** This computer, with one program that keeps it busy, and a few tickets. */
export async function one() {
	const world = await startWorld("sqlite");
	await hurry(world);
	const load = busy();
	const stop = world.stop;
	world.stop = async () => {
		load.end();
		await stop();
	};
	for (const call of calls) await world.api("POST", "/tickets", call);
	const mine = await world.api("POST", "/tickets", { ...calls[0], machine_id: world.machine.id });
	world.person = mine.id;
	await world.api("PATCH", `/tickets/${mine.id}`, {
		version: mine.version,
		assignee_id: (await world.api("GET", "/me")).id,
	});
	await world.api("POST", `/tickets/${mine.id}/messages`, { text: "Sprawdzam kolejkę wydruku, proszę o kilka minut." });
	await world.api("POST", `/tickets/${mine.id}/notes`, { text: "Ten sam toner co w pokoju 214." });
	await eventually(
		"the busy program is an alert",
		60,
		async () => (await list(world, "/alerts?state=firing")).length > 0,
	);
	return world;
}

/** Fifty pretend workstations, some with faults, one of which is over. */
export async function demo() {
	const world = await startConsole("sqlite");
	try {
		await hurry(world);
		const simulated = ["--console", world.url, "--token", world.enrolment(50), "--machines", "50", "--seed", "7"];
		const faults = ["filesystem=3@2", "cpu=2@3", "service=2@4", "offline=4@5"].flatMap((fault) => ["--fault", fault]);
		const child = world.start(bin("simulate"), [...simulated, "--data", join(world.dir, "machines"), ...faults], []);
		child.stdout.resume();
		for (const call of calls) world.person = (await world.api("POST", "/tickets", call)).id;
		for (const [name, role] of [
			["Tomasz Wójcik", "technician"],
			["Agnieszka Gęś", "technician"],
			["Olga Mazur", "viewer"],
		])
			world.addPerson(name, role);
		for (const [name, rule] of [
			["Windows", 'os.family == "windows"'],
			["Mało pamięci", "hardware.memory_bytes < 10e9"],
			["Linux z drukowaniem", 'os.family == "linux" and any(services, .name == "cups")'],
		])
			await world.api("POST", "/groups", { name, rule });
		await eventually("the faults are alerts", 90, async () => (await list(world, "/alerts?state=firing")).length >= 5);
		await eventually("some are away", 120, async () => (await list(world, "/machines?presence=offline")).length > 0);
		const disks = await list(world, "/alerts?check=filesystem.full");
		const families = await Promise.all(
			disks.map(async (alert) => (await world.api("GET", `/machines/${alert.machine_id}`)).os.family),
		);
		// The one repair that fits a full disk runs on Linux.
		const repaired = disks[families.indexOf("linux")];
		const full = disks.find((alert) => alert !== repaired);
		world.machine = await world.api("GET", `/machines/${full.machine_id}`);
		world.ticket = full.ticket_id;
		world.cleared = repaired.ticket_id;
		const run = { script: "free-disk-space", machine_id: repaired.machine_id, ticket_id: repaired.ticket_id };
		await world.api("POST", "/runs", { ...run, parameters: { MOUNT: repaired.instance }, dry_run: false });
		await eventually("the repaired one is over", 90, async () => (await list(world, "/alerts?state=resolved"))[0]);
		const away = (await list(world, "/machines?presence=offline"))[0];
		world.away = away.id;
		return world;
	} catch (error) {
		await world.stop();
		throw error;
	}
}

/** Twenty thousand computers and as many tickets. */
export const many = () => startConsole("sqlite", (data) => run(bin("seed"), ["--data", data]));
