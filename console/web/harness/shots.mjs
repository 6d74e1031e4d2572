// Takes pictures of every page, for looking at: node harness/shots.mjs [--only WORD] [--all]
// Without --all: English light and Polish dark at 1280, Polish light at 390.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { launch } from "../e2e/browser.mjs";

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : "";
const all = process.argv.includes("--all");
const axe = process.argv.includes("--axe")
	? readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8")
	: "";
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const machine = "0193a000-0001-7000-8000-000000000001";
const ticket = (n) => `0193a000-0003-7000-8000-${n.toString(16).padStart(12, "0")}`;

async function harness(...flags) {
	const child = spawn(process.execPath, [here("server.mjs"), "--port", "0", ...flags], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const url = await new Promise((then) => child.stdout.once("data", (data) => then(String(data).trim())));
	return { url, stop: () => child.kill() };
}

const settle = (page) => page.waitForTimeout(700);
const pages = [
	["sign-in", "/sign-in", { flags: ["--signed-out"] }],
	["computers", "/computers"],
	["computers-empty", "/computers", { flags: ["--machines", "0"] }],
	["machine", `/computers/${machine}`],
	[
		"machine-offline",
		"/computers?presence=offline",
		{ act: async (page) => void (await page.locator(".row").nth(1).click()) },
	],
	["computers-one", "/computers", { flags: ["--machines", "1"] }],
	[
		"week",
		`/computers/${machine}`,
		{
			act: async (page) => {
				await page.locator(".chart .seg button").last().click();
				await page.locator(".chart").scrollIntoViewIfNeeded();
			},
		},
	],
	[
		"table",
		`/computers/${machine}`,
		{
			act: async (page) => {
				await page.locator(".chart .seg button").nth(1).click();
				await page.locator(".chart button.link").click();
				await page.locator(".chart").scrollIntoViewIfNeeded();
			},
		},
	],
	["queue", "/queue/mine"],
	["queue-many", "/queue/open", { flags: ["--tickets", "20000"] }],
	["queue-one", "/queue/mine", { flags: ["--tickets", "1"] }],
	["queue-empty", "/queue/mine", { flags: ["--machines", "0"] }],
	["queue-broken", "/queue/mine", { flags: ["--broken"] }],
	["queue-waits", "/queue/mine", { flags: ["--slow", "1000"] }],
	[
		"queue-selected",
		"/queue/open",
		{
			act: async (page) => {
				for (const key of ["x", "j", "j", "X", "h"]) await page.keyboard.press(key);
			},
			wide: true,
		},
	],
	["ticket", `/tickets/${ticket(97)}`],
	["ticket-person", `/tickets/${ticket(118)}`],
	[
		"call",
		"/queue/mine",
		{
			act: async (page) => {
				await page.keyboard.press("c");
				await page.getByRole("combobox").fill("maria");
				await settle(page);
				await page.keyboard.press("Enter");
				await page.keyboard.type("nie drukuje, wypłaty na 12");
				await page.keyboard.press("Enter");
				await page.keyboard.press("1");
			},
			wide: true,
		},
	],
	[
		"run",
		`/tickets/${ticket(97)}`,
		{
			act: async (page) => {
				await page.keyboard.press("s");
				await settle(page);
				await page.locator(".dialog-foot .btn").first().click();
				await page.waitForTimeout(2500);
			},
		},
	],
	[
		"palette",
		"/queue/mine",
		{
			act: async (page) => {
				await page.keyboard.press("Control+k");
				await settle(page);
				await page.keyboard.type("maria");
			},
		},
	],
	["keys", `/tickets/${ticket(97)}`, { act: (page) => page.keyboard.press("?"), wide: true }],
	["connect", `/computers/${machine}`, { act: (page) => page.keyboard.press("o") }],
	[
		"terminal",
		`/computers/${machine}`,
		{
			act: async (page) => {
				await page.keyboard.press("o");
				await settle(page);
				await page.keyboard.type("drukowanie nie działa");
				await page.keyboard.press("Enter");
				await page.waitForTimeout(4000);
			},
			wide: true,
		},
	],
	[
		"consent",
		`/computers/${machine}`,
		{
			flags: ["--consent", "60000"],
			act: async (page) => {
				await page.keyboard.press("o");
				await settle(page);
				await page.keyboard.type("drukowanie nie działa");
				await page.keyboard.press("Enter");
				await settle(page);
			},
		},
	],
	[
		"replay",
		"/",
		{
			act: async (page) => {
				await page.goto(`${new URL(page.url()).origin}/computers/${machine}`);
				await page.locator('a[href*="/replay"]').first().click();
				await page.waitForTimeout(6000);
			},
			wide: true,
		},
	],
	[
		"ask",
		"/computers/ask",
		{
			act: async (page) => {
				await page.locator(".example").first().click();
				await page.locator("form.ask button[type=submit]").click();
				await page.waitForTimeout(2500);
			},
		},
	],
	["repairs", "/repairs"],
	["settings", "/settings/mine"],
	["checks", "/settings/checks"],
	["console", "/settings/console"],
	["enrol", "/settings/enrol", { act: (page) => page.locator(".enrol .btn.first").click() }],
	["people", "/settings/people"],
	["people-disable", "/settings/people", { act: (page) => page.locator("table.people td.r .btn").first().click() }],
	["tokens", "/settings/tokens"],
	["tokens-empty", "/settings/tokens", { flags: ["--first-help"] }],
	["audit", "/settings/audit"],
	[
		"help",
		"/help",
		{
			flags: ["--first-help"],
			act: async (page) => {
				await page.keyboard.type("Nie drukuje od rana, a do 12 muszę oddać listy płac");
				await page.locator(".help-three button").nth(1).click();
			},
		},
	],
	["help-noticed", "/help"],
	["help-ticket", `/help/${ticket(118)}`],
	["nothing", "/nowhere"],
];
const views = all
	? ["en", "pl"].flatMap((language) =>
			["light", "dark"].flatMap((theme) => [
				[1280, 800, language, theme],
				[390, 844, language, theme],
			]),
		)
	: [
			[1280, 800, "en", "light"],
			[1280, 800, "pl", "dark"],
			[390, 844, "pl", "light"],
		];

mkdirSync(here("../shots"), { recursive: true });
const browser = await launch();
let wrong = 0;
for (const [width, height, language, theme] of views) {
	for (const [name, path, options = {}] of pages) {
		if (only && !name.includes(only)) continue;
		if (options.wide && width < 700) continue;
		const server = await harness("--language", language, "--theme", theme, ...(options.flags ?? []));
		const context = await browser.newContext({
			viewport: { width, height },
			colorScheme: theme,
			locale: language === "pl" ? "pl-PL" : "en-GB",
			timezoneId: "Europe/Warsaw",
			permissions: ["clipboard-read", "clipboard-write"],
		});
		const page = await context.newPage();
		page.on("pageerror", (error) => {
			wrong++;
			console.error(`${name}: ${error.message}`);
		});
		page.on("console", (message) => {
			if (message.type() !== "error" || /401|status of 500/.test(message.text())) return;
			wrong++;
			console.error(`${name}: ${message.text()}`);
		});
		try {
			await page.goto(server.url + path);
			await settle(page);
			await options.act?.(page);
			await settle(page);
			const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			if (sideways > 0) {
				wrong++;
				console.error(`${name} ${width}: ${sideways} px sideways`);
			}
			if (axe) {
				await page.evaluate(axe);
				const { violations } = await page.evaluate(() => globalThis.axe.run());
				for (const found of violations) {
					wrong++;
					console.error(
						`${name} ${width} ${theme}: ${found.impact} ${found.id} × ${found.nodes.length}: ${found.nodes[0].html.slice(0, 160)} ${found.nodes[0].failureSummary.split("\n")[1]}`,
					);
				}
			}
			await page.screenshot({ path: here(`../shots/${name}-${width}-${language}-${theme}.png`) });
		} catch (error) {
			wrong++;
			console.error(`${name}: ${error.message.split("\n")[0]}`);
		}
		await context.close();
		server.stop();
	}
}
await browser.close();
console.log(wrong === 0 ? "all pictures taken" : `${wrong} complaints`);
