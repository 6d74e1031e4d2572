// Takes pictures of every page, for looking at: node harness/shots.mjs [--only WORD] [--all] [--axe]
// WORD is in the name of a page, or is a state. Without --all: English light and Polish dark at 1280, Polish light at 390. The
// pages are those of real consoles (states.mjs); each page has a sheet with all
// its pictures side by side.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { launch } from "../e2e/browser.mjs";
import { demo, empty, many, one } from "./states.mjs";

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : "";
const all = process.argv.includes("--all");
const axe = process.argv.includes("--axe")
	? readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8")
	: "";
const folder = fileURLToPath(new URL("../shots/", import.meta.url));
const settle = (page) => page.waitForTimeout(700);
const press = async (page, ...keys) => {
	for (const key of keys) await page.keyboard.press(key);
};

/** The terminal of a computer, entered for a reason. */
const enter = async (page) => {
	await press(page, "o");
	await settle(page);
	await page.keyboard.type("drukowanie nie działa");
	await press(page, "Enter");
	await page.locator(".xterm-rows").waitFor();
	await page.waitForTimeout(1500);
};

// A page: its name, its address in a console, and what is done before the picture.
// `out`: nobody is signed in; `guest`: the person at the machine is; `wide`: not at 390.
const pages = {
	empty: [
		["sign-in", () => "/sign-in", { out: true }],
		["computers-empty", () => "/computers"],
		["queue-empty", () => "/queue/mine"],
		["tokens-empty", () => "/settings/tokens"],
		["enrol", () => "/settings/enrol", { act: (page) => page.locator(".enrol .btn.first").click() }],
		["nothing", () => "/nowhere"],
	],
	one: [
		["computers-one", () => "/computers"],
		["queue-one", () => "/queue/mine"],
		["machine-real", (w) => `/computers/${w.machine.id}`],
		["connect", (w) => `/computers/${w.machine.id}`, { act: (page) => press(page, "o") }],
		["ticket-person", (w) => `/tickets/${w.person}`],
		[
			"call",
			() => "/queue/mine",
			{
				act: async (page, w) => {
					await press(page, "c");
					await page.getByRole("combobox").fill(w.machine.name.slice(0, 8));
					await page.getByRole("option").first().waitFor();
					await press(page, "Enter");
					await page.keyboard.type("nie drukuje, wypłaty na 12");
					await press(page, "Enter", "1");
				},
				wide: true,
			},
		],
		[
			"terminal",
			(w) => `/computers/${w.machine.id}`,
			{
				act: async (page) => {
					await enter(page);
					await page.keyboard.type("ls --color /");
					await press(page, "Enter");
				},
				wide: true,
			},
		],
		[
			"replay",
			(w) => `/computers/${w.machine.id}`,
			{
				act: async (page) => {
					await page.locator('a[href*="/replay"]').first().click();
					await page.waitForTimeout(5000);
				},
				wide: true,
			},
		],
		[
			"help",
			() => "/help",
			{
				guest: true,
				act: async (page) => {
					await page.locator("textarea").first().fill("Nie drukuje od rana, a do 12 muszę oddać listy płac");
					await page.locator(".help-three button").nth(1).click();
				},
			},
		],
		[
			"help-ticket",
			() => "/help",
			{
				guest: true,
				act: async (page) => {
					await page.locator("textarea").first().fill("Drukarka na drugim piętrze nie odpowiada");
					await page.locator(".help-three button").nth(1).click();
					await page.locator("button[type=submit]").click();
					await page.waitForURL(/\/help\/./);
				},
			},
		],
	],
	demo: [
		["computers", () => "/computers"],
		["machine", (w) => `/computers/${w.machine.id}`],
		["machine-offline", (w) => `/computers/${w.away}`],
		[
			"machine-expel",
			(w) => `/computers/${w.machine.id}`,
			{
				act: async (page) => {
					await page.locator(".acts .tool").click();
					await page.locator(".menu-stop").click();
				},
			},
		],
		[
			"chart",
			(w) => `/computers/${w.machine.id}`,
			{
				act: async (page) => {
					await page.locator(".chart .seg button").nth(1).click();
					await page.locator(".chart").scrollIntoViewIfNeeded();
				},
			},
		],
		[
			"table",
			(w) => `/computers/${w.machine.id}`,
			{
				act: async (page) => {
					await page.locator(".chart button.link").click();
					await page.locator(".chart").scrollIntoViewIfNeeded();
				},
			},
		],
		["queue", () => "/queue/open"],
		["queue-selected", () => "/queue/open", { act: (page) => press(page, "x", "j", "j", "X", "h"), wide: true }],
		["ticket", (w) => `/tickets/${w.ticket}`],
		["ticket-cleared", (w) => `/tickets/${w.cleared}`],
		[
			"ticket-computer",
			(w) => `/tickets/${w.person}`,
			{
				act: async (page, w) => {
					const half = page.getByRole("tab").nth(1);
					if (await half.isVisible()) await half.click();
					await page.locator(".pane").getByRole("combobox").fill(w.machine.name.slice(0, 6));
					await page.getByRole("option").first().waitFor();
				},
			},
		],
		[
			"run",
			(w) => `/tickets/${w.ticket}`,
			{
				act: async (page) => {
					await press(page, "s");
					await settle(page);
					await page.locator(".dialog-foot .btn").first().click();
					await page.waitForTimeout(2500);
				},
			},
		],
		[
			"palette",
			() => "/queue/open",
			{
				act: async (page) => {
					await press(page, "Control+k");
					await settle(page);
					await page.keyboard.type("maria");
				},
			},
		],
		["keys", (w) => `/tickets/${w.ticket}`, { act: (page) => press(page, "?"), wide: true }],
		[
			"ask",
			() => "/computers/ask",
			{
				act: async (page) => {
					await page.locator(".example").first().click();
					await page.locator("form.ask button[type=submit]").click();
					await page.waitForTimeout(2500);
				},
			},
		],
		["groups", () => "/computers/groups", { act: (page) => page.locator("table.groups button.plain").first().click() }],
		["repairs", () => "/repairs"],
		["settings", () => "/settings/mine"],
		["checks", () => "/settings/checks"],
		["console", () => "/settings/console"],
		[
			"console-node",
			() => "/settings/console",
			{
				act: (page) =>
					page
						.locator(".setting-list")
						.last()
						.evaluate((e) => e.scrollIntoView({ block: "end" })),
			},
		],
		["people", () => "/settings/people"],
		[
			"people-disable",
			() => "/settings/people",
			{ act: (page) => page.locator("table.people td.r .btn:enabled").first().click() },
		],
		["tokens", () => "/settings/tokens"],
		["audit", () => "/settings/audit"],
	],
	many: [
		["computers-many", () => "/computers"],
		["queue-many", () => "/queue/open"],
		[
			"palette-many",
			() => "/queue/open",
			{
				act: async (page) => {
					await press(page, "Control+k");
					await settle(page);
					await page.keyboard.type("krk");
				},
			},
		],
	],
};
const states = { empty, one, demo, many };
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

