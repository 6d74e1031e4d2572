import { readFileSync } from "node:fs";
import { join } from "node:path";
import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { cleanup, render } from "@testing-library/react";
import { expect, test } from "vitest";
import { setLanguage } from "../i18n";
import { Refusal } from "./refusal";

const source = readFileSync(join(import.meta.dirname, "../../../../protocol/refusal.go"), "utf8");
const atTheGate = source.slice(source.indexOf("At the gate"));
const codes = [...atTheGate.matchAll(/= "(\w+)"/g)].map(([, code]) => code as string);

const said = (code: string, text = "") => {
	cleanup();
	render(
		<I18nProvider i18n={i18n}>
			<Refusal of={{ code, text }} />
		</I18nProvider>,
	);
	return document.body.textContent;
};

test.each(["en", "pl"] as const)("each code of a machine's gate has a sentence (%s)", async (language) => {
	await setLanguage(language);
	const other = said("of another time");
	expect(codes.length).toBeGreaterThan(15);
	const sentences = new Set([...codes, "busy", "malformed", "revoked", "forbidden"].map((code) => said(code)));
	expect(sentences.size).toBe(codes.length + 4);
	expect(sentences).not.toContain(other);
});

test("what the machine itself said stands below", async () => {
	await setLanguage("pl");
	expect(said("policy", "This machine's policy does not allow a terminal.")).toMatch(/Zasady.*policy does not allow/);
});
