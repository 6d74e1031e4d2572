// A stand-in for the console, for looking at pages while the console is not there: it answers the
// HTTP contract from seeded data and keeps nothing. It is not part of the product.
//   node harness/server.mjs [--port 8090] [--machines 20000] [--tickets 17] [--slow MS] [--signed-out] [--viewer]
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";
import * as seed from "./data.mjs";
import { terminal } from "./terminal.mjs";

const flag = (name, otherwise) => {
	const i = process.argv.indexOf(`--${name}`);
	return i < 0 ? otherwise : (process.argv[i + 1] ?? "");
};
const has = (name) => process.argv.includes(`--${name}`);
const port = Number(flag("port", "8090"));
const slow = Number(flag("slow", "0"));
const dist = fileURLToPath(new URL("../dist", import.meta.url));

const fleet = seed.machines(Number(flag("machines", "20000")));
const alerts = seed.alerts(fleet);
const tickets = fleet.length ? seed.tickets(fleet) : [];
for (let i = 0; fleet.length && tickets.length < Number(flag("tickets", "0")); i++)
	tickets.push({ ...tickets[i % 17], id: seed.uuid(3, 1000 + i), number: `DS-${String(1000 + i).padStart(6, "0")}` });
if (has("tickets")) tickets.splice(Number(flag("tickets", "0")));
const tokens = has("first-help")
	? []
	: [20, 4000, 90_000].map((minutes, i) => ({
			id: seed.uuid(11, i + 1),
			person: { id: seed.people[i % 2].id, name: seed.people[i % 2].display_name },
			created_at: seed.at(minutes * 60),
			expires_at: new Date(Date.now() + (90 * 1440 - minutes) * 60_000).toISOString(),
		}));
const timelines = new Map();
const runs = [];
const sessions = [];
const questions = new Map();
const outputs = new Map();
const checks = seed.checks;
let settings = {
	beat: "15s",
	offline_after: "90s",
	upload_every: "15m",
	join_window: "30m",
	auto_resolve_after: "10m",
	storm: { machines: 20, window: "5m" },
	watched_services: ["cups", "ssh"],
	version: 1,
};
const admin = [
	"machine.read",
	"machine.enrol",
	"ticket.read",
	"ticket.write",
	"run.start",
	"session.open",
	"session.replay",
	"question.ask",
	"check.write",
	"settings.write",
	"people.write",
	"audit.read",
];
const viewer = ["machine.read", "ticket.read"];
const me = {
	...seed.people[has("viewer") ? 3 : 0],
	rights: has("viewer") ? viewer : admin,
	language: flag("language", "en"),
	theme: flag("theme", "auto"),
	organisation: { id: seed.uuid(0, 1), name: "Acme Polska" },
	trial: has("trial"),
	version: "0.1.0",
};
let signedIn = !has("signed-out");
let number = 900;
const fresh = (kind) => seed.uuid(kind, ++number);
const iso = () => new Date().toISOString();

const browsers = new Set();
const tell = (...changes) => {
	for (const browser of browsers)
		browser.send(JSON.stringify({ changes: changes.map(([kind, id]) => ({ kind, id })) }));
};

class Problem extends Error {
	constructor(status, code, detail, errors) {
		super(detail);
		Object.assign(this, { status, body: { type: "about:blank", title: code, status, detail, code, errors } });
	}
}
const found = (list, id) =>
	list.find((one) => one.id === id) ?? raise(404, "not_found", "there is nothing with this id");
const raise = (...args) => {
	throw new Problem(...args);
};
const fold = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/ł/g, "l");

function page(all, query) {
	const limit = Number(query.get("limit") ?? 50);
	const from = Number(query.get("cursor") ?? 0);
	return {
		items: all.slice(from, from + limit),
		next: from + limit < all.length ? String(from + limit) : null,
		total: all.length,
	};
}
function sorted(all, sort, by) {
	const down = sort.startsWith("-");
	const key = by[down ? sort.slice(1) : sort];
	if (!key) return all;
	return [...all].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (down ? -1 : 1));
}
const grade = { critical: 0, warning: 1, unknown: 2, ok: 3 };

