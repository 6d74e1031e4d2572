// The real programs for the browser tests: a console with its database, an agent
// for this machine, and whatever must be ended when the tests end.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const bin = (name) => fileURLToPath(new URL(`../../../bin/${name}`, import.meta.url));
const consoleBin = bin("deskside-console");
const agentBin = bin("deskside-agent");

export const wait = (ms) => new Promise((then) => setTimeout(then, ms));

/** Waits until what is asked is true; what went wrong last is said when it never is. */
export async function eventually(what, seconds, ask) {
	const end = Date.now() + seconds * 1000;
	let last;
	while (Date.now() < end) {
		try {
			const got = await ask();
			if (got) return got;
			last = undefined;
		} catch (error) {
			last = error;
		}
		await wait(100);
	}
	throw new Error(`not within ${seconds} s: ${what}${last ? ` (${last.message})` : ""}`);
}

export function run(program, args, input) {
	const done = spawnSync(program, args, { input, encoding: "utf8" });
	if (done.status !== 0) throw new Error(`${program} ${args[0]}: ${done.stderr || done.error}`);
	return done.stdout.trim();
}

/** A PostgreSQL cluster of its own, or undefined where PostgreSQL is not installed. */
function startPostgres(dir) {
	const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : [];
	if (versions.length === 0) return undefined;
	const tools = `/usr/lib/postgresql/${versions.sort().at(-1)}/bin`;
	const as = process.getuid() === 0 ? ["runuser", "-u", "postgres", "--"] : [];
	const tool = (name, ...args) => {
		const line = [...as, `${tools}/${name}`, ...args];
		const done = spawnSync(line[0], line.slice(1), { cwd: "/", encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
		if (done.status !== 0) throw new Error(`${name}: ${done.stderr}`);
	};
	const home = join(dir, "postgres");
	run("mkdir", ["-p", home]);
	const secret = randomBytes(12).toString("hex");
	writeFileSync(join(dir, "pw"), secret);
	chmodSync(dir, 0o755);
	chmodSync(join(dir, "pw"), 0o644);
	if (as.length) run("chown", ["postgres", home]);
	tool(
		"initdb",
		"-D",
		`${home}/data`,
		"-A",
		"scram-sha-256",
		`--pwfile=${dir}/pw`,
		"-U",
		"postgres",
		"--no-sync",
		"-E",
		"UTF8",
		"--locale=C.UTF-8",
	);
	const port = 20000 + (process.pid % 20000);
	tool(
		"pg_ctl",
		"-D",
		`${home}/data`,
		"-w",
		"-l",
		`${home}/log`,
		"-o",
		`-c listen_addresses=127.0.0.1 -c port=${port} -c unix_socket_directories=${home} -c fsync=off -c full_page_writes=off`,
		"start",
	);
	return {
		url: `postgres://postgres:${secret}@127.0.0.1:${port}/postgres?sslmode=disable`,
		stop: () => tool("pg_ctl", "-D", `${home}/data`, "-m", "immediate", "stop"),
	};
}

/** A console with one person and nobody's machine. `fill` may write into its folder before it runs. */
export async function startConsole(engine, fill) {
	const dir = mkdtempSync(join(tmpdir(), "deskside-e2e-"));
	const children = [];
	let postgres;
	const world = { dir, logs: { console: [], agent: [] } };
	world.start = (program, args, log) => {
		// Shells on the machine read nothing of the home of whoever runs this, and leave nothing in it.
		const env = { ...process.env, HOME: dir };
		const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
		child.stderr.on("data", (data) => log.push(String(data)));
		children.push(child);
		return child;
	};
	world.end = async (child) => {
		if (child.exitCode !== null || child.signalCode !== null) return;
		const over = new Promise((then) => child.once("exit", then));
		child.kill("SIGTERM");
		await Promise.race([over, wait(8000)]);
	};
	world.stop = async () => {
		for (const child of children.reverse()) await world.end(child);
		postgres?.stop();
		rmSync(dir, { recursive: true, force: true });
	};
	try {
		if (engine === "postgres") {
			postgres = startPostgres(dir);
			if (!postgres) throw new Error("PostgreSQL is not installed: make needs");
		}
		const where = postgres ? ["--database", postgres.url, "--keys", join(dir, "keys")] : ["--data", join(dir, "data")];
		run(consoleBin, ["person", "add", "anna", "--role", "admin", ...where]);
		fill?.(join(dir, "data"));
		/** Starts the console; it says where it listens when it is ready. */
		const serve = async (listen, http) => {
			const child = world.start(
				consoleBin,
				["serve", ...where, "--listen", listen, "--http", http, "--trial"],
				world.logs.console,
			);
			const line = await new Promise((then, fail) => {
				child.stdout.once("data", (data) => then(String(data)));
				child.once("exit", () => fail(new Error(`the console did not start: ${world.logs.console.join("")}`)));
			});
			Object.assign(world, JSON.parse(line));
			return child;
		};
		let served = await serve("127.0.0.1:0", "127.0.0.1:0");
		/** Ends the console in order and starts it again where it was. */
		world.restartConsole = async () => {
			await world.end(served);
			served = await serve(`127.0.0.1:${new URL(world.url).port}`, `127.0.0.1:${new URL(world.http).port}`);
		};
		world.token = run(consoleBin, ["token", "create", "--person", "anna", ...where]);
		world.link = () => run(consoleBin, ["person", "link", "anna", "--url", world.http, ...where]);
		/** Somebody more who may sign in; with a token, where one is wanted. */
		world.addPerson = (name, role) => run(consoleBin, ["person", "add", name, "--role", role, ...where]);
		world.tokenOf = (name) => run(consoleBin, ["token", "create", "--person", name, ...where]);
		/** A token that lets so many machines in. */
		world.enrolment = (uses) =>
			run(consoleBin, ["enrolment", "create", "--uses", String(uses), "--expires", "1h", ...where]);
		world.api = async (method, path, body) => {
			const answer = await fetch(`${world.http}/api/v1${path}`, {
				method,
				headers: { authorization: `Bearer ${world.token}`, ...(body ? { "content-type": "application/json" } : {}) },
				body: body ? JSON.stringify(body) : undefined,
			});
			if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
			return answer.status === 204 ? undefined : answer.json();
		};
		return world;
	} catch (error) {
		await world.stop();
		throw error;
	}
}

/** A console with this very computer as its one machine. */
export async function startWorld(engine) {
	const world = await startConsole(engine);
	try {
		const state = join(world.dir, "agent");
		run(
			agentBin,
			["enroll", "--console", world.url, "--token-file", "-", "--state", state, "--profile", "trial"],
			world.enrolment(1),
		);
		const work = () =>
			world.start(agentBin, ["run", "--state", state, "--policy", join(world.dir, "none.yaml")], world.logs.agent);
		let agent = work();
		/** Ends the agent in order and starts it again over the same state. */
		world.restartAgent = async () => {
			await world.end(agent);
			agent = work();
		};
		world.help = () => run(agentBin, ["help", "--print", "--state", state]);
		world.machine = await eventually("the machine is online", 20, async () =>
			(await world.api("GET", "/machines")).items.find((m) => m.presence === "online" && m.os.name !== ""),
		);
		return world;
	} catch (error) {
		await world.stop();
		throw error;
	}
}

/**
 * A way to the console that can be lost: `cut` ends all connections without a word and takes no new ones until `mend`.
 * The console is behind `http` too.
 */
export async function startWay(to) {
	const { hostname, port } = new URL(to);
	const here = new Set();
	let whole = true;
	const server = createServer((near) => {
		if (!whole) return near.destroy();
		const far = connect(Number(port), hostname);
		for (const [one, other] of [
			[near, far],
			[far, near],
		]) {
			here.add(one);
			one.pipe(other);
			one.on("error", () => other.destroy());
			one.on("close", () => {
				here.delete(one);
				other.destroy();
			});
		}
	});
	await new Promise((then) => server.listen(0, "127.0.0.1", then));
	return {
		http: `http://127.0.0.1:${server.address().port}`,
		cut: () => {
			whole = false;
			for (const socket of here) socket.resetAndDestroy();
		},
		mend: () => {
			whole = true;
		},
		stop: () => {
			for (const socket of here) socket.destroy();
			server.close();
		},
	};
}

/** A program that runs under a name of somebody's choice until it is ended. */
export function named(dir, name) {
	const program = join(dir, name);
	copyFileSync("/bin/sleep", program);
	chmodSync(program, 0o755);
	const child = spawn(program, ["1000"], { stdio: "ignore" });
	return { end: () => child.kill("SIGKILL") };
}

/** Keeps one core busy until it is ended. */
export function busy() {
	const child = spawn("/bin/sh", ["-c", "while :; do :; done"], { stdio: "ignore" });
	return { instance: `sh:${child.pid}`, end: () => child.kill("SIGKILL") };
}
