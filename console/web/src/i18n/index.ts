/**
 * Language: every sentence has an id and stands in en.json and pl.json, side by
 * side. Texts that the console sends in both languages are chosen by `pick`.
 */
import { i18n, type Messages } from "@lingui/core";
import { useLingui } from "@lingui/react";
import type en from "./en.json";
import { keepShortWords } from "./short";

export type MessageId = keyof typeof en;
export type Language = "en" | "pl";
export type Values = Record<string, string | number>;
export type Translate = (id: MessageId, values?: Values) => string;
export type Text = { en: string; pl: string };

/** The locale whose numbers and dates a language uses: 24 hours, day before month. */
export const locales: Record<Language, string> = { en: "en-GB", pl: "pl-PL" };

const catalogues: Record<Language, () => Promise<{ default: Messages }>> = {
	en: () => import("virtual:catalogue/en"),
	pl: () => import("virtual:catalogue/pl"),
};

const STORED = "deskside-language";

/** The language to begin with, before anybody has signed in. */
export function firstLanguage(): Language {
	const stored = localStorage.getItem(STORED);
	if (stored === "en" || stored === "pl") return stored;
	return navigator.language.toLowerCase().startsWith("pl") ? "pl" : "en";
}

export async function setLanguage(language: Language): Promise<void> {
	const { default: messages } = await catalogues[language]();
	i18n.loadAndActivate({ locale: language, locales: [locales[language]], messages });
	document.documentElement.lang = language;
	localStorage.setItem(STORED, language);
}

/** Translates outside of components. The language is the one that is active at the call. */
export const translate: Translate = (id, values) => i18n._(id, values);

export function language(): Language {
	return i18n.locale === "pl" ? "pl" : "en";
}

const translators: Record<Language, Translate> = {
	en: (...said) => translate(...said),
	pl: (...said) => translate(...said),
};

/**
 * The translation function: another one for another language, so that what is kept for
 * as long as it stays the same is made again when the language changes.
 */
export function useT(): Translate {
	useLingui();
	return translators[language()];
}

/** The reader's side of a text that the console sends in both languages. */
export function pick(text: Text | null | undefined): string {
	return text ? keepShortWords(text[language()] || text.en) : "";
}

/** Sorts and finds Polish letters as Polish does (ą after a), whatever the language on screen. */
export const collator = new Intl.Collator(["pl", "en"], { sensitivity: "base", numeric: true });