function listMachines(query) {
	const q = fold(query.get("q") ?? "");
	const all = fleet.filter(
		(m) =>
			(!q || fold(`${m.name} ${m.people[0]?.name ?? ""} ${m.os.name}`).includes(q)) &&
			(!query.get("presence") || m.presence === query.get("presence")) &&
			(!query.get("health") || m.health === query.get("health")),
	);
	return page(
		sorted(all, query.get("sort") ?? "health", {
			health: (m) => grade[m.health] * 1e6 - m.open_alerts,
			name: (m) => m.name,
			last_seen_at: (m) => m.last_seen_at,
			open_alerts: (m) => -m.open_alerts,
		}),
		query,
	);
}
function listTickets(query) {
	const q = fold(query.get("q") ?? "");
	const states = query.get("state")?.split(",");
	const assignee = query.get("assignee_id");
	const all = tickets.filter(
		(t) =>
			(!q || fold(`${t.title} ${t.number} ${t.requester?.name ?? ""}`).includes(q)) &&
			(!states || states.includes(t.state)) &&
			(!assignee || (assignee === "none" ? !t.assignee : t.assignee?.id === (assignee === "me" ? me.id : assignee))) &&
			(!query.get("machine_id") || t.machine_ids.includes(query.get("machine_id"))) &&
			(!query.get("requester_id") || t.requester?.id === query.get("requester_id")),
	);
	return page(
		sorted(all, query.get("sort") ?? "-updated_at", {
			priority: (t) => t.priority * 1e15 + Date.parse(t.created_at),
			created_at: (t) => t.created_at,
			updated_at: (t) => t.updated_at,
		}),
		query,
	);
}
function counts() {
	const by = (state, who) => tickets.filter((t) => state.includes(t.state) && who(t)).length;
	const any = () => true;
	return {
		mine: by(["new", "open"], (t) => t.assignee?.id === me.id),
		unassigned: by(["new", "open"], (t) => !t.assignee),
		open: by(["open"], any),
		on_hold: by(["on_hold"], any),
		new: by(["new"], any),
	};
}

const item = (kind, by, text, secondsAgo, data = {}, reason = "") => ({
	id: fresh(6),
	at: secondsAgo === undefined ? iso() : seed.at(secondsAgo),
	kind,
	by,
	text,
	reason,
	data,
});
const technician = { kind: "technician", id: me.id, name: me.display_name };
function timeline(ticket) {
	if (timelines.has(ticket.id)) return timelines.get(ticket.id);
	const person = { kind: "person", id: ticket.requester?.id ?? null, name: ticket.requester?.name ?? "" };
	const system = { kind: "system", id: null, name: "Deskside" };
	const items = [];
	if (ticket.source === "alert" || ticket.alert_ids.length)
		for (let i = 0; i < 3; i++)
			items.push(
				item("alert", system, "filesystem.full on /home: above 95%", 1200 - i * 60, {
					severity: "critical",
					state: "firing",
				}),
			);
	if (ticket.says) items.push(item("message", person, ticket.says, 4200));
	if (ticket.requester && ticket.assignee)
		items.push(
			item(
				"message",
				technician,
				"Na dysku tego komputera kończy się miejsce. Usuniemy pliki tymczasowe, Twoich dokumentów nie ruszamy. Następna wiadomość do 11:00.",
				900,
			),
		);
	if (ticket.id === seed.uuid(3, 97)) {
		items.push(item("message", person, "Opróżniłam Kosz. Folder Pobrane jest mi potrzebny, są tam listy płac.", 700));
		items.push(item("run", technician, "", 600, { run_id: runs[0].id }));
		items.push(item("note", technician, "Downloads stay: payroll lists. Plan OneDrive for them, see problem 31.", 300));
		items.push(item("session", technician, "", 200, { session_id: sessions[0].id }));
	}
	if (ticket.state === "resolved") items.push(item("state", technician, "Resolved", 300, {}, "person"));
	timelines.set(
		ticket.id,
		items.sort((a, b) => a.at.localeCompare(b.at)),
	);
	return timelines.get(ticket.id);
}

