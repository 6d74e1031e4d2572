// Seeded data for the harness: a fleet with a story, the same at every start.

/** A small generator of numbers 0..1 from a seed (mulberry32). */
export function random(seed) {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) | 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

const hex = (n, width) => n.toString(16).padStart(width, "0");
export const uuid = (kind, n) => `0193a000-${hex(kind, 4)}-7000-8000-${hex(n, 12)}`;

const first = [
	"Maria",
	"Piotr",
	"Ola",
	"Jan",
	"Grażyna",
	"Marek",
	"Natalia",
	"Rafał",
	"Irena",
	"Tomasz",
	"Katarzyna",
	"Ilona",
	"Priya",
	"James",
	"Sławomir",
	"Ewa",
	"Łukasz",
	"Zofia",
	"Adam",
	"Beata",
	"Celina",
	"Dorota",
	"Emil",
	"Filip",
	"Hanna",
	"Igor",
	"Julia",
	"Kamil",
];
const family = [
	"Nowak",
	"Zając",
	"Bąk",
	"Król",
	"Wójcik",
	"Żurawski",
	"Pietrzak",
	"Dąbrowski",
	"Ścibor",
	"Wróbel",
	"Mazur",
	"Śliwa",
	"Shah",
	"Carter",
	"Łoś",
	"Sikora",
	"Ćwik",
	"Żak",
	"Nowicki",
	"Ozga",
	"Pająk",
	"Rusin",
	"Sowa",
	"Tokarz",
	"Urban",
	"Wilk",
	"Zięba",
	"Żyła",
];
const places = ["KRK", "WAW", "GDN", "POZ"];
const systems = [
	{ family: "linux", name: "Debian GNU/Linux", version: "13", kernel: "6.12.57", arch: "amd64" },
	{ family: "linux", name: "Ubuntu", version: "24.04", kernel: "6.8.0", arch: "amd64" },
	{ family: "windows", name: "Windows 11 Pro", version: "24H2", kernel: "10.0.26100", arch: "amd64" },
	{ family: "windows", name: "Windows 11 Pro", version: "23H2", kernel: "10.0.22631", arch: "amd64" },
];
const troubles = [
	{
		check: "filesystem.full",
		instance: "/",
		severity: "critical",
		title: { en: "Disk / full, 0.8 GB left", pl: "Dysk / pełny, zostało 0,8 GB" },
	},
	{
		check: "filesystem.full",
		instance: "/home",
		severity: "warning",
		title: { en: "Disk /home 92% full", pl: "Dysk /home zajęty w 92%" },
	},
	{ check: "memory.pressure", instance: "", severity: "warning", title: { en: "Memory 94%", pl: "Pamięć 94%" } },
	{
		check: "service.stopped",
		instance: "cups",
		severity: "warning",
		title: { en: "Service cups is stopped", pl: "Usługa cups zatrzymana" },
	},
	{
		check: "process.cpu",
		instance: "tracker-miner",
		severity: "warning",
		title: { en: "tracker-miner keeps one core busy", pl: "Proces tracker-miner zajmuje cały rdzeń" },
	},
	{
		check: "filesystem.inodes",
		instance: "/var",
		severity: "warning",
		title: { en: "Inodes on /var 91% used", pl: "I-węzły na /var zajęte w 91%" },
	},
];
export const now = Date.now();
export const at = (secondsAgo) => new Date(now - secondsAgo * 1000).toISOString();
const minute = 60;
const hour = 3600;
const day = 86400;

