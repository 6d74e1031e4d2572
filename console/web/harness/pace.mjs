// How fast the list of twenty thousand computers opens and scrolls, as JSON:
// node harness/pace.mjs
//
//	{"open": 612, "frames": 59.9, "slowest": 24.1}
//
// open: milliseconds from the address to rows on the screen, with nothing in the
// browser's cache, median of five; frames: a second, while the list is scrolled by a
// screen with each; slowest: milliseconds between two of them, 99 of 100.
import { launch } from "../e2e/browser.mjs";
import { many } from "./states.mjs";

const times = 5;
const seconds = 5;
const quantile = (list, share) =>
	list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(share * list.length))];

/** Notes when the first row with a computer has been drawn. */
const watch = () => {
	const look = () => {
		if (document.querySelector('a[href^="/computers/"]'))
			requestAnimationFrame(() => requestAnimationFrame(() => (window.drawn = performance.now())));
		else requestAnimationFrame(look);
	};
	requestAnimationFrame(look);
};

/** Scrolls whatever scrolls here by most of a screen each frame, down and up again. */
const scroll = (seconds) =>
	new Promise((then) => {
		const tall = [document.scrollingElement, ...document.querySelectorAll("*")];
		const box = tall.reduce((a, b) => {
			const room = (e) =>
				e === document.scrollingElement || /auto|scroll/.test(getComputedStyle(e).overflowY)
					? e.scrollHeight - e.clientHeight
					: 0;
			return room(b) > room(a) ? b : a;
		});
		const at = [];
		let step = box.clientHeight * 0.8;
		const frame = (now) => {
			at.push(now);
			const before = box.scrollTop;
			box.scrollTop += step;
			if (box.scrollTop === before) step = -step;
			if (now - at[0] < seconds * 1000) requestAnimationFrame(frame);
			else then(at);
		};
		requestAnimationFrame(frame);
	});

const world = await many();
const browser = await launch();
try {
	const first = await browser.newContext({ viewport: { width: 1280, height: 800 } });
	const entry = await first.newPage();
	await entry.goto(world.link());
	await entry.waitForURL(/\/queue/);
	const storageState = await first.storageState();
	await first.close();
	const opened = [];
	let frames = [];
	for (let i = 0; i < times; i++) {
		const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, storageState });
		const page = await context.newPage();
		await page.addInitScript(watch);
		await page.goto(`${world.http}/computers`);
		await page.waitForFunction(() => window.drawn);
		opened.push(await page.evaluate(() => window.drawn));
		if (i === times - 1) {
			await page.waitForTimeout(1000);
			frames = await page.evaluate(scroll, seconds);
		}
		await context.close();
	}
	const between = frames.slice(1).map((at, i) => at - frames[i]);
	const length = frames[frames.length - 1] - frames[0];
	console.log(
		JSON.stringify({
			open: quantile(opened, 0.5),
			frames: (1000 * between.length) / length,
			slowest: quantile(between, 0.99),
		}),
	);
} finally {
	await browser.close();
	await world.stop();
}