mkdirSync(folder, { recursive: true });
const browser = await launch();
let wrong = 0;
const complain = (text) => {
	wrong++;
	console.error(text);
};
const sheets = new Map();

/** Opens a browser that is signed in as nobody, as the administrator or as the person at the machine. */
async function open(world, who, [width, height, language, theme]) {
	const context = await browser.newContext({
		viewport: { width, height },
		colorScheme: theme,
		locale: language === "pl" ? "pl-PL" : "en-GB",
		timezoneId: "Europe/Warsaw",
		permissions: ["clipboard-read", "clipboard-write"],
	});
	const page = await context.newPage();
	if (who === "guest") await page.goto(world.help());
	if (who === "admin") {
		await world.api("PATCH", "/me", { language });
		await page.goto(world.link());
		await page.waitForURL(/\/queue/);
	}
	await settle(page);
	return { context, page };
}

async function picture(page, world, view, [name, path, options = {}]) {
	const [width, , language, theme] = view;
	await page.goto(world.http + path(world));
	await settle(page);
	await options.act?.(page, world);
	await settle(page);
	const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
	if (sideways > 0) complain(`${name} ${width}: ${sideways} px sideways`);
	if (axe) {
		await page.evaluate(axe);
		const { violations } = await page.evaluate(() => globalThis.axe.run());
		for (const found of violations)
			complain(
				`${name} ${width} ${theme}: ${found.impact} ${found.id} × ${found.nodes.length}: ${found.nodes[0].html.slice(0, 160)} ${found.nodes[0].failureSummary.split("\n")[1]}`,
			);
	}
	const file = `${name}-${width}-${language}-${theme}.png`;
	await page.screenshot({ path: folder + file });
	sheets.set(name, [...(sheets.get(name) ?? []), { file, width }]);
}

for (const [state, list] of Object.entries(pages)) {
	const wanted = list.filter(([name]) => state === only || name.includes(only));
	if (wanted.length === 0) continue;
	const world = await states[state]().catch((error) => complain(`${state}: ${error.message.split("\n")[0]}`));
	if (!world) continue;
	try {
		for (const view of views) {
			for (const one of wanted) {
				const [name, , options = {}] = one;
				if (options.wide && view[0] < 700) continue;
				const { context, page } = await open(world, options.out ? "nobody" : options.guest ? "guest" : "admin", view);
				page.setDefaultTimeout(10_000);
				page.on("pageerror", (error) => complain(`${name}: ${error.message}`));
				page.on("console", (message) => {
					if (message.type() === "error" && !/401/.test(message.text())) complain(`${name}: ${message.text()}`);
				});
				await picture(page, world, view, one).catch((error) => complain(`${name}: ${error.message.split("\n")[0]}`));
				await context.close();
			}
		}
	} finally {
		await world.stop();
	}
}

// One sheet for each page.
const context = await browser.newContext({ viewport: { width: 1800, height: 700 } });
const page = await context.newPage();
for (const [name, shots] of sheets) {
	const body = shots
		.map(({ file, width }) => `<img src="${file}" style="width:${Math.round(width * 0.62)}px">`)
		.join(" ");
	const sheet = `${folder}sheet.html`;
	writeFileSync(sheet, `<body style="margin:8px;background:#888;font-size:0;line-height:0">${body}`);
	await page.goto(pathToFileURL(sheet).href);
	await page.screenshot({ path: `${folder}sheet-${name}.png`, fullPage: true });
	rmSync(sheet);
}
await browser.close();
console.log(wrong === 0 ? "all pictures taken" : `${wrong} complaints`);
if (wrong > 0) process.exitCode = 1;
