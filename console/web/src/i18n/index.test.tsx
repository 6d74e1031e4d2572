import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { act, render } from "@testing-library/react";
import { useMemo } from "react";
import { expect, test } from "vitest";
import { setLanguage, useT } from ".";

function Head() {
	const t = useT();
	return useMemo(() => <b>{t("queue.waits")}</b>, [t]);
}

test("what is made once for a language, such as the heads of a list, is made again for another", async () => {
	await setLanguage("en");
	const { container } = render(
		<I18nProvider i18n={i18n}>
			<Head />
		</I18nProvider>,
	);
	const english = container.textContent;
	await act(() => setLanguage("pl"));
	expect(container.textContent).not.toBe(english);
	await act(() => setLanguage("en"));
	expect(container.textContent).toBe(english);
});
