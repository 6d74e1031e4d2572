import { useCallback, useState } from "react";

/** Text that survives leaving the page, a crash and a lost connection: it is kept in this browser until it is sent. */
export function useDraft(key: string): [string, (text: string) => void] {
	const place = `deskside-draft ${key}`;
	const [text, setText] = useState(() => localStorage.getItem(place) ?? "");
	const write = useCallback(
		(next: string) => {
			setText(next);
			if (next) localStorage.setItem(place, next);
			else localStorage.removeItem(place);
		},
		[place],
	);
	return [text, write];
}
