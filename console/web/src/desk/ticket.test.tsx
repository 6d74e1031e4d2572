import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { api } from "../api/client";
import { useTicketsOf } from "./queries";

const around = ({ children }: { children: ReactNode }) => (
	<QueryClientProvider client={new QueryClient()}>{children}</QueryClientProvider>
);

afterEach(() => vi.restoreAllMocks());

test("without an id nobody's tickets are asked for: an empty filter would list everybody's", () => {
	const get = vi.spyOn(api, "GET").mockReturnValue(new Promise(() => {}) as never);
	renderHook(() => useTicketsOf({ requester_id: "" }), { wrapper: around });
	renderHook(() => useTicketsOf({ machine_id: undefined }), { wrapper: around });
	expect(get).not.toHaveBeenCalled();
	renderHook(() => useTicketsOf({ requester_id: "p1" }), { wrapper: around });
	expect(get).toHaveBeenCalledOnce();
});
