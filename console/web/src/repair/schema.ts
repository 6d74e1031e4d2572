/** Parameters of a script, from the JSON Schema in its manifest, as the fields of a form. */

export type Field = {
	name: string;
	title: string;
	help: string;
	kind: "text" | "number" | "choice" | "yes-no";
	choices: string[];
	required: boolean;
	first: unknown;
	minimum?: number;
	maximum?: number;
	pattern?: string;
};

type Schema = Record<string, unknown>;
const isSchema = (value: unknown): value is Schema =>
	typeof value === "object" && value !== null && !Array.isArray(value);

/** A title may be one text or one for each language. */
function words(value: unknown, language: string, otherwise: string): string {
	if (typeof value === "string") return value;
	if (isSchema(value)) return String(value[language] ?? value.en ?? otherwise);
	return otherwise;
}

export function fieldsOf(parameters: unknown, language: string): Field[] {
	if (!isSchema(parameters) || !isSchema(parameters.properties)) return [];
	const required = Array.isArray(parameters.required) ? parameters.required : [];
	return Object.entries(parameters.properties)
		.filter((entry): entry is [string, Schema] => isSchema(entry[1]))
		.map(([name, schema]) => {
			const choices = Array.isArray(schema.enum) ? schema.enum.map(String) : [];
			const numeric = schema.type === "integer" || schema.type === "number";
			return {
				name,
				title: words(schema.title ?? schema["x-title"], language, name),
				help: words(schema.description ?? schema["x-description"], language, ""),
				kind: choices.length > 0 ? "choice" : schema.type === "boolean" ? "yes-no" : numeric ? "number" : "text",
				choices,
				required: required.includes(name),
				first: schema.default ?? (choices.length > 0 ? choices[0] : schema.type === "boolean" ? false : ""),
				minimum: typeof schema.minimum === "number" ? schema.minimum : undefined,
				maximum: typeof schema.maximum === "number" ? schema.maximum : undefined,
				pattern: typeof schema.pattern === "string" ? schema.pattern : undefined,
			} satisfies Field;
		});
}

/** The values to send: empty fields that nobody needs are left out, numbers are numbers. */
export function valuesOf(fields: Field[], typed: Record<string, unknown>): Record<string, unknown> {
	const values: Record<string, unknown> = {};
	for (const field of fields) {
		const value = typed[field.name] ?? field.first;
		if (value === "" && !field.required) continue;
		values[field.name] = field.kind === "number" && value !== "" ? Number(value) : value;
	}
	return values;
}

/** The names of required fields that are still empty. */
export const missing = (fields: Field[], typed: Record<string, unknown>) =>
	fields.filter((field) => field.required && (typed[field.name] ?? field.first) === "").map((field) => field.name);