export function machines(count) {
	const next = random(7);
	const pick = (list) => list[Math.floor(next() * list.length)];
	const all = [];
	for (let i = 0; i < count; i++) {
		const roll = next();
		const critical = i < 4;
		const warning = !critical && i < 4 + Math.max(3, Math.min(33, count / 8));
		const unknown = !critical && !warning && roll < 0.02;
		const offline = unknown || (!critical && next() < 0.14) || i === 3;
		const seen = offline ? Math.floor(5 * minute + next() * 3 * day) : Math.floor(next() * 30);
		const trouble = critical ? { ...troubles[0] } : warning ? troubles[1 + ((i * 7) % (troubles.length - 1))] : null;
		const person = `${first[(i * 11) % first.length]} ${family[(i * 5 + (i >> 5)) % family.length]}`;
		all.push({
			id: uuid(1, i + 1),
			organisation_id: uuid(0, 1),
			name: `${next() < 0.8 ? "LAP" : "WKS"}-${pick(places)}-${String(9 + i).padStart(4, "0")}`,
			presence: offline ? "offline" : "online",
			offline_reason: offline ? pick(["asleep", "shut_down", "link_lost", "shut_down", "unknown"]) : null,
			last_seen_at: at(seen),
			enrolled_at: at(90 * day + i * 60),
			os: pick(systems),
			agent: { version: "0.1.0", protocol: 1, capabilities: ["terminal", "scripts", "questions"] },
			people: offline || next() < 0.15 ? [] : [{ name: person, since: at(3 * hour) }],
			health: critical ? "critical" : warning ? "warning" : unknown ? "unknown" : "ok",
			open_alerts: trouble ? (i % 5 === 1 ? 2 : 1) : 0,
			headline: trouble,
			policy: {
				profile: i % 3 ? "attended" : "trial",
				digest: "b1946ac92492d2347c6235b4d2611184",
				terminal: i % 9 === 8 ? "off" : i % 3 ? "ask" : "on",
				proof: "none",
				scripts: "on",
			},
			version: 3,
		});
	}
	if (all[0])
		Object.assign(all[0], {
			name: "LAP-KRK-0142",
			presence: "online",
			offline_reason: null,
			last_seen_at: at(4),
			people: [{ name: "Maria Nowak", since: at(2 * hour) }],
			policy: { ...all[0].policy, profile: "attended", terminal: "ask" },
			open_alerts: 2,
			headline: {
				check: "filesystem.full",
				instance: "/home",
				severity: "critical",
				title: { en: "Disk /home full, 5.2 GB left", pl: "Dysk /home prawie pełny, zostało 5,2 GB" },
			},
		});
	return all;
}

/** Points every `step` seconds up to now; `shape` gives a value for an age in seconds. */
export function points(from, to, step, shape) {
	const found = [];
	for (let t = Math.ceil(from / step) * step; t <= to; t += step) found.push([t * 1000, shape(now / 1000 - t)]);
	return found;
}

const wave = (seed, low, high) => {
	const next = random(seed);
	const table = Array.from({ length: 997 }, next);
	return (age) => {
		const i = Math.abs(Math.floor(age / 45)) % 997;
		return low + (high - low) * (0.6 * table[i] + 0.4 * table[(i * 7) % 997] * table[(i * 3) % 997]);
	};
};

export function vitals(fromMs, toMs, step) {
	const off = (shape) => (age) => (age > 9 * hour && age < 16 * hour ? undefined : shape(age));
	const of = (name, unit, attributes, shape) => ({
		name,
		unit,
		attributes,
		points: points(fromMs / 1000, toMs / 1000, step, off(shape)).filter((p) => p[1] !== undefined),
	});
	const memory = wave(3, 0.6, 0.68);
	const rising = (age) =>
		age < 80 * minute ? Math.min(0.945, 0.62 + 0.33 * (1 - (age / (80 * minute)) ** 2)) : memory(age);
	const cpu = wave(5, 0.03, 0.3);
	const disk = (age) => Math.min(0.978, 0.978 - Math.max(0, age - 20 * minute) / (12 * day));
	const list = [
		of("system.cpu.utilization", "1", {}, cpu),
		of("system.cpu.load_average.1m", "{thread}", {}, wave(6, 0.2, 2.4)),
		of("system.memory.utilization", "1", {}, rising),
		of("system.memory.usage", "By", {}, (age) => rising(age) * 17179869184),
		of("system.paging.utilization", "1", {}, () => 0.04),
		of("system.filesystem.utilization", "1", { "system.filesystem.mountpoint": "/" }, () => 0.41),
		of("system.filesystem.utilization", "1", { "system.filesystem.mountpoint": "/home" }, disk),
		of("system.process.count", "{process}", {}, wave(9, 210, 260)),
	];
	for (const direction of ["read", "write"])
		list.push(
			of(
				"system.disk.io",
				"By/s",
				{ "disk.io.direction": direction, "system.device": "nvme0n1" },
				wave(direction.length, 0, 6_000_000),
			),
		);
	for (const direction of ["receive", "transmit"])
		list.push(
			of(
				"system.network.io",
				"By/s",
				{ "network.interface.name": "wlp2s0", "network.io.direction": direction },
				wave(direction.length + 20, 2_000, 700_000),
			),
		);
	return list;
}

