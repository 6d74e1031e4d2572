import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Failure } from "../api/client";
import { setLanguage } from "../i18n";
import { FormWrong, Wrong } from "./parts";

const said = (status: number, detail: string, errors: { location: string; message: string }[]) => {
	const { unmount } = render(
		<I18nProvider i18n={i18n}>
			<Wrong reason={new Failure(status, { detail, errors })} />
		</I18nProvider>,
	);
	const text = screen.getByRole("alert").textContent?.replace(/\u00a0/g, " ");
	unmount();
	return text;
};

test("a refused field is named, with what is allowed", async () => {
	const long = [{ location: "body.says", message: "expected length <= 20000" }];
	expect(said(422, "validation failed", long)).toBe("Says: at most 20,000 characters");
	expect(said(422, "validation failed", [{ location: "body.colour", message: "unexpected property" }])).toBe(
		"colour: unexpected property",
	);
	await setLanguage("pl");
	expect(said(422, "validation failed", long)).toBe("Mówi: najwyżej 20 000 znaków");
});

test("a sentence that the console made for a field is not said twice", () => {
	const own = "The beat must be between 5 s and 5 min.";
	expect(said(422, own, [{ location: "body.beat", message: own }])).toBe(own);
	expect(said(422, "Two things are wrong.", [])).toBe("Two things are wrong.");
});

const onTop = (errors: { location: string; message: string }[]) => {
	const { unmount } = render(
		<I18nProvider i18n={i18n}>
			<FormWrong
				reason={new Failure(422, { detail: "validation failed", errors })}
				fields={["title", "storm.machines"]}
			/>
		</I18nProvider>,
	);
	const text = screen.queryByRole("alert")?.textContent;
	unmount();
	return text;
};

test("what a form has no field for is said on top of it, and what it has one for only there", async () => {
	await setLanguage("en");
	const title = { location: "body.title", message: "is odd" };
	const machine = { location: "body.machine_id", message: "is unknown" };
	expect(onTop([title])).toBeUndefined();
	expect(onTop([{ location: "body.storm.machines", message: "is odd" }])).toBeUndefined();
	expect(onTop([machine])).toBe("machine_id: is unknown");
	expect(onTop([title, machine])).toBe("machine_id: is unknown");
	expect(onTop([])).toBe("validation failed");
});

test("where nothing is there is nothing to try again, but a way back; rights may have come meanwhile", () => {
	const page = (status: number, large = true) => {
		const { unmount } = render(
			<I18nProvider i18n={i18n}>
				<MantineProvider>
					<Wrong reason={new Failure(status, {})} retry={() => {}} large={large} />
				</MantineProvider>
			</I18nProvider>,
		);
		const found = [screen.queryByRole("button")?.textContent, screen.queryByRole("link")?.getAttribute("href")];
		unmount();
		return found;
	};
	expect(page(404)).toEqual([undefined, "/"]);
	expect(page(403)).toEqual(["Try again", "/"]);
	expect(page(403, false)).toEqual(["Try again", undefined]);
	expect(page(500)).toEqual(["Try again", undefined]);
});
