/** The browser of the tests and of the pictures: Debian's Chromium, which calls nobody. */
import { chromium } from "playwright-core";

export const launch = () =>
	chromium.launch({
		executablePath: "/usr/bin/chromium",
		args: [
			"--no-sandbox",
			"--disable-gpu",
			"--disable-quic",
			"--no-first-run",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
		],
	});
