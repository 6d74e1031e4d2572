import { QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { expect, test, vi } from "vitest";
import { newQueryClient } from "../api/cache";
import { api } from "../api/client";
import { useRun, useStartRun } from "./queries";

const answer = (state: string) => ({ data: { id: "r1", state, ticket_id: null }, response: new Response() }) as never;

function Starter() {
	const [id, setId] = useState<string>();
	const start = useStartRun();
	const run = useRun(id);
	const wish = { key: "k", script: "free-disk-space", machine_id: "m1", parameters: {}, dry_run: true };
	return (
		<button type="button" onClick={() => start.mutate(wish, { onSuccess: (started) => setId(started.id) })}>
			{run.data?.state ?? "start"}
		</button>
	);
}

// Of a script that takes no time it is told that it ended before it is answered that it waits.
test("a run that ended before its start was answered is not shown as waiting", async () => {
	vi.spyOn(api, "POST").mockResolvedValue(answer("queued"));
	vi.spyOn(api, "GET").mockResolvedValue(answer("succeeded"));
	render(
		<QueryClientProvider client={newQueryClient()}>
			<Starter />
		</QueryClientProvider>,
	);
	fireEvent.click(screen.getByRole("button"));
	expect(await screen.findByText("succeeded")).toBeTruthy();
});