export function facts() {
	const gb = 1024 ** 3;
	return {
		observed_at: at(40),
		sections: {
			os: at(40),
			hardware: at(40),
			filesystems: at(40),
			network: at(40),
			people: at(40),
			services: at(40),
			processes: at(40),
		},
		os: { family: "linux", name: "Debian GNU/Linux", version: "13", booted_at: at(2 * hour + 26 * minute) },
		hardware: {
			vendor: "Lenovo",
			model: "ThinkPad T14 Gen 4",
			serial: "PF4K2T9L",
			cpu_model: "AMD Ryzen 7 PRO 7840U",
			cores: 16,
			physical_cores: 8,
			memory_bytes: 16 * gb,
		},
		filesystems: [
			{
				mount: "/",
				used: 0.41,
				type: "ext4",
				size_bytes: 98 * gb,
				used_bytes: 40.2 * gb,
				inodes: 6553600,
				inodes_used: 412000,
			},
			{
				mount: "/home",
				used: 0.978,
				type: "ext4",
				size_bytes: 237.5 * gb,
				used_bytes: 232.3 * gb,
				inodes: 15794176,
				inodes_used: 902000,
			},
			{
				mount: "/boot/efi",
				used: 0.02,
				type: "vfat",
				size_bytes: 0.5 * gb,
				used_bytes: 0.01 * gb,
				inodes: null,
				inodes_used: null,
			},
			{
				mount: "/mnt/krk-fs1",
				used: null,
				type: "nfs4",
				size_bytes: null,
				used_bytes: null,
				inodes: null,
				inodes_used: null,
			},
		],
		network: [
			{ name: "lo", addresses: ["127.0.0.1"], mac: null, up: true, speed_bits: null },
			{
				name: "wlp2s0",
				addresses: ["10.1.4.87", "fe80::1c2d"],
				mac: "9c:b6:d0:11:22:33",
				up: true,
				speed_bits: 866_000_000,
			},
			{ name: "enp1s0", addresses: [], mac: "9c:b6:d0:11:22:34", up: false, speed_bits: null },
		],
		people: [{ name: "Maria Nowak", since: at(2 * hour), terminal: "seat0" }],
		services: [
			{ name: "cups.service", state: "stopped", display_name: "CUPS Scheduler" },
			{ name: "ssh.service", state: "running", display_name: "OpenBSD Secure Shell server" },
			{ name: "NetworkManager.service", state: "running", display_name: "Network Manager" },
			{ name: "cron.service", state: "running", display_name: "Regular background program processing" },
			{ name: "bluetooth.service", state: "failed", display_name: "Bluetooth service" },
		],
		processes: [
			{ pid: 4411, name: "firefox-esr", cpu: 0.34, rss_bytes: 1.9 * gb, owner: "mnowak" },
			{ pid: 2230, name: "tracker-miner-fs", cpu: 0.97, rss_bytes: 6.1 * gb, owner: "mnowak" },
			{ pid: 5120, name: "soffice.bin", cpu: 0.03, rss_bytes: 1.1 * gb, owner: "mnowak" },
			{ pid: 1210, name: "gnome-shell", cpu: 0.06, rss_bytes: 0.5 * gb, owner: "mnowak" },
			{ pid: 812, name: "deskside-agent", cpu: 0.002, rss_bytes: 31 * 1024 ** 2, owner: "root" },
			{ pid: 1, name: "systemd", cpu: 0, rss_bytes: 14 * 1024 ** 2, owner: "root" },
		],
		uptime_seconds: 2 * hour + 26 * minute,
		unreadable: [{ what: "hardware.temperature", why: "needs root" }],
	};
}

