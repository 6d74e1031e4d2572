/** Sessions that are open at once have different letters, colours and patterns: A, B, C. */
const letters = ["a", "b", "c"] as const;
export type Letter = (typeof letters)[number];
const STORED = "deskside-sessions";

/** The letter of a session: the one it has, else the one that was given away longest ago. */
export function letterOf(id: string): Letter {
	let given: [Letter, string][] = [];
	try {
		given = JSON.parse(localStorage.getItem(STORED) ?? "[]");
	} catch {
		// what cannot be read is begun anew
	}
	const found = given.find(([, session]) => session === id);
	if (found) return found[0];
	const free = letters.find((letter) => !given.some(([taken]) => taken === letter)) ?? given[0]?.[0] ?? "a";
	localStorage.setItem(STORED, JSON.stringify([...given.filter(([taken]) => taken !== free), [free, id]]));
	return free;
}

/** Gives the letter back when a session is over. */
export function freeLetter(id: string): void {
	try {
		const given: [Letter, string][] = JSON.parse(localStorage.getItem(STORED) ?? "[]");
		localStorage.setItem(STORED, JSON.stringify(given.filter(([, session]) => session !== id)));
	} catch {
		// nothing was kept
	}
}