function newRun(body, finished) {
	const script = found(seed.scripts, body.script);
	const machine = found(fleet, body.machine_id);
	const run = {
		id: fresh(7),
		script: script.id,
		script_title: script.title,
		machine_id: machine.id,
		machine_name: machine.name,
		ticket_id: body.ticket_id ?? null,
		dry_run: body.dry_run,
		parameters: body.parameters,
		state: "queued",
		refusal: null,
		exit_code: null,
		duration_seconds: null,
		requested_by: { id: me.id, name: me.display_name },
		requested_at: iso(),
		started_at: null,
		finished_at: null,
		output: { bytes: 0, truncated: false },
		result: {},
		verify: null,
		version: 1,
	};
	runs.unshift(run);
	const clock = () => new Date().toTimeString().slice(0, 8);
	const lines = body.dry_run
		? [
				"filesystem /home: 5.2 GB free of 237.5 GB",
				"would remove /home/mnowak/.cache/thumbnails  1.1 GB",
				"would remove /var/tmp older than 7 days     5.1 GB",
				"would remove package cache                  11.2 GB",
				"nothing was changed",
			]
		: [
				"step 1 of 4  /home/mnowak/.cache/thumbnails   1.1 GB removed",
				"step 2 of 4  /var/tmp older than 7 days       5.1 GB removed",
				"step 3 of 4  package cache                   11.2 GB removed",
				"step 4 of 4  check again: /home 21.5 GB free",
			];
	outputs.set(run.id, "");
	const finish = () => {
		Object.assign(run, {
			state: "succeeded",
			exit_code: 0,
			duration_seconds: body.dry_run ? 1.4 : 41,
			finished_at: iso(),
			result: { freed_bytes: 17394617549 },
			verify: body.dry_run ? null : { check: script.verify ?? "", verdict: "verified" },
		});
		tell(["run", run.id], ["machine", machine.id]);
	};
	if (finished) {
		outputs.set(run.id, lines.map((line) => `${clock()}  ${line}\n`).join(""));
		finish();
		return run;
	}
	setTimeout(() => {
		Object.assign(run, { state: "running", started_at: iso() });
		tell(["run", run.id]);
		lines.forEach((line, i) => {
			setTimeout(() => outputs.set(run.id, `${outputs.get(run.id)}${clock()}  ${line}\n`), 250 * (i + 1));
		});
		setTimeout(finish, 250 * (lines.length + 1));
	}, 300);
	return run;
}
function newSession(body, over) {
	const machine = found(fleet, body.machine_id);
	const session = {
		id: fresh(8),
		machine_id: machine.id,
		machine_name: machine.name,
		kind: "terminal",
		state: "opening",
		refusal: null,
		reason: body.reason,
		ticket_id: body.ticket_id ?? null,
		by: { id: me.id, name: me.display_name },
		created_at: iso(),
		opened_at: null,
		ended_at: null,
		recording: null,
	};
	sessions.unshift(session);
	if (over)
		return Object.assign(session, {
			state: "ended",
			created_at: seed.at(400),
			opened_at: seed.at(390),
			ended_at: seed.at(150),
			recording: { bytes: seed.recording().length, seconds: 22 },
		});
	const open = () => {
		Object.assign(session, { state: "open", opened_at: iso() });
		tell(["session", session.id]);
	};
	if (machine.policy.terminal === "ask") {
		session.state = "waiting_consent";
		setTimeout(open, Number(flag("consent", "1500")));
	} else setTimeout(open, 300);
	return session;
}
if (fleet.length) {
	newRun(
		{
			script: "free-disk-space",
			machine_id: fleet[0].id,
			ticket_id: seed.uuid(3, 97),
			parameters: { mount: "/home" },
			dry_run: false,
		},
		true,
	);
	newRun(
		{
			script: "free-disk-space",
			machine_id: fleet[0].id,
			ticket_id: seed.uuid(3, 97),
			parameters: { mount: "/home" },
			dry_run: true,
		},
		true,
	);
	runs.reverse();
	newSession({ machine_id: fleet[0].id, reason: "nie działa drukowanie", ticket_id: seed.uuid(3, 118) }, true);
}

