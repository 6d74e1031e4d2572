// Walks through the application as a technician and as a person would, in Chromium over the harness,
// and says what did not happen: node harness/walk.mjs
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const machine = "0193a000-0001-7000-8000-000000000001";
const ticket = (n) => `0193a000-0003-7000-8000-${n.toString(16).padStart(12, "0")}`;
const browser = await chromium.launch({
	executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
let failed = 0;

async function step(name, flags, act) {
	const child = spawn(
		process.execPath,
		[fileURLToPath(new URL("server.mjs", import.meta.url)), "--port", "0", ...flags],
		{ stdio: ["ignore", "pipe", "inherit"] },
	);
	const url = await new Promise((then) => child.stdout.once("data", (data) => then(String(data).trim())));
	const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
	await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
	const page = await context.newPage();
	page.setDefaultTimeout(5000);
	const errors = [];
	page.on("pageerror", (error) => errors.push(error.message));
	try {
		await act(page, url, child);
		assert.deepEqual(errors, []);
		console.log(`ok      ${name}`);
	} catch (error) {
		failed++;
		console.log(`failed  ${name}: ${error.message.split("\n").slice(0, 9).join(" ")}`);
	}
	await context.close();
	child.kill();
}
const see = (page, text) => page.getByText(text).first().waitFor();

await step(
	"sign in by password, with a refusal first, back to where one wanted",
	["--signed-out"],
	async (page, url) => {
		await page.goto(`${url}/computers?health=warning`);
		await page.getByLabel("Name", { exact: true }).fill("anna");
		await page.getByLabel("Password", { exact: true }).fill("wrong");
		await page.keyboard.press("Enter");
		await see(page, "do not belong together");
		await page.getByLabel("Password", { exact: true }).fill("right");
		await page.keyboard.press("Enter");
		await page.waitForURL(/health=warning/);
		await see(page, "4 computers need a person today");
	},
);
await step("sign in by a one-time link, and by one that is spent", ["--signed-out"], async (page, url) => {
	await page.goto(`${url}/sign-in?link=spent`);
	await see(page, "spent or too old");
	await page.goto(`${url}/sign-in?link=good`);
	await page.waitForURL(/queue\/mine/);
});
await step("an address from outside is not followed after signing in", ["--signed-out"], async (page, url) => {
	await page.goto(`${url}/sign-in?back=//evil.example/&link=good`);
	await page.waitForURL(/queue\/mine/);
});
await step("twenty thousand computers: walk, search, sort, scroll to the end", [], async (page, url) => {
	await page.goto(`${url}/computers`);
	await page.locator(".row").first().waitFor();
	await page.keyboard.press("j");
	await page.keyboard.press("j");
	assert.equal(await page.locator(".row.cursor").getAttribute("aria-rowindex"), "4");
	await page.keyboard.press("/");
	await page.keyboard.type("maria nowak");
	await page.waitForURL(/q=maria/);
	await see(page, "LAP-KRK-0142");
	await page.keyboard.press("Escape");
	await page.goto(`${url}/computers`);
	await page.getByRole("button", { name: "computer", exact: true }).click();
	await page.waitForURL(/sort=name/);
	await page.locator(".list").evaluate((list) => list.scrollTo(0, list.scrollHeight));
	await page.locator('[aria-rowindex="20001"] .mono').waitFor({ timeout: 20_000 });
	assert.ok((await page.locator(".row").count()) < 100, "too many rows are drawn");
	await page.goto(`${url}/computers?q=nobodyhasthisname`);
	await see(page, "Nothing found for");
});
await step("the first day: the line that enrols a computer", ["--machines", "0"], async (page, url) => {
	await page.goto(`${url}/computers`);
	await page.getByRole("button", { name: "Make the line" }).click();
	await see(page, "deskside-agent enroll --console");
	await page.getByRole("button", { name: "Copy" }).click();
	assert.match(await page.evaluate(() => navigator.clipboard.readText()), /--token dse_/);
});
await step("a call, by keyboard alone", [], async (page, url) => {
	await page.goto(`${url}/queue/mine`);
	await page.locator(".row").first().waitFor();
	await page.keyboard.press("c");
	await page.getByRole("dialog").waitFor();
	await page.keyboard.type("nowak");
	await page.locator('[role=option][aria-selected="true"]').waitFor();
	await page.keyboard.press("Enter");
	await page.keyboard.type("nie drukuje");
	await page.keyboard.press("Enter");
	await page.keyboard.press("1");
	await page.keyboard.press("Enter");
	await see(page, "Saved: DS-000");
	await page.keyboard.press("Enter");
	await page.waitForURL(/tickets/);
	await see(page, "“nie drukuje”");
	await see(page, "cannot work");
});
await step("reply and note cannot be taken for each other; a draft is kept", [], async (page, url) => {
	await page.goto(`${url}/tickets/${ticket(118)}`);
	await see(page, "Timeline");
	await page.keyboard.press("i");
	await page.keyboard.type("for the team only");
	await page.keyboard.press("Control+Enter");
	assert.equal(await page.getByLabel("Note for the team").inputValue(), "for the team only");
	await page.keyboard.press("Escape");
	await page.keyboard.press("r");
	await page.keyboard.type("Drukowanie znów działa.");
	await page.reload();
	assert.equal(await page.locator("textarea[name=reply]").inputValue(), "Drukowanie znów działa.");
	await page.locator("textarea[name=reply]").press("Control+Enter");
	await page.locator(".timeline .message", { hasText: "Drukowanie znów działa." }).waitFor();
	assert.equal(await page.locator("textarea[name=reply]").inputValue(), "");
	assert.equal(await page.locator(".timeline", { hasText: "for the team only" }).count(), 0);
	await page.getByRole("button", { name: "Save note" }).click();
	await page.locator(".timeline .note", { hasText: "for the team only" }).waitFor();
});
await step("take, and take it back; resolve with words", [], async (page, url) => {
	await page.goto(`${url}/queue/unassigned`);
	await page.locator(".row").first().waitFor();
	await page.keyboard.press("t");
	await page.getByRole("button", { name: "Undo" }).click();
	await page.goto(`${url}/tickets/${ticket(97)}`);
	await see(page, "Timeline");
	await page.keyboard.press("d");
	await see(page, "still fails");
	await page.getByLabel("What was done").fill("Freed 16 GB.");
	await page.keyboard.press("Control+Enter");
	await page.getByRole("button", { name: "State: Resolved" }).waitFor();
});
await step("a script: tried first, output as it comes, verified", [], async (page, url) => {
	await page.goto(`${url}/tickets/${ticket(97)}`);
	await see(page, "Timeline");
	await page.keyboard.press("s");
	await page.getByRole("dialog").getByText("Free disk space").waitFor();
	await page.getByRole("button", { name: "Try without changes" }).click();
	await see(page, "no errors");
	await page.locator(".run-output", { hasText: "nothing was changed" }).waitFor();
	await page.getByRole("button", { name: "Run on 1 computer" }).click();
	await page.getByRole("dialog").locator(".chip", { hasText: "verified" }).waitFor();
});
await step("a terminal: consent, UTF-8, size, end, replay", [], async (page, url) => {
	await page.goto(`${url}/computers/${machine}`);
	await see(page, "LAP-KRK-0142");
	await page.keyboard.press("o");
	await page.getByLabel("Reason").fill("printing");
	await page.keyboard.press("Enter");
	await see(page, "Waiting for the person");
	await page.locator(".xterm-rows", { hasText: "zażółć gęślą jaźń" }).waitFor();
	await page.keyboard.type("echo ąęć\r");
	await page.locator(".xterm-rows", { hasText: "ąęć" }).waitFor();
	await page.keyboard.press("Control+Shift+Space");
	assert.equal(await page.evaluate(() => document.activeElement?.id), "session-end");
	await page.keyboard.press("Enter");
	await see(page, "The session is over");
	await page.getByRole("link", { name: "Replay" }).click();
	await page.locator(".xterm-rows", { hasText: "zażółć" }).waitFor({ timeout: 15_000 });
});
await step("a question: what does not compile is shown, answers fill the table", [], async (page, url) => {
	await page.goto(`${url}/computers/ask`);
	await page.getByLabel("Expression").fill("lett x = 1");
	await page.keyboard.press("Control+Enter");
	await see(page, "unknown name");
	await page.getByLabel("Expression").fill("filter(processes, it.rss_bytes > 1e9)");
	await page.keyboard.press("Control+Enter");
	await see(page, "have answered.");
	await see(page, "tracker-miner-fs");
	await see(page, "ran longer than 200 ms");
});
await step("a threshold that does not read is said at its field", [], async (page, url) => {
	await page.goto(`${url}/settings/checks`);
	const field = page.getByLabel("Warning").first();
	await field.fill("0.85");
	await page.getByRole("button", { name: "Save" }).click();
	await see(page, "begins with >=");
	await field.fill(">= 0.80");
	await page.getByRole("button", { name: "Save" }).click();
	await see(page, "Saved");
});
await step("who may only look finds nothing to press", ["--viewer"], async (page, url) => {
	await page.goto(`${url}/tickets/${ticket(97)}`);
	await see(page, "Timeline");
	for (const name of ["Connect", "Run a script", "Send", "New", "Call"])
		assert.equal(await page.getByRole("button", { name }).count(), 0, name);
	assert.equal(await page.locator("textarea").count(), 0);
	await page.keyboard.press("c");
	await page.keyboard.press("s");
	assert.equal(await page.getByRole("dialog").count(), 0);
});
await step("the language changes without loading again", [], async (page, url) => {
	await page.goto(`${url}/settings/mine`);
	await page.getByRole("button", { name: "Polski" }).click();
	await see(page, "Moje ustawienia");
	assert.equal(await page.evaluate(() => document.documentElement.lang), "pl");
	await page.getByRole("button", { name: "ciemny" }).click();
	await page.locator('html[data-mantine-color-scheme="dark"]').waitFor();
});
await step("the console goes away: one line says so, and what is typed stays", [], async (page, url, child) => {
	await page.goto(`${url}/tickets/${ticket(118)}`);
	await see(page, "Timeline");
	await page.keyboard.press("r");
	await page.keyboard.type("still here");
	child.kill();
	await page.locator(".lost", { hasText: "No connection to the console" }).waitFor({ timeout: 15_000 });
	await page.keyboard.press("Control+Enter");
	await page.locator(".dock-wrong").waitFor();
	assert.equal(await page.locator("textarea[name=reply]").inputValue(), "still here");
});
await step("a person asks for help by the link of their computer, and answers", [], async (page, url) => {
	await page.goto(`${url}/help?link=spent`);
	await see(page, "not open any more");
	await page.goto(`${url}/help?link=good`);
	await see(page, "What we noticed");
	assert.equal(new URL(page.url()).search, "");
	await page.getByLabel("What is wrong?").fill("Printing stands still");
	await page.getByRole("button", { name: "A bit" }).click();
	await page.getByRole("button", { name: "Send" }).click();
	await see(page, "Received");
	await page.getByLabel("Answer").fill("Since this morning");
	await page.getByRole("button", { name: "Send" }).click();
	await see(page, "Since this morning");
});
await step("a person cannot break out of a text", [], async (page, url) => {
	await page.goto(`${url}/help?link=good`);
	await page.getByLabel("What is wrong?").fill('<img src=x onerror="document.title=1">{n}\u202eabc');
	await page.getByRole("button", { name: "No", exact: true }).click();
	await page.getByRole("button", { name: "Send" }).click();
	await see(page, "<img src=x");
	await page.goto(`${url}/queue/unassigned`);
	await page.locator(".row", { hasText: "<img src=x" }).click();
	await see(page, "Timeline");
	assert.equal(await page.locator("img").count(), 0);
});
await browser.close();
console.log(failed === 0 ? "walked through" : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
