/** A field whose letters are looked up at the console; what was found is chosen by arrows and Enter, or by pointer. */
import { TextInput } from "@mantine/core";
import { type ReactNode, useId, useState } from "react";

type Props<T> = {
	label: string;
	placeholder: string;
	text: string;
	onText: (text: string) => void;
	/** What was found for the text; nothing while it is not asked for. */
	choices: T[];
	keyOf: (choice: T) => string;
	line: (choice: T) => ReactNode;
	/** Told by Enter too when there is nothing to choose from. */
	choose: (choice: T | undefined) => void;
	error?: string;
	autoFocus?: boolean;
};

export function FindField<T>({
	label,
	placeholder,
	text,
	onText,
	choices,
	keyOf,
	line,
	choose,
	error,
	autoFocus,
}: Props<T>) {
	const [at, setAt] = useState(0);
	const [open, setOpen] = useState(false);
	const list = useId();
	const current = Math.min(at, choices.length - 1);
	const shown = open && choices.length > 0;
	const take = (choice: T | undefined) => {
		setOpen(false);
		choose(choice);
	};
	return (
		<div className="who-field">
			<TextInput
				label={label}
				value={text}
				error={error}
				autoFocus={autoFocus}
				data-autofocus={autoFocus || undefined}
				autoComplete="off"
				role="combobox"
				aria-expanded={shown}
				aria-controls={list}
				aria-activedescendant={shown ? `${list}-${current}` : undefined}
				placeholder={placeholder}
				onChange={(event) => {
					onText(event.currentTarget.value);
					setOpen(true);
					setAt(0);
				}}
				onKeyDown={(event) => {
					const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
					if (step && shown) {
						event.preventDefault();
						setAt((current + step + choices.length) % choices.length);
					}
					if (event.key === "Enter" && !event.ctrlKey) {
						event.preventDefault();
						take(shown ? choices[current] : undefined);
					}
				}}
			/>
			{shown && (
				<div className="who-found" id={list} role="listbox" aria-label={label}>
					{choices.map((choice, i) => (
						// biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
						<div
							key={keyOf(choice)}
							id={`${list}-${i}`}
							role="option"
							aria-selected={i === current}
							tabIndex={-1}
							onPointerMove={() => setAt(i)}
							onClick={() => take(choice)}
						>
							{line(choice)}
						</div>
					))}
				</div>
			)}
		</div>
	);
}