function ask({ expression, machine_ids }) {
	const bad = expression.indexOf("lett");
	if (bad >= 0 || !/[a-z]/.test(expression))
		raise(422, "invalid", "the expression does not compile", [
			{
				location: "body.expression",
				message: "unknown name “lett”; known here: processes, filesystems, services, memory, os, uptime_seconds",
				value: expression,
				position: { line: 1, column: bad + 1 },
			},
		]);
	const asked = fleet.filter((m) => !machine_ids || machine_ids.includes(m.id)).slice(0, 40);
	const online = asked.filter((m) => m.presence === "online");
	const question = {
		id: fresh(9),
		expression,
		state: "asking",
		asked: online.length,
		answered: 0,
		failed: 0,
		offline_machine_ids: asked.filter((m) => m.presence !== "online").map((m) => m.id),
		created_at: iso(),
	};
	const answers = [];
	questions.set(question.id, { question, answers });
	const timer = setInterval(() => {
		for (const m of online.slice(answers.length, answers.length + 9)) {
			const failed = answers.length === 3;
			answers.push({
				machine_id: m.id,
				machine_name: m.name,
				rows: failed
					? []
					: seed
							.facts()
							.processes.slice(0, 1 + (answers.length % 3))
							.map(({ pid, name, rss_bytes, cpu }) => ({ name, pid, rss_bytes, cpu: answers.length % 4 ? cpu : null })),
				error: failed ? "ran longer than 200 ms and was stopped" : null,
				truncated: answers.length === 5,
				age_seconds: (answers.length % 15) + 0.4,
			});
			question.failed += failed ? 1 : 0;
		}
		question.answered = answers.length;
		if (answers.length >= online.length) {
			question.state = "done";
			clearInterval(timer);
		}
		tell(["question", question.id]);
	}, 300);
	return question;
}

const helpTicket = (t) => ({
	id: t.id,
	number: t.number,
	state: t.state,
	says: t.says,
	messages: timeline(t)
		.filter((i) => i.kind === "message")
		.map((i) => ({ at: i.at, from_person: i.by.kind === "person", by: i.by.name, text: i.text })),
});
function newTicket(body, requester) {
	const n = ++number;
	const machine = fleet.find((m) => m.id === body.machine_id);
	const ticket = {
		...tickets[0],
		id: fresh(3),
		number: `DS-000${n}`,
		title: body.title ?? body.says,
		says: body.says ?? "",
		kind: body.kind ?? "incident",
		state: "new",
		priority: body.can_work === "no" ? 2 : 3,
		can_work: body.can_work ?? null,
		requester: requester ?? (body.requester_name ? { id: fresh(5), name: body.requester_name } : null),
		assignee: null,
		machine_ids: machine ? [machine.id] : [],
		machines: machine ? [{ id: machine.id, name: machine.name }] : [],
		alert_ids: [],
		created_at: iso(),
		updated_at: iso(),
		resolved_at: null,
		resolution: null,
		last_message_by: "person",
		version: 1,
	};
	tickets.unshift(ticket);
	timelines.set(
		ticket.id,
		ticket.says ? [item("message", { kind: "person", id: null, name: ticket.requester?.name ?? "" }, ticket.says)] : [],
	);
	tell(["ticket", ticket.id]);
	return ticket;
}
function patch(list, id, body, kind) {
	const row = found(list, id);
	if (body.version !== row.version)
		throw Object.assign(new Problem(409, "conflict", "somebody changed this row first"), { current: row });
	const { version, assignee_id, ...rest } = body;
	if (typeof rest.warning === "string" && rest.warning && !/^(>=|<=|>|<|==)/.test(rest.warning))
		raise(422, "invalid", "a threshold does not read", [
			{
				location: "body.warning",
				message: "begins with >=, >, <=, < or ==, for instance >= 0.85",
				value: rest.warning,
			},
		]);
	Object.assign(row, rest, { version: version + 1, updated_at: iso() });
	if (assignee_id !== undefined) {
		const person = seed.people.find((p) => p.id === assignee_id);
		row.assignee = person ? { id: person.id, name: person.display_name } : null;
	}
	if (kind === "ticket") {
		if (rest.state === "resolved")
			Object.assign(row, { resolved_at: iso(), resolution: { kind: "person", ...rest.resolution } });
		timeline(row).push(item("state", technician, rest.state ? `State: ${rest.state}` : "Changed", undefined, rest));
	}
	tell([kind, id]);
	return row;
}

function enter(right) {
	if (!right) raise(401, "sign_in_failed", "no");
	signedIn = true;
	return me;
}
function leave() {
	signedIn = false;
	return null;
}

