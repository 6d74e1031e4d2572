/**
 * What must stay on one line: a one-letter word (w, z, i, o, a, u, I) with the word
 * after it, and a number with its unit.
 */
export const keepShortWords = (text: string) =>
	text
		.replace(/(?<=^|[\s(„“])([aiouwzAIOUWZ]) /g, "$1\u00a0")
		.replace(/(\d) (?=([KMGTP]?B|[kMG]b\/s|min|godz|dni|h|s)(?!\p{L}))/gu, "$1\u00a0");