export function alerts(fleet) {
	const machine = fleet[0];
	if (!machine) return [];
	const base = {
		machine_id: machine.id,
		machine_name: machine.name,
		flapping: false,
		silenced: false,
		acknowledged_by: null,
		cures: [],
		ticket_id: null,
		version: 1,
		resolved_at: null,
	};
	const from = now / 1000 - 40 * minute;
	const list = [
		{
			...base,
			id: uuid(2, 1),
			check: "filesystem.full",
			instance: "/home",
			severity: "critical",
			state: "firing",
			count: 14,
			started_at: at(20 * minute),
			changed_at: at(20 * minute),
			values: { used: 0.978, free_bytes: 5583457484, size_bytes: 255013683200 },
			title: { en: "Disk /home full, 5.2 GB left", pl: "Dysk /home prawie pełny, zostało 5,2 GB" },
			finding: {
				en: "Filesystem /home (ext4) 97.8% used, 5.2 GB of 237.5 GB free, above 95% since 20 min. Growing 1.4 GB a day: full in about 4 days.",
				pl: "System plików /home (ext4) zajęty w 97,8%, wolne 5,2 GB z 237,5 GB, powyżej 95% od 20 min. Przyrost 1,4 GB na dobę: pełny za około 4 dni.",
			},
			plain: {
				en: "The disk for your files is almost full: 5.2 GB left.",
				pl: "Dysk z Twoimi plikami jest prawie pełny: zostało 5,2 GB.",
			},
			evidence: {
				vitals: [
					{
						name: "system.filesystem.utilization",
						unit: "1",
						attributes: { "system.filesystem.mountpoint": "/home" },
						points: points(from, now / 1000, 15, (age) =>
							age > 22 * minute
								? 0.93 + (40 * minute - age) / (40 * minute) / 20
								: Math.min(0.978, 0.952 + (22 * minute - age) / (22 * minute) / 30),
						),
					},
				],
				processes: facts().processes.slice(0, 3),
			},
			cures: ["free-disk-space"],
			ticket_id: uuid(3, 97),
		},
		{
			...base,
			id: uuid(2, 2),
			check: "service.stopped",
			instance: "cups",
			severity: "warning",
			state: "firing",
			count: 1,
			started_at: at(95 * minute),
			changed_at: at(95 * minute),
			values: { running: 0 },
			title: { en: "Printing is stopped", pl: "Drukowanie jest zatrzymane" },
			finding: {
				en: "Service cups.service: inactive (dead) since 95 min; it is watched.",
				pl: "Usługa cups.service: nieaktywna od 95 min; jest obserwowana.",
			},
			plain: {
				en: "Printing is stopped on this computer, so documents do not print.",
				pl: "Drukowanie na tym komputerze jest zatrzymane, dlatego dokumenty się nie drukują.",
			},
			evidence: { vitals: [], processes: [] },
			cures: ["restart-service"],
			ticket_id: uuid(3, 118),
		},
		{
			...base,
			id: uuid(2, 3),
			check: "memory.pressure",
			instance: "",
			severity: "warning",
			state: "resolved",
			count: 2,
			started_at: at(5 * hour),
			changed_at: at(4 * hour),
			resolved_at: at(4 * hour),
			values: { used: 0.71 },
			title: { en: "Memory 94%", pl: "Pamięć 94%" },
			finding: { en: "Memory 94% used, above 90% for 60 min.", pl: "Pamięć zajęta w 94%, powyżej 90% przez 60 min." },
			plain: {
				en: "The memory of this computer was nearly full, so programs were slow.",
				pl: "Pamięć tego komputera była prawie pełna, więc programy działały wolno.",
			},
			evidence: {
				vitals: [
					{
						name: "system.memory.utilization",
						unit: "1",
						attributes: {},
						points: points(now / 1000 - 6 * hour, now / 1000 - 3.9 * hour, 60, (age) =>
							age > 5 * hour ? 0.8 + (6 * hour - age) / hour / 8 : age > 4.05 * hour ? 0.94 : 0.71,
						),
					},
				],
				processes: [],
			},
			ticket_id: uuid(3, 140),
		},
	];
	for (const m of fleet.slice(1, 40))
		if (m.headline)
			list.push({
				...list[0],
				id: uuid(2, 100 + list.length),
				machine_id: m.id,
				machine_name: m.name,
				check: m.headline.check,
				instance: m.headline.instance,
				severity: m.headline.severity,
				title: m.headline.title,
				plain: m.headline.title,
				count: 1,
				ticket_id: null,
			});
	return list;
}