const routes = [
	["GET /me", () => (signedIn ? me : raise(401, "signed_out", "nobody is signed in"))],
	["PATCH /me", (_, body) => Object.assign(me, body)],
	["POST /sign-in", (_, body) => enter(body.password !== "wrong")],
	["POST /sign-in/link", (_, body) => enter(body.link !== "spent")],
	["POST /sign-out", leave],
	["GET /machines", (_, __, q) => listMachines(q)],
	[
		"GET /machines/counts",
		() => ({
			total: fleet.length,
			online: fleet.filter((m) => m.presence === "online").length,
			by_health: Object.fromEntries(
				["ok", "warning", "critical", "unknown"].map((h) => [h, fleet.filter((m) => m.health === h).length]),
			),
		}),
	],
	["GET /machines/:id", ([id]) => found(fleet, id)],
	["POST /machines/:id/check-now", ([id]) => found(fleet, id)],
	["GET /machines/:id/facts", ([id]) => found(fleet, id) && seed.facts()],
	[
		"GET /machines/:id/vitals",
		(_, __, q) => ({
			from: q.get("from"),
			to: q.get("to"),
			step_seconds: Number(q.get("step_seconds")),
			series: seed.vitals(Date.parse(q.get("from")), Date.parse(q.get("to")), Number(q.get("step_seconds"))),
		}),
	],
	[
		"POST /enrolments",
		(_, body) => ({
			id: fresh(10),
			token: "dse_4kQ1x…",
			command:
				"deskside-agent enroll --console https://deskside.acme.example:8443 --token dse_4kQ1xZr8mT2vB7nLw9sYc3HdKf5GaJ6uPe0iRoXq",
			expires_at: new Date(Date.now() + body.expires_in_seconds * 1000).toISOString(),
		}),
	],
	[
		"GET /alerts",
		(_, __, q) =>
			page(
				alerts.filter(
					(a) =>
						(!q.get("machine_id") || a.machine_id === q.get("machine_id")) &&
						(!q.get("ticket_id") || a.ticket_id === q.get("ticket_id")),
				),
				q,
			),
	],
	[
		"PATCH /alerts/:id",
		([id], body) => {
			const alert = found(alerts, id);
			alert.acknowledged_by = body.acknowledged ? { id: me.id, name: me.display_name } : null;
			return alert;
		},
	],
	["GET /tickets", (_, __, q) => listTickets(q)],
	["POST /tickets", (_, body) => newTicket(body)],
	["GET /tickets/counts", () => counts()],
	["GET /tickets/:id", ([id]) => found(tickets, id)],
	["PATCH /tickets/:id", ([id], body) => patch(tickets, id, body, "ticket")],
	["GET /tickets/:id/timeline", ([id], _, q) => page(timeline(found(tickets, id)), q)],
	[
		"POST /tickets/:id/messages",
		([id], body) => {
			const ticket = found(tickets, id);
			const message = item("message", technician, body.text);
			timeline(ticket).push(message);
			Object.assign(ticket, {
				last_message_by: "technician",
				updated_at: iso(),
				...(body.wait ? { state: "on_hold", hold_reason: "requester" } : {}),
			});
			tell(["ticket", id]);
			return message;
		},
	],
	[
		"POST /tickets/:id/notes",
		([id], body) => {
			const note = item("note", technician, body.text);
			timeline(found(tickets, id)).push(note);
			return note;
		},
	],
	[
		"GET /search",
		(_, __, q) => {
			const words = fold(q.get("q") ?? "");
			return {
				people: [...new Set(fleet.flatMap((m) => m.people.map((p) => p.name)))]
					.filter((n) => fold(n).includes(words))
					.slice(0, 5)
					.map((name, i) => ({ id: seed.uuid(5, 5000 + i), name })),
				machines: fleet.filter((m) => fold(`${m.name} ${m.people[0]?.name ?? ""}`).includes(words)).slice(0, 5),
				tickets: tickets.filter((t) => fold(`${t.title} ${t.number}`).includes(words)).slice(0, 5),
			};
		},
	],
	[
		"GET /people",
		(_, __, q) =>
			page(
				seed.people.filter(
					(p) =>
						(q.get("state") === "all" || !!p.disabled === (q.get("state") === "disabled")) &&
						fold(`${p.name} ${p.display_name}`).includes(fold(q.get("q") ?? "")),
				),
				q,
			),
	],
	[
		"PATCH /people/:id",
		([id], { version, ...change }) => {
			const person = found(seed.people, id);
			if (version !== person.version) raise(409, "conflict", "somebody changed this row first");
			return Object.assign(person, change, { version: version + 1 });
		},
	],
	["GET /tokens", (_, __, q) => page(tokens, q)],
	[
		"DELETE /tokens/:id",
		([id]) => {
			tokens.splice(tokens.indexOf(found(tokens, id)), 1);
			return null;
		},
	],
	[
		"GET /scripts",
		(_, __, q) => {
			const fired = alerts.filter(
				(a) =>
					a.state === "firing" &&
					(q.get("ticket_id") ? a.ticket_id === q.get("ticket_id") : a.machine_id === q.get("machine_id")),
			);
			return page(
				seed.scripts.map((s) => ({ ...s, fits: fired.some((a) => a.cures.includes(s.id)) })),
				q,
			);
		},
	],
	[
		"GET /runs",
		(_, __, q) =>
			page(
				runs.filter(
					(r) =>
						(!q.get("machine_id") || r.machine_id === q.get("machine_id")) &&
						(!q.get("ticket_id") || r.ticket_id === q.get("ticket_id")),
				),
				q,
			),
	],
	["POST /runs", (_, body) => newRun(body)],
	["GET /runs/:id", ([id]) => found(runs, id)],
	["POST /runs/:id/cancel", ([id]) => Object.assign(found(runs, id), { state: "cancelled", finished_at: iso() })],
	["POST /questions", (_, body) => ask(body)],
	["GET /questions/examples", () => ({ items: seed.examples, next: null, total: seed.examples.length })],
	["GET /questions/:id", ([id]) => questions.get(id)?.question ?? raise(404, "not_found", "no such question")],
	["GET /questions/:id/answers", ([id], _, q) => page(questions.get(id)?.answers ?? [], q)],
	["GET /expression/fields", () => ({ items: seed.fields, next: null, total: seed.fields.length })],
	[
		"GET /sessions",
		(_, __, q) =>
			page(
				sessions.filter((s) => !q.get("machine_id") || s.machine_id === q.get("machine_id")),
				q,
			),
	],
	["POST /sessions", (_, body) => newSession(body)],
	["GET /sessions/:id", ([id]) => found(sessions, id)],
	[
		"POST /sessions/:id/end",
		([id]) =>
			Object.assign(found(sessions, id), { state: "ended", ended_at: iso(), recording: { bytes: 2048, seconds: 20 } }),
	],
	["GET /checks", () => ({ items: checks, next: null, total: checks.length })],
	["PATCH /checks/:id", ([id], body) => patch(checks, id, body, "check")],
	["GET /settings", () => settings],
	["PATCH /settings", (_, body) => (settings = { ...settings, ...body, version: settings.version + 1 })],
	[
		"POST /help/sign-in",
		(_, body) =>
			body.link === "spent"
				? raise(401, "sign_in_failed", "no")
				: { person: { name: "Maria Nowak" }, machine: { name: fleet[0].name }, language: me.language },
	],
	[
		"GET /help",
		() => ({
			person: { name: "Maria Nowak" },
			machine: { name: fleet[0].name },
			language: me.language,
			noticed: has("first-help") ? [] : alerts.slice(1, 2).map((a) => ({ plain: a.plain })),
			tickets: tickets
				.filter((t) => t.requester?.name === "Maria Nowak" && t.says)
				.slice(0, 2)
				.map(({ id, number, state, says, created_at, updated_at }) => ({
					id,
					number,
					state,
					says,
					created_at,
					updated_at,
				})),
		}),
	],
	[
		"POST /help/tickets",
		(_, body) =>
			helpTicket(newTicket({ ...body, machine_id: fleet[0].id }, { id: seed.uuid(5, 1), name: "Maria Nowak" })),
	],
	["GET /help/tickets/:id", ([id]) => helpTicket(found(tickets, id))],
	[
		"POST /help/tickets/:id/messages",
		([id], body) => {
			const ticket = found(tickets, id);
			timeline(ticket).push(item("message", { kind: "person", id: null, name: "Maria Nowak" }, body.text));
			Object.assign(ticket, { last_message_by: "person", updated_at: iso() });
			tell(["ticket", id]);
			return helpTicket(ticket);
		},
	],
	[
		"GET /audit",
		(_, __, q) =>
			page(
				[1, 2, 3, 4, 5].map((i) => ({
					id: String(i),
					at: seed.at(i * 500),
					actor: { kind: "technician", id: me.id, name: me.display_name },
					action: ["run.start", "session.open", "ticket.patch", "sign_in", "check.patch"][i - 1],
					machine_id: fleet[0]?.id ?? null,
					ticket_id: null,
					result: "ok",
					detail: {},
				})),
				q,
			),
	],
].map(([line, answer]) => {
	const [method, path] = line.split(" ");
	return { method, pattern: new RegExp(`^${path.replace(/:id/g, "([^/]+)")}$`), answer, plain: !path.includes(":") };
});

