import { NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { useT } from "../i18n";
import { number } from "../i18n/format";
import type { Field } from "./schema";

type Props = {
	fields: Field[];
	typed: Record<string, unknown>;
	set: (name: string, value: unknown) => void;
	wrong: Record<string, string>;
};

/** The fields of a script's parameters, with their limits beside them. */
export function Parameters({ fields, typed, set, wrong }: Props) {
	return fields.map((field) => (
		<div className="run-field" key={field.name}>
			<dt>
				<label htmlFor={`p-${field.name}`}>{field.title}</label>
			</dt>
			<dd>
				<Input
					field={field}
					value={typed[field.name] ?? field.first}
					set={(value) => set(field.name, value)}
					wrong={wrong[field.name]}
				/>
				<Help field={field} />
			</dd>
		</div>
	));
}

function Input({
	field,
	value,
	set,
	wrong,
}: {
	field: Field;
	value: unknown;
	set: (value: unknown) => void;
	wrong?: string;
}) {
	const t = useT();
	const id = `p-${field.name}`;
	if (field.kind === "choice")
		return <Select id={id} w={220} value={String(value)} data={field.choices} onChange={set} error={wrong} />;
	if (field.kind === "yes-no")
		return (
			<Switch
				id={id}
				checked={value === true}
				onChange={(event) => set(event.currentTarget.checked)}
				label={t(value === true ? "answer.yes" : "answer.no")}
			/>
		);
	if (field.kind === "number")
		return (
			<NumberInput
				id={id}
				w={120}
				value={value === "" ? "" : Number(value)}
				min={field.minimum}
				max={field.maximum}
				clampBehavior="none"
				onChange={set}
				error={wrong}
			/>
		);
	return (
		<TextInput
			id={id}
			value={String(value)}
			onChange={(event) => set(event.currentTarget.value)}
			error={wrong}
			spellCheck={false}
		/>
	);
}

function Help({ field }: { field: Field }) {
	const t = useT();
	const limits =
		field.minimum !== undefined && field.maximum !== undefined
			? t("run.between", { from: number(field.minimum), to: number(field.maximum) })
			: field.minimum !== undefined
				? t("run.at_least", { n: number(field.minimum) })
				: field.maximum !== undefined
					? t("run.at_most", { n: number(field.maximum) })
					: "";
	const said = [field.help, limits].filter(Boolean).join(" · ");
	return said ? <p className="sub">{said}</p> : null;
}
