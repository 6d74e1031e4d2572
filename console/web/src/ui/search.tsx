/** The field that narrows a list: what is typed reaches the console after a pause; `/` goes into it. */
import { TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useT } from "../i18n";
import { Icon } from "./icons";
import { useKeys } from "./keyboard";

const PAUSE = 200;

type Props = { value: string; onChange: (q: string) => void; placeholder?: string; className?: string };

export function SearchField({ value, onChange, placeholder, className = "" }: Props) {
	const t = useT();
	const field = useRef<HTMLInputElement>(null);
	const [typed, setTyped] = useState(value);
	const wait = useRef<ReturnType<typeof setTimeout>>(undefined);
	// What is being typed is not taken back by an answer to what was typed before.
	useEffect(() => setTyped((now) => (now.trim() === value ? now : value)), [value]);
	useEffect(() => () => clearTimeout(wait.current), []);
	useKeys([{ keys: "/", does: "key.filter", run: () => field.current?.focus() }]);
	return (
		<TextInput
			ref={field}
			className={`search-field ${className}`}
			type="search"
			aria-label={t("act.filter")}
			placeholder={placeholder ?? t("act.filter")}
			leftSection={<Icon name="search" />}
			rightSection={typed === "" && <kbd>/</kbd>}
			rightSectionPointerEvents="none"
			value={typed}
			onKeyDown={(event) => event.key === "Escape" && field.current?.blur()}
			onChange={(event) => {
				const next = event.currentTarget.value;
				setTyped(next);
				clearTimeout(wait.current);
				wait.current = setTimeout(() => onChange(next.trim()), PAUSE);
			}}
		/>
	);
}
