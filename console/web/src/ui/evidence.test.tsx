import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Evidence } from "./plot";

test("the word of an alert that began at once does not lie over the title", () => {
	const at = Date.parse("2026-11-22T03:21:00Z");
	render(
		<I18nProvider i18n={i18n}>
			<Evidence
				label="Processor"
				unit="1"
				points={[
					[at, 0.9],
					[at + 60_000, 0.95],
				]}
				limits={[]}
				alert={{ at, grade: "warning" }}
			/>
		</I18nProvider>,
	);
	const line = (words: RegExp) => Number(screen.getByText(words).getAttribute("y"));
	expect(line(/^alert /) - line(/^Processor$/)).toBeGreaterThanOrEqual(14);
});