export const people = [
	{
		id: uuid(4, 1),
		name: "anna",
		display_name: "Anna Lis",
		role: "admin",
		disabled: false,
		created_at: at(1 * 40 * day),
		version: 1,
	},
	{
		id: uuid(4, 2),
		name: "ewa",
		display_name: "Ewa Maj",
		role: "technician",
		disabled: false,
		created_at: at(2 * 40 * day),
		version: 1,
	},
	{
		id: uuid(4, 3),
		name: "jan",
		display_name: "Jan Lew",
		role: "technician",
		disabled: false,
		created_at: at(3 * 40 * day),
		version: 1,
	},
	{
		id: uuid(4, 4),
		name: "rada",
		display_name: "Rada Nadzorcza",
		role: "viewer",
		disabled: false,
		created_at: at(4 * 40 * day),
		version: 1,
	},
	{
		id: uuid(4, 5),
		name: "b.kowalska",
		display_name: "Bożena Kowalska-Wiśniewska",
		role: "technician",
		disabled: true,
		created_at: at(300 * day),
		version: 4,
	},
];

export function tickets(fleet) {
	const rows = [
		[118, "Nie drukuje od rana, mam wypłaty", 2, 70, "open", "no", 1, "person", 0],
		[131, "OneDrive stoi na 41 plikach", 3, 115, "open", "with_difficulty", 1, "person", 5],
		[136, "Outlook keeps asking for my password", 3, 26, "open", "with_difficulty", 1, "person", 13],
		[140, "Laptop muli po obiedzie", 3, 300, "open", "with_difficulty", 1, "technician", 6],
		[97, "Dysk /home prawie pełny, zostało 5,2 GB", 2, 20, "open", null, 1, null, 0],
		[125, "Nie widzę dysku sieciowego w domu", 3, 400, "open", "with_difficulty", 1, "person", 9],
		[122, "VPN rozłącza co kilka minut", 3, 520, "open", "with_difficulty", 1, "technician", 10],
		[119, "Skaner w recepcji nie wysyła na e-mail", 3, 900, "on_hold", "yes", 1, "technician", 17],
		[110, "Czarny ekran po dokowaniu, trzeba wyjąć kabel", 4, 1500, "open", "yes", 1, "person", 16],
		[108, "Prośba o program Acrobat Pro dla działu prawnego", 4, 1700, "on_hold", "yes", 1, "technician", 15],
		[99, "Komputer czeka na ponowne uruchomienie", 4, 2900, "open", null, 1, null, 3],
		[88, "Wymiana laptopa: nowy pracownik od 1 grudnia", 5, 4400, "open", "yes", 1, "technician", 17],
		[141, "Teams: nie słychać mnie na spotkaniach", 3, 8, "new", "with_difficulty", 0, "person", 20],
		[142, "Faktury drukują się podwójnie", 3, 21, "new", "with_difficulty", 0, "person", 11],
		[143, "Monitor miga, gdy włącza się klimatyzacja", 4, 34, "new", "yes", 0, "person", 22],
		[144, "Second phone for the on-call engineer", 4, 61, "new", "yes", 0, "person", 12],
		[77, "Brak dźwięku w słuchawkach", 4, 9000, "resolved", "yes", 2, "person", 24],
	];
	return rows.map(([number, title, priority, ago, state, can_work, assignee, last, who]) => {
		const machine = fleet[number === 118 || number === 97 || number === 140 ? 0 : who % Math.max(1, fleet.length)];
		const noticed = can_work === null;
		const name = number === 118 ? "Maria Nowak" : (machine?.people[0]?.name ?? "Recepcja Gdańsk");
		return {
			id: uuid(3, number),
			number: `DS-000${String(number).padStart(3, "0")}`,
			kind: number === 108 || number === 88 ? "request" : "incident",
			state,
			hold_reason: state === "on_hold" ? "vendor" : null,
			title,
			says: noticed ? "" : number === 118 ? "Nie drukuje od rana, mam wypłaty na dwunastą." : title,
			plain: null,
			priority,
			impact: 1,
			urgency: can_work === "no" ? 1 : 2,
			source: noticed ? "alert" : "person",
			can_work,
			requester: noticed && number !== 97 ? null : { id: uuid(5, who + 1), name: noticed ? "Maria Nowak" : name },
			assignee: assignee ? { id: people[assignee - 1].id, name: people[assignee - 1].display_name } : null,
			machine_ids: machine ? [machine.id] : [],
			machines: machine ? [{ id: machine.id, name: machine.name }] : [],
			alert_ids: number === 97 ? [uuid(2, 1)] : number === 118 ? [uuid(2, 2)] : number === 140 ? [uuid(2, 3)] : [],
			created_at: at(ago * minute),
			updated_at: at((ago / 4) * minute),
			resolved_at: state === "resolved" ? at(300 * minute) : null,
			resolution: state === "resolved" ? { kind: "person", text: "Inny port audio.", plain: null } : null,
			last_message_by: last,
			version: 1,
		};
	});
}

