// Runs before the first paint, so that a dark page does not flash white.
(() => {
	let wish = "auto";
	try {
		wish = localStorage.getItem("deskside-theme") || "auto";
	} catch {
		// no storage: follow the system
	}
	const dark = wish === "dark" || (wish !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
	document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
