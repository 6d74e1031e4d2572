/** Whatever is cut off with “…” has its whole text as a title, unless it was given one. */
const MARK = "titleOfCut";

export function titleCutTexts(document: Document): void {
	document.addEventListener("pointerover", (event) => {
		const place = event.target instanceof Element ? event.target.closest<HTMLElement>(".cut, .cell, .two-lines") : null;
		if (!place || (place.title && !(MARK in place.dataset))) return;
		const cut = place.scrollWidth > place.clientWidth || place.scrollHeight > place.clientHeight + 2;
		if (cut && !place.querySelector("[title]")) {
			place.title = place.textContent?.trim() ?? "";
			place.dataset[MARK] = "";
		} else if (MARK in place.dataset) {
			place.removeAttribute("title");
			delete place.dataset[MARK];
		}
	});
}