export const scripts = [
	{
		id: "free-disk-space",
		version: "1",
		hash: "5f1c",
		title: { en: "Free disk space", pl: "Zwolnij miejsce na dysku" },
		explanation: {
			en: "Removes temporary files older than the age you choose, package caches and old logs. Documents stay.",
			pl: "Usuwa pliki tymczasowe starsze niż podany wiek, pamięć podręczną pakietów i stare dzienniki. Dokumenty zostają.",
		},
		notices: {
			en: "Nothing. No program closes. No restart.",
			pl: "Nic. Żaden program się nie zamyka. Bez ponownego uruchomienia.",
		},
		platforms: ["linux"],
		parameters: {
			type: "object",
			required: ["mount"],
			properties: {
				mount: { type: "string", title: { en: "Disk", pl: "Dysk" }, enum: ["/home", "/", "/var"] },
				older_than_days: {
					type: "integer",
					title: { en: "Older than", pl: "Starsze niż" },
					description: { en: "days", pl: "dni" },
					minimum: 1,
					maximum: 90,
					default: 7,
				},
			},
		},
		risk: "safe",
		timeout_seconds: 120,
		cures: ["filesystem.full"],
		verify: "filesystem.full",
		fits: true,
	},
	{
		id: "restart-service",
		version: "1",
		hash: "aa10",
		title: { en: "Restart a service", pl: "Uruchom usługę ponownie" },
		explanation: {
			en: "Stops the service and starts it again, then waits until it answers.",
			pl: "Zatrzymuje usługę, uruchamia ją ponownie i czeka, aż odpowie.",
		},
		notices: {
			en: "What uses the service stops for some seconds.",
			pl: "To, co korzysta z usługi, staje na kilka sekund.",
		},
		platforms: ["linux", "windows"],
		parameters: {
			type: "object",
			required: ["service"],
			properties: {
				service: { type: "string", title: { en: "Service", pl: "Usługa" }, enum: ["cups", "NetworkManager", "cron"] },
			},
		},
		risk: "disruptive",
		timeout_seconds: 60,
		cures: ["service.stopped"],
		verify: "service.stopped",
		fits: true,
	},
	{
		id: "collect-logs",
		version: "1",
		hash: "cc02",
		title: { en: "Collect logs", pl: "Zbierz dzienniki" },
		explanation: {
			en: "Reads the system’s log of the last hours into the output.",
			pl: "Czyta dziennik systemu z ostatnich godzin do wyniku.",
		},
		notices: { en: "Nothing.", pl: "Nic." },
		platforms: ["linux", "windows", "darwin"],
		parameters: {
			type: "object",
			properties: {
				hours: { type: "integer", title: { en: "Hours", pl: "Godziny" }, minimum: 1, maximum: 48, default: 4 },
			},
		},
		risk: "safe",
		timeout_seconds: 60,
		cures: [],
		verify: null,
		fits: false,
	},
];

export const checks = [
	[
		"filesystem.full",
		{ en: "Disk nearly full", pl: "Kończy się miejsce na dysku" },
		"it.used",
		"filesystems",
		'it.kind == "local"',
		">= 0.85",
		">= 0.95",
		"< 0.80",
	],
	[
		"filesystem.inodes",
		{ en: "Inodes nearly used up", pl: "Kończą się i-węzły" },
		"it.inodes_used",
		"filesystems",
		'it.kind == "local"',
		">= 0.85",
		">= 0.95",
		"< 0.80",
	],
	[
		"process.cpu",
		{ en: "A process keeps a core busy", pl: "Proces zajmuje cały rdzeń" },
		"it.cpu",
		"processes",
		"",
		">= 0.9",
		"",
		"< 0.7",
	],
	[
		"memory.pressure",
		{ en: "Memory nearly full", pl: "Kończy się pamięć" },
		"memory.used",
		"",
		"",
		">= 0.90",
		">= 0.97",
		"< 0.85",
	],
	[
		"service.stopped",
		{ en: "A watched service is stopped", pl: "Obserwowana usługa nie działa" },
		"it.running",
		"watched_services",
		"",
		"== false",
		"",
		"== true",
	],
	[
		"machine.offline",
		{ en: "Computer not seen", pl: "Komputer się nie odzywa" },
		"offline_seconds",
		"",
		"",
		">= 86400",
		"",
		"< 60",
	],
].map(([id, title, value, each, when, warning, critical, clear]) => ({
	id,
	title,
	value,
	each,
	when,
	warning,
	critical,
	clear,
	for: "2m0s",
	keep_firing_for: "1m0s",
	interval: "15s",
	enabled: true,
	...(id === "service.stopped" ? { watched_services: ["cups", "ssh"] } : {}),
	overrides: [],
	version: 1,
}));

