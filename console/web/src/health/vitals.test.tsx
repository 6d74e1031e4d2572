import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { Machine } from "../api/types";
import { FIRST_READING, NowBars } from "./Vitals";

afterEach(() => vi.useRealTimers());

const draw = (presence: Machine["presence"]) => {
	const client = new QueryClient({ defaultOptions: { queries: { enabled: false } } });
	client.setQueryData(["vitals", "m1", "hour"], { series: [] });
	render(
		<QueryClientProvider client={client}>
			<I18nProvider i18n={i18n}>
				<NowBars machine={{ id: "m1", presence } as Machine} />
			</I18nProvider>
		</QueryClientProvider>,
	);
};

test("a value that may still come is not said to be unread", () => {
	vi.useFakeTimers();
	draw("online");
	expect(screen.getAllByText("…")).toHaveLength(3);
	act(() => vi.advanceTimersByTime(FIRST_READING - 1));
	expect(screen.queryByText("not read")).toBeNull();
	act(() => vi.advanceTimersByTime(1));
	expect(screen.getAllByText("not read")).toHaveLength(3);
	cleanup();
	draw("offline");
	expect(screen.getAllByText("not read")).toHaveLength(3);
});
