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

test("a last value at the top stands beside the line of an alert that has just begun, not on it", () => {
	const at = Date.parse("2026-11-22T13:43:00Z");
	const points: [number, number][] = Array.from({ length: 60 }, (_, i) => [
		at - (59 - i) * 60_000,
		i < 55 ? 0.4 : 0.99,
	]);
	const { container } = render(
		<I18nProvider i18n={i18n}>
			<Evidence
				label="Processor"
				unit="1"
				points={points}
				limits={[]}
				alert={{ at: at - 120_000, grade: "critical" }}
			/>
		</I18nProvider>,
	);
	const now = screen.getByText(/99/);
	const marker = container.querySelector("line.plot-limit.critical");
	expect(now.getAttribute("text-anchor")).toBe("end");
	expect(Number(now.getAttribute("x"))).toBeLessThan(Number(marker?.getAttribute("x1")));
});