export const examples = [
	{
		title: { en: "Processes over 1 GB", pl: "Procesy powyżej 1 GB" },
		expression: "filter(processes, it.rss_bytes > 1e9)",
	},
	{ title: { en: "Disks over 90%", pl: "Dyski zajęte ponad 90%" }, expression: "filter(filesystems, it.used > 0.9)" },
	{
		title: { en: "Not restarted for 14 days", pl: "Bez ponownego uruchomienia od 14 dni" },
		expression: "uptime_seconds > 14 * 86400",
	},
	{ title: { en: "Stopped services", pl: "Zatrzymane usługi" }, expression: 'filter(services, it.state != "running")' },
];

export const fields = [
	[
		"processes",
		"list",
		"plain",
		"All processes: pid, name, cpu, rss_bytes, owner.",
		"Wszystkie procesy: pid, name, cpu, rss_bytes, owner.",
	],
	[
		"filesystems",
		"list",
		"plain",
		"Mounted filesystems: mount, type, size_bytes, used_bytes, used.",
		"Zamontowane systemy plików: mount, type, size_bytes, used_bytes, used.",
	],
	["services", "list", "plain", "Services of the system: name, state.", "Usługi systemu: name, state."],
	["memory.used", "number", "plain", "Memory in use, 0 to 1.", "Zajęta pamięć, od 0 do 1."],
	["uptime_seconds", "number", "plain", "Seconds since the last start.", "Sekundy od ostatniego uruchomienia."],
	["people", "list", "personal", "Who is signed in: name, since.", "Kto jest zalogowany: name, since."],
	["os.name", "text", "plain", "Name of the operating system.", "Nazwa systemu operacyjnego."],
	["os.version", "text", "plain", "Version of the operating system.", "Wersja systemu operacyjnego."],
].map(([name, type, kind, en, pl]) => ({ name, type, class: kind, help: { en, pl } }));

/** A recording in asciicast v2: a coloured session of a minute. */
export function recording() {
	const lines = [JSON.stringify({ version: 2, width: 100, height: 28, timestamp: Math.floor(now / 1000) })];
	let time = 0;
	const out = (text, pause = 0.04) => {
		time += pause;
		lines.push(JSON.stringify([Number(time.toFixed(3)), "o", text]));
	};
	const prompt = "\x1b[1;32mdeskside\x1b[0m@\x1b[1;34mLAP-KRK-0142\x1b[0m:~$ ";
	out(prompt, 0.4);
	const type = (text) => {
		for (const c of text) out(c, 0.07);
		out("\r\n", 0.3);
	};
	type("echo zażółć gęślą jaźń");
	out("zażółć gęślą jaźń\r\n");
	out(prompt, 0.2);
	type("systemctl status cups --no-pager");
	out(
		"\x1b[1;31m×\x1b[0m cups.service - CUPS Scheduler\r\n     Loaded: loaded (/lib/systemd/system/cups.service; \x1b[1;32menabled\x1b[0m)\r\n     Active: \x1b[1;31mfailed\x1b[0m (Result: exit-code) since Thu 2026-11-19 16:40:02 CET\r\n   Main PID: 1288 (code=exited, status=1/FAILURE)\r\n",
		0.5,
	);
	out(prompt, 0.2);
	type("df -h /home");
	out(
		"Filesystem      Size  Used Avail Use% Mounted on\r\n/dev/nvme0n1p3  238G  233G  5.2G  \x1b[33m98%\x1b[0m /home\r\n",
		0.3,
	);
	out(prompt, 8);
	type("sudo systemctl restart cups");
	out(prompt, 1.2);
	type("exit");
	out("logout\r\n", 0.2);
	return `${lines.join("\n")}\n`;
}
