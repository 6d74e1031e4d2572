/** A one-letter word (w, z, i, o, a, u, I) takes the next word with it to the next line. */
export const keepShortWords = (text: string) => text.replace(/(?<=^|[\s(„“])([aiouwzAIOUWZ]) /g, "$1\u00a0");
