import { cleanup } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach } from "vitest";
import { setLanguage } from "../i18n";

beforeAll(() => setLanguage("en"));
beforeEach(async () => {
	localStorage.clear();
	await setLanguage("en");
});
afterEach(cleanup);