const types = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript",
	".css": "text/css",
	".svg": "image/svg+xml",
	".txt": "text/plain",
};
const policy =
	"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

async function answer(request, response) {
	const url = new URL(request.url, "http://harness");
	if (!url.pathname.startsWith("/api/v1")) {
		const path = join(dist, normalize(url.pathname));
		const file = existsSync(path) && statSync(path).isFile() ? path : join(dist, "index.html");
		response.writeHead(200, {
			"Content-Type": types[extname(file)] ?? "application/octet-stream",
			"Content-Security-Policy": policy,
			"X-Content-Type-Options": "nosniff",
		});
		return createReadStream(file).pipe(response);
	}
	const path = url.pathname.slice("/api/v1".length);
	const stream = /^\/runs\/([^/]+)\/output$/.exec(path);
	if (stream) return follow(stream[1], Number(url.searchParams.get("from") ?? 0), response);
	const cast = /^\/sessions\/([^/]+)\/recording$/.exec(path);
	if (cast) {
		response.writeHead(200, { "Content-Type": "application/x-asciicast" });
		return response.end(seed.recording());
	}
	let text = "";
	for await (const chunk of request) text += chunk;
	if (slow) await new Promise((then) => setTimeout(then, slow));
	if (has("broken") && !/^\/me/.test(path)) {
		response.writeHead(500, { "Content-Type": "application/problem+json" });
		return response.end(JSON.stringify({ status: 500, code: "internal", detail: "" }));
	}
	const route = routes
		.filter((r) => r.method === request.method && r.pattern.test(path))
		.sort((a, b) => b.plain - a.plain)[0];
	try {
		if (!route) raise(404, "not_found", `${request.method} ${path} is not part of the contract`);
		if (!signedIn && !/^\/(sign-in|me|help)/.test(path)) raise(401, "signed_out", "nobody is signed in");
		const body = route.answer(route.pattern.exec(path).slice(1), text ? JSON.parse(text) : {}, url.searchParams);
		response.writeHead(body === null ? 204 : 200, { "Content-Type": "application/json" });
		response.end(body === null ? undefined : JSON.stringify(body));
	} catch (reason) {
		if (!(reason instanceof Problem)) console.error(reason);
		const problem =
			reason instanceof Problem
				? { ...reason.body, current: reason.current }
				: { status: 500, detail: String(reason), code: "harness" };
		response.writeHead(problem.status, { "Content-Type": "application/problem+json" });
		response.end(JSON.stringify(problem));
	}
}
async function follow(id, from, response) {
	response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
	let sent = from;
	for (;;) {
		const bytes = Buffer.from(outputs.get(id) ?? "");
		if (bytes.length > sent) response.write(bytes.subarray(sent));
		sent = bytes.length;
		if (!["queued", "sent", "running"].includes(runs.find((r) => r.id === id)?.state)) break;
		await new Promise((then) => setTimeout(then, 100));
	}
	response.end();
}

const server = createServer((request, response) => void answer(request, response));
const sockets = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) =>
	sockets.handleUpgrade(request, socket, head, (peer) => {
		const session = /\/sessions\/([^/]+)\/socket/.exec(request.url);
		if (session)
			return terminal(peer, () => void Object.assign(found(sessions, session[1]), { state: "ended", ended_at: iso() }));
		browsers.add(peer);
		const watched = new Set();
		peer.on("message", (data) => {
			const message = JSON.parse(data);
			if (message.watch) watched.add(message.watch);
			if (message.unwatch) watched.delete(message.unwatch);
		});
		const timer = setInterval(() => {
			const to = Date.now();
			for (const id of watched)
				peer.send(
					JSON.stringify({
						live: {
							machine_id: id,
							at: iso(),
							series: seed.vitals(to - 20_000, to, 15).map(({ points, ...s }) => ({
								...s,
								value: s.name === "system.cpu.utilization" ? 0.12 + Math.random() * 0.1 : (points.at(-1)?.[1] ?? null),
							})),
						},
					}),
				);
		}, 1000);
		peer.on("close", () => {
			browsers.delete(peer);
			clearInterval(timer);
		});
	}),
);
server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
