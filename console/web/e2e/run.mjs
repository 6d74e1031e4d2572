// The main job in a browser, against the real programs, on both databases:
// node e2e/run.mjs [sqlite|postgres ...]. The last line counts.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { launch } from "./browser.mjs";
import { busy, eventually, named, startWay, startWorld } from "./world.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const engines = process.argv.length > 2 ? process.argv.slice(2) : ["sqlite", "postgres"];
const browser = await launch();
let passed = 0;
let failed = 0;

/** No serious finding of axe in what is shown now. */
async function accessible(page) {
	await page.addScriptTag({ path: axe }).catch(() => page.evaluate(() => undefined));
	const found = await page.evaluate(async () => {
		if (!window.axe) return undefined;
		const result = await window.axe.run(document, { resultTypes: ["violations"] });
		return result.violations
			.filter((v) => v.impact === "serious" || v.impact === "critical")
			.map((v) => `${v.id}: ${v.nodes[0]?.html.slice(0, 160)}`);
	});
	assert.ok(found, "axe did not load");
	assert.deepEqual(found, []);
}

for (const engine of engines) {
	const world = await startWorld(engine);
	// axe is put into the page by the test: the page's own policy would refuse it.
	const context = await browser.newContext({
		viewport: { width: 1280, height: 800 },
		locale: "en-GB",
		bypassCSP: true,
	});
	const page = await context.newPage();
	page.setDefaultTimeout(15_000);
	const errors = [];
	page.on("pageerror", (error) => errors.push(error.message));
	const see = (text, on = page) => on.getByText(text).first().waitFor();
	const machinePage = `${world.http}/computers/${world.machine.id}`;

	const step = async (name, act) => {
		errors.length = 0;
		try {
			await act();
			assert.deepEqual(errors, [], "errors in the page");
			passed++;
			console.log(`ok      ${engine}: ${name}`);
		} catch (error) {
			failed++;
			console.log(`FAILED  ${engine}: ${name}: ${String(error.message).split("\n").slice(0, 12).join(" | ")}`);
			await page.screenshot({ path: `/tmp/deskside-e2e-${engine}-${failed}.png` }).catch(() => undefined);
		}
	};

	await step("sign in by a link that works once", async () => {
		const link = world.link();
		await page.goto(link);
		await page.waitForURL(/\/queue/);
		const other = await browser.newContext({ locale: "en-GB" });
		const second = await other.newPage();
		await second.goto(link);
		await see(/spent or too old|ask for a new/i, second);
		await other.close();
	});

	await step("1 computers: this machine, online; search at the server", async () => {
		await page.goto(`${world.http}/computers`);
		await see(world.machine.name);
		await see("online");
		await accessible(page);
		await page.keyboard.press("/");
		await page.keyboard.type("nothinglikethis");
		await see(/none match|Nothing found|no computer/i);
		await page.goto(`${world.http}/computers?q=${encodeURIComponent(world.machine.name)}`);
		await see(world.machine.name);
	});

	await step("2 a machine: vitals that move, charts, facts; also after a reload", async () => {
		const readings = [];
		page.on("websocket", (socket) =>
			socket.on("framereceived", ({ payload }) => {
				if (String(payload).includes('"live"')) readings.push(JSON.parse(payload).live.at);
			}),
		);
		await page.goto(machinePage);
		await see(world.machine.os.name);
		await see("Memory");
		// Of every second, not of the quarter minute of the history.
		await eventually("readings of six seconds", 20, () => readings.length >= 6);
		const gaps = readings.slice(1).map((at, i) => Date.parse(at) - Date.parse(readings[i]));
		assert.ok(gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] < 3000, `readings are ${gaps} ms apart`);
		await page.reload();
		await see("Filesystems");
		await see("Processes");
		await page.locator("canvas").first().waitFor();
		await accessible(page);
	});

	let ticket;
	await step("3 alert to ticket: opens by itself, in both languages, and resolves by itself", async () => {
		await world.api("PATCH", "/checks/process.cpu", {
			interval: "1s",
			for: "2s",
			keep_firing_for: "2s",
			warning: ">= 0.1",
			clear: "< 0.05",
		});
		// Whatever else keeps this computer busy has tickets of its own.
		await world.api("PATCH", "/settings", { join_window: "0s" });
		await page.goto(`${world.http}/queue/unassigned`);
		const work = busy();
		try {
			const alert = await eventually("an alert", 20, async () =>
				(await world.api("GET", "/alerts?state=open&check=process.cpu")).items.find(
					(a) => a.instance === work.instance,
				),
			);
			ticket = await world.api("GET", `/tickets/${alert.ticket_id}`);
			await page.goto(`${world.http}/tickets/${ticket.id}`);
			await see(alert.plain.en);
			await see(/keeps the processor busy/);
			await accessible(page);
			await world.api("PATCH", "/me", { language: "pl" });
			try {
				await page.reload();
				await see(alert.plain.pl);
			} finally {
				await world.api("PATCH", "/me", { language: "en" });
			}
			await page.reload();
			await see(alert.plain.en);
		} finally {
			work.end();
		}
		await eventually("the ticket is resolved", 30, async () => {
			const now = await world.api("GET", `/tickets/${ticket.id}`);
			if (now.state !== "resolved") {
				const open = await world.api("GET", "/alerts?state=open&check=process.cpu");
				throw new Error(`it is ${now.state}; open: ${JSON.stringify(open.items)}`);
			}
			return now.resolution.kind === "condition_cleared";
		});
		await see(/condition cleared/);
	});

	await step("call: registered in three fields, by keyboard", async () => {
		await page.goto(`${world.http}/queue/unassigned`);
		await page.getByText("Unassigned").first().waitFor();
		await page.keyboard.press("c");
		await page.getByLabel("Who").waitFor();
		await page.keyboard.type("Maria Nowak");
		await page.keyboard.press("Escape").catch(() => undefined);
		if (!(await page.getByLabel("Says").isVisible())) {
			await page.keyboard.press("c");
			await page.keyboard.type("Maria Nowak");
		}
		await page.getByLabel("Says").focus();
		await page.keyboard.type("nie drukuje od rana, mam wypłaty na dwunastą");
		await page.keyboard.press("Enter");
		await page.keyboard.press("1");
		await page.keyboard.press("Enter");
		await see(/Saved: DS-/);
		const found = await world.api("GET", "/tickets?q=drukuje");
		assert.equal(found.total, 1);
		assert.equal(found.items[0].can_work, "no");
		assert.equal(found.items[0].requester.name, "Maria Nowak");
	});

	await step("4 repair: dry run first, output, verdict and who ran it in the timeline", async () => {
		const made = await world.api("POST", "/tickets", {
			says: "brak miejsca na dysku",
			machine_id: world.machine.id,
			can_work: "with_difficulty",
		});
		await page.goto(`${world.http}/tickets/${made.id}`);
		await see("brak miejsca na dysku");
		await page.keyboard.press("s");
		const dialog = page.getByRole("dialog");
		await dialog.waitFor();
		await dialog.getByText("Free disk space").first().waitFor();
		await accessible(page);
		await dialog.getByRole("button", { name: /Try without changes/ }).click();
		await see(/nothing was removed/, dialog);
		const run = await eventually("the dry run has ended", 20, async () =>
			(await world.api("GET", `/runs?ticket_id=${made.id}`)).items.find((r) => r.dry_run && r.state === "succeeded"),
		);
		assert.equal(run.exit_code, 0);
		// For real, where there is nothing to remove.
		await dialog.getByLabel("Filesystem", { exact: true }).first().click();
		await page.getByRole("option", { name: "/dev/shm" }).click();
		await dialog.getByRole("button", { name: /^Run on/ }).click();
		const real = await eventually("the run has ended", 30, async () =>
			(await world.api("GET", `/runs?ticket_id=${made.id}`)).items.find((r) => !r.dry_run && r.verify),
		);
		assert.equal(real.state, "succeeded");
		assert.equal(real.verify.verdict, "verified");
		await page.goto(`${world.http}/tickets/${made.id}`);
		await see(/verified/);
		await see("Free disk space");
		const items = (await world.api("GET", `/tickets/${made.id}/timeline`)).items.filter((i) => i.kind === "run");
		assert.ok(items.length >= 2 && items.every((i) => i.by.name === "anna"));
	});

	/** Opens a terminal on the machine of the page; it has the keys when this is done. Returns the session's id. */
	const terminal = async (address) => {
		await page.goto(address);
		await see("Filesystems");
		await page.keyboard.press("o");
		const dialog = page.getByRole("dialog");
		await dialog.waitFor();
		await dialog.getByLabel("Reason").fill("browser test");
		await dialog
			.getByRole("button", { name: /connect/i })
			.last()
			.click();
		await page.waitForURL(/\/sessions\//);
		const id = page.url().match(/sessions\/([0-9a-f-]+)/)[1];
		await page.locator(".xterm-helper-textarea").waitFor({ state: "attached" });
		await eventually(
			"the session is open",
			20,
			async () => (await world.api("GET", `/sessions/${id}`)).state === "open",
		);
		await see("link good"); // keys are held back until then
		await page.locator(".xterm-helper-textarea").focus();
		return id;
	};
	const type = async (text) => {
		await page.keyboard.insertText(text);
		await page.keyboard.press("Enter");
	};
	const isOver = (id, why) =>
		eventually("the session has ended", 20, async () => {
			const now = await world.api("GET", `/sessions/${id}`);
			if (now.state !== "ended") throw new Error(`it is ${now.state}`);
			assert.equal(now.ended, why);
			return true;
		});

	await step("5 terminal: UTF-8, resize, Ctrl-C, a full screen; recorded and replayed", async () => {
		const id = await terminal(machinePage);
		await type("printf 'za%s gęślą jaźń\\n' żółć; stty size");
		// The program says that it has the terminal: a Ctrl-C before that is the shell's.
		await type(`sh -c 'echo READ""Y; exec sleep 1000'`);
		await page.locator(".xterm-rows").getByText("READY").waitFor();
		await page.keyboard.press("Control+c");
		await page.setViewportSize({ width: 1100, height: 700 });
		await type("tput smcup; echo full-screen; tput rmcup; stty size");
		await type("exit");
		await isOver(id, "the shell ended");
		const cast = await fetch(`${world.http}/api/v1/sessions/${id}/recording`, {
			headers: { authorization: `Bearer ${world.token}` },
		}).then((r) => r.text());
		assert.match(cast, /zażółć gęślą jaźń/);
		assert.match(cast, /,"r","/);
		await page.setViewportSize({ width: 1280, height: 800 });
		await page.goto(`${world.http}/sessions/${id}/replay`);
		await page.locator(".xterm").first().waitFor();
		await page
			.getByRole("button", { name: /Play|Pause/ })
			.first()
			.waitFor();
	});

	await step(
		"terminal: a lost link is mended and the shell goes on; a large paste arrives; a page that is left ends it",
		async () => {
			const way = await startWay(world.http);
			try {
				await page.goto(world.link().replace(world.http, way.http));
				await page.waitForURL(/\/queue/);
				const there = `${way.http}/computers/${world.machine.id}`;
				const id = await terminal(there);
				const rows = page.locator(".xterm-rows");
				await type("n=0; while [ $n -lt 300 ]; do n=$((n+1)); echo line $n; sleep 0.02; done; echo ALL''DONE");
				await rows
					.getByText(/line [3-9]\d/)
					.first()
					.waitFor();
				await page.evaluate(() => document.querySelector(".xterm").setAttribute("data-since", "before"));
				way.cut();
				await see(/reconnecting, [4-9] s/); // by then all that the page asks for has failed, and was tried again
				await page.keyboard.insertText("held back");
				assert.equal((await world.api("GET", `/sessions/${id}`)).state, "open");
				// Somebody else may not come in the place of the page that is lost.
				world.addPerson("ola", "technician");
				const answer = await fetch(`${world.http}/api/v1/sessions/${id}/socket`, {
					headers: { authorization: `Bearer ${world.tokenOf("ola")}` },
				});
				assert.equal(answer.status, 403);
				assert.match(await answer.text(), /opened by anna/);
				way.mend();
				await see("link good");
				await rows.getByText("ALLDONE").waitFor();
				assert.equal(await page.locator(".xterm[data-since=before]").count(), 1, "it is another terminal");
				const size = page.viewportSize();
				await page.setViewportSize({ width: 390, height: 844 }); // a window made small, or a telephone turned
				await page.locator(".xterm-helper-textarea").focus();
				await type("echo SMA''LL");
				await rows.getByText("SMALL").waitFor();
				await page.setViewportSize(size);
				await page.locator(".xterm-helper-textarea").focus();
				await type("stty -echo; echo RE''ADY; head -c 200000 | md5sum; stty echo");
				await rows.getByText("READY").waitFor();
				const paste = "0123456789abcde\n".repeat(12500);
				await page.evaluate((text) => {
					const data = new DataTransfer();
					data.setData("text/plain", text);
					const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
					document.querySelector(".xterm-helper-textarea").dispatchEvent(event);
				}, paste);
				await rows.getByText(createHash("md5").update(paste).digest("hex")).waitFor();
				await page.goto(`${way.http}/computers`);
				await isOver(id, "the page was closed");

				const second = await terminal(there);
				const other = await context.newPage();
				await other.goto(`${way.http}/sessions/${second}`);
				await see("link good", other);
				await see("shown on another page");
				await other.locator(".xterm-helper-textarea").focus();
				await other.keyboard.insertText("echo still''here");
				await other.keyboard.press("Enter");
				await other.locator(".xterm-rows").getByText("stillhere").waitFor();
				await other.close();
				await isOver(second, "the page was closed");
			} finally {
				way.stop();
			}
		},
	);

	await step("6 question: the table fills", async () => {
		await page.goto(`${world.http}/computers/ask`);
		const editor = page.getByLabel("Expression");
		await editor.fill("filter(processes, .nonsense > 1)");
		await page.getByRole("button", { name: /^Ask/ }).first().click();
		await see(/nonsense/);
		await editor.fill("filter(processes, .rss_bytes > 1e6)");
		await page.getByRole("button", { name: /^Ask/ }).first().click();
		await see(/deskside-agent|deskside-console/);
		await accessible(page);
	});

	await step("groups: a rule picks the computers, lists and questions go by it", async () => {
		await page.goto(`${world.http}/computers/groups`);
		const name = page.getByRole("textbox", { name: "Name" });
		const rule = page.getByRole("textbox", { name: "Rule" });
		await name.fill("Test benches");
		await rule.fill("memory.used > 0.5");
		await page.getByRole("button", { name: "Make the group" }).click();
		await see(/changes from moment to moment/);
		await rule.fill("hardware.cores >= 1");
		await page.getByRole("button", { name: "Make the group" }).click();
		const row = page.getByRole("row", { name: /Test benches/ });
		await row.getByRole("link", { name: "1", exact: true }).click();
		await page.waitForURL(/\/computers\?group=/);
		await see(world.machine.name);
		await page.goto(`${world.http}/computers/groups`);
		await row.getByRole("link", { name: /^Ask them/ }).click();
		await page.getByLabel("Expression").fill("hardware.cores");
		await page.getByRole("button", { name: "Ask the group" }).click();
		await see(/1 of 1 have answered/);
		await page.goto(`${world.http}/computers/groups`);
		await accessible(page);
		await row.getByRole("button", { name: /Test benches/ }).click();
		await rule.fill("hardware.cores < 1");
		await page.getByRole("button", { name: "Save the group" }).click();
		await row.getByRole("link", { name: "0", exact: true }).waitFor();
		await page.getByRole("button", { name: "Delete", exact: true }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Delete the group" }).click();
		await row.waitFor({ state: "detached" });
	});

	await step("7 help: the person writes, the technician answers, both see it", async () => {
		const theirs = await browser.newContext({
			viewport: { width: 390, height: 844 },
			locale: "en-GB",
			bypassCSP: true,
		});
		const person = await theirs.newPage();
		person.setDefaultTimeout(15_000);
		await person.goto(world.help());
		await see("What is wrong?", person);
		await accessible(person);
		await person.getByRole("textbox").first().fill("nie mogę się zalogować do poczty");
		await person.getByRole("button", { name: "A bit" }).or(person.getByText("A bit")).first().click();
		await person.getByRole("button", { name: /Send/ }).click();
		const asked = await eventually(
			"the ticket",
			15,
			async () => (await world.api("GET", "/tickets?q=poczty")).items[0],
		);
		assert.deepEqual(asked.machine_ids, [world.machine.id]);
		await page.goto(`${world.http}/tickets/${asked.id}`);
		await see("nie mogę się zalogować do poczty");
		const boxes = page.getByRole("textbox");
		await eventually("two editors", 10, async () => (await boxes.count()) >= 2);
		await page.keyboard.press("r");
		await page.keyboard.type("Już sprawdzamy.");
		await page.keyboard.press("Control+Enter");
		await page.keyboard.press("i");
		await page.keyboard.type("colleagues only");
		await page.keyboard.press("Control+Enter");
		await eventually("the note is a note", 10, async () =>
			(await world.api("GET", `/tickets/${asked.id}/timeline`)).items.some(
				(i) => i.kind === "note" && i.text === "colleagues only",
			),
		);
		await person.goto(`${world.http}/help/${asked.id}`);
		await see("Już sprawdzamy.", person);
		assert.equal(await person.getByText("colleagues only").count(), 0);
		await person.getByRole("textbox").first().fill("dziękuję, czekam");
		await person.getByRole("button", { name: /Send/ }).click();
		await see("dziękuję, czekam"); // the technician's page, which nobody touched
		await page.keyboard.press("d");
		await page.getByRole("dialog").getByLabel("What was done").fill("password set anew");
		assert.equal(await page.getByRole("dialog").getByLabel(/^For /).inputValue(), "It works again. Please try it.");
		await page.keyboard.press("Control+Enter");
		await see(/Resolved: /);
		await person.goto(`${world.http}/help/${asked.id}`);
		await see("It works again. Please try it.", person);
		await person.getByRole("button", { name: "Yes, it works" }).click();
		await see("Finished", person);
		await accessible(person);
		await see(/the person says that it works/);
		await theirs.close();
	});

	await step("what people and machines write is text on every page, whatever it looks like", async () => {
		// The page's own policy is off in these tests: what would run here, runs.
		const hostile = (who) =>
			`<img src=x onerror="window.hurt='${who}'"> \u202etxt.exe {{1+1}} <svg onload=window.hurt=1>`;
		const harmless = async (shown, on = page) => {
			await see(shown, on);
			await on.waitForTimeout(100); // an image that is not there takes its time to say so
			const found = await on.evaluate(() => [
				window.hurt,
				document.querySelectorAll("[onerror], [onload], img[src='x']").length,
				document.title.includes("stolen"),
			]);
			assert.deepEqual(found, [undefined, 0, false], `${shown}: ${on.url()}`);
		};
		const program = named(world.dir, "<img src=x onerror=hurt=1>");
		const theirs = await browser.newContext({ locale: "en-GB", bypassCSP: true });
		try {
			const person = await theirs.newPage();
			await person.goto(world.help());
			await person.getByRole("textbox").first().fill(hostile("person"));
			await person.getByRole("button", { name: "A bit" }).or(person.getByText("A bit")).first().click();
			await person.getByRole("button", { name: /Send/ }).click();
			const asked = await eventually(
				"the ticket",
				15,
				async () => (await world.api("GET", "/tickets?q=onerror")).items[0],
			);
			await world.api("POST", `/tickets/${asked.id}/notes`, { text: hostile("note") });
			await world.api("POST", "/groups", { name: hostile("group").slice(0, 60), rule: "hardware.cores >= 1" });
			assert.throws(() => world.addPerson(hostile("colleague").slice(0, 40), "viewer"), /without quotes, brackets/);
			await page.goto(`${world.http}/tickets/${asked.id}`);
			await harmless(/hurt='note'/);
			await harmless(/hurt='person'/);
			await harmless(/hurt='person'/, person);
			await page.goto(`${world.http}/queue/open?q=onerror`);
			await harmless(/onerror/);
			await page.goto(`${world.http}/computers/groups`);
			await harmless(/onerror/);
			await page.goto(`${world.http}/computers/ask`);
			await page.getByLabel("Expression").fill('filter(processes, .name contains "onerror")');
			await page.getByRole("button", { name: /^Ask/ }).first().click();
			await harmless(/<img src=x onerror=hurt=1>/);
			await page.goto(`${world.http}/settings/audit`);
			await harmless(/onerror/);
			await terminal(machinePage);
			await type(
				`printf '\\033]52;c;aHVydA==\\007\\033]0;stolen\\007<img src=x onerror=window.hurt=1>\\n'; echo DO""NE`,
			);
			await page.locator(".xterm-rows").getByText("DONE").waitFor();
			await harmless(/onerror=window.hurt=1>/);
		} finally {
			program.end();
			await theirs.close();
		}
	});

	await step("help speaks the language of the browser, until the person chooses the other one", async () => {
		const theirs = await browser.newContext({
			viewport: { width: 390, height: 844 },
			locale: "pl-PL",
			bypassCSP: true,
		});
		const person = await theirs.newPage();
		person.setDefaultTimeout(15_000);
		const signedIn = person.waitForResponse((answer) => answer.url().endsWith("/help/sign-in"));
		await person.goto(world.help());
		assert.equal((await (await signedIn).json()).language, "pl");
		await see("Co się dzieje?", person);
		assert.equal(await person.locator("html").getAttribute("lang"), "pl");
		await accessible(person);
		await person.getByRole("button", { name: "English" }).click();
		await see("What is wrong?", person);
		await person.reload();
		await see("What is wrong?", person);
		await theirs.close();
	});

	await step("people and tokens: a role, disabled, enabled again; a token that is revoked is refused", async () => {
		world.addPerson("ewa", "viewer");
		const token = world.tokenOf("anna");
		const asked = () =>
			fetch(`${world.http}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } }).then((a) => a.status);
		assert.equal(await asked(), 200);
		const ewa = async () => (await world.api("GET", "/people?state=all")).items.find((p) => p.name === "ewa");
		await page.goto(`${world.http}/settings/people`);
		const row = page.getByRole("row").filter({ hasText: "ewa" });
		await row.getByRole("button", { name: /Role of/ }).click();
		await page.getByRole("menuitem", { name: /technician/ }).click();
		await eventually("the role is changed", 10, async () => (await ewa()).role === "technician");
		await accessible(page);
		await row.getByRole("button", { name: /Disable/ }).click();
		await accessible(page);
		await page
			.getByRole("dialog")
			.getByRole("button", { name: /Disable: / })
			.click();
		await eventually("ewa is disabled", 10, async () => (await ewa()).disabled);
		await row.waitFor({ state: "detached" });
		await page.getByRole("button", { name: "Disabled" }).click();
		await row.getByRole("button", { name: /Enable/ }).click();
		await eventually("ewa is enabled", 10, async () => !(await ewa()).disabled);
		await page.goto(`${world.http}/settings/tokens`);
		await see("valid until");
		await accessible(page);
		// Two of anna's; the newest is the one that was made here.
		const tokens = (await world.api("GET", "/tokens")).items.sort((a, b) => b.created_at.localeCompare(a.created_at));
		const place = (await world.api("GET", "/tokens")).items.findIndex((t) => t.id === tokens[0].id);
		await page
			.getByRole("button", { name: /^Revoke/ })
			.nth(place)
			.click();
		await page.getByRole("dialog").getByRole("button", { name: "Revoke the token" }).click();
		await eventually("the token is refused", 10, async () => (await asked()) === 401);
		await world.api("GET", "/me"); // the other one is not
	});

	await step("queue: several tickets are selected and taken by keys, and given back", async () => {
		for (const says of ["pierwsze z wielu", "drugie z wielu"]) await world.api("POST", "/tickets", { says });
		const many = async () => (await world.api("GET", "/tickets?q=wielu")).items;
		await page.goto(`${world.http}/queue/unassigned?q=wielu`);
		await see("pierwsze z wielu");
		await page.keyboard.press("x");
		await page.keyboard.press("j");
		await page.keyboard.press("Shift+X");
		await see("2 selected");
		await accessible(page);
		await page.keyboard.press("t");
		await eventually("both are taken", 10, async () => (await many()).every((t) => t.assignee?.name === "anna"));
		await see(/2 tickets are yours/);
		await page.getByRole("button", { name: "Undo" }).click();
		await eventually("both are given back", 10, async () => (await many()).every((t) => t.assignee === null));
	});

	await step("queue: a title has the room, whatever stands behind it", async () => {
		const says = "Nikt w sekretariacie nie może wysłać pisma do urzędu, a termin mija o dwunastej";
		const made = await world.api("POST", "/tickets", { says, can_work: "no" });
		const held = { version: made.version, state: "on_hold", hold_reason: "problem" };
		await world.api("PATCH", `/tickets/${made.id}`, held);
		await world.api("PATCH", "/me", { language: "pl" });
		try {
			await page.goto(`${world.http}/queue/open?q=sekretariacie`);
			await see("Wstrzymane: czeka na usunięcie przyczyny");
			const wide = async () => (await page.locator(".row .title").first().boundingBox()).width;
			assert.ok((await wide()) > 200, `the title has ${await wide()} pixels of 1280`);
			await page.setViewportSize({ width: 1000, height: 800 });
			const over = await page.locator(".list").evaluate((list) => list.scrollWidth - list.clientWidth);
			assert.equal(over, 0, "the list is as wide as its place");
		} finally {
			await page.setViewportSize({ width: 1280, height: 800 });
			await world.api("PATCH", "/me", { language: "en" });
			await page.goto(`${world.http}/queue/open`);
		}
	});

	await step("8 vitals: the points from before stand after the console, and the agent, was restarted", async () => {
		// Somebody looks when the page has heard a live reading: before that the agent does not know of it.
		const points = async () => {
			const opened = page.waitForEvent("websocket", (socket) => socket.url().endsWith("/live"));
			await page.goto(machinePage);
			await (await opened).waitForEvent("framereceived", (frame) => String(frame.payload).includes('"live"'));
			await page.getByText("As a table").click();
			const rows = await page.locator(".points tbody tr").allInnerTexts();
			// Not the lines that tell of a hole: it may be filled when the row is sent.
			return rows.map((row) => row.replace(/\s+/g, " ").trim()).filter((row) => /^\d[\d:]+ [\d.,]+/.test(row));
		};
		// The newest step is still being filled; a whole one does not change any more.
		const before = await eventually("three whole steps", 75, async () => {
			const found = await points();
			return found.length > 3 && found.slice(0, -1);
		});
		// While somebody looks, the agent sends its open row once a minute.
		const still = (what, more = 0) =>
			eventually(`the points from before, ${what}`, 90, async () => {
				const now = await points();
				const lost = before.filter((row) => !now.includes(row));
				if (lost.length > 0) throw new Error(`lost ${lost.join("; ")}; there are ${now.join("; ")}`);
				return now.length > before.length + more;
			});
		const online = () =>
			eventually("the machine is online", 20, async () => {
				const now = await world.api("GET", `/machines/${world.machine.id}`);
				return now.presence === "online";
			});
		const { http } = world;
		await world.restartConsole();
		assert.equal(world.http, http);
		await online();
		await still("after the console");
		await world.restartAgent();
		await online();
		await still("and what the agent had not sent yet", 1);
	});

	await step("nothing went wrong in the programs", async () => {
		const bad = [...world.logs.console, ...world.logs.agent]
			.join("")
			.split("\n")
			.filter((l) => /level=ERROR|panic/.test(l));
		assert.deepEqual(bad, []);
	});
	await context.close();
	await world.stop();
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
