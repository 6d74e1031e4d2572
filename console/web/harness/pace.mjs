// How fast the list of twenty thousand computers opens and scrolls, as JSON:
// node harness/pace.mjs
//
//	{"open": 612, "frames": 59.9, "slowest": 24.1, "bare": 60}
//
// open: milliseconds from the address to rows on the screen, with nothing in the
// browser's cache, median of five; frames: a second, while the list is scrolled by a
// screen with each; slowest: milliseconds between two of them, 99 of 100; bare: frames a
// second of a page that has nothing but such a list, of plain text.
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

/** A list as long, that draws as many rows of plain text and nothing else. */
const bare = () => {
	const high = 41;
	document.body.innerHTML = `<div style="height:100vh;overflow:auto"><div style="height:${20000 * high}px"></div></div>`;
	const box = document.body.firstChild;
	const rows = Array.from({ length: 24 }, () => box.firstChild.appendChild(document.createElement("p")));
	const draw = () => {
		const first = Math.floor(box.scrollTop / high);
		rows.forEach((row, i) => {
			row.style = `position:absolute;margin:0;transform:translateY(${(first + i) * high}px)`;
			row.textContent = `computer ${first + i}`;
		});
	};
	box.style.position = "relative";
	box.addEventListener("scroll", draw);
	draw();
};

/** Frames of a second, of when each was. */
const rate = (frames) => (1000 * (frames.length - 1)) / (frames[frames.length - 1] - frames[0]);

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
	const plain = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
	await plain.goto("about:blank");
	await plain.evaluate(bare);
	await plain.waitForTimeout(1000);
	console.log(
		JSON.stringify({
			open: quantile(opened, 0.5),
			frames: rate(frames),
			slowest: quantile(between, 0.99),
			bare: rate(await plain.evaluate(scroll, seconds)),
		}),
	);
} finally {
	await browser.close();
	await world.stop();
}
