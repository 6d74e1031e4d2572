import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "../api/client";
import type { CanWork } from "../api/types";
import { language } from "../i18n";

export function useHelp(on: boolean) {
	return useQuery({
		queryKey: ["help"],
		queryFn: () => call(api.GET("/help")),
		enabled: on,
		refetchInterval: 15_000,
		retry: 1,
	});
}

export function useHelpSignIn() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (link: string) => call(api.POST("/help/sign-in", { body: { link, language: language() } })),
		onSuccess: () => client.invalidateQueries({ queryKey: ["help"] }),
	});
}

export function useAskForHelp() {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (body: { says: string; can_work: CanWork }) => call(api.POST("/help/tickets", { body })),
		onSuccess: (ticket) => {
			client.setQueryData(["help", "ticket", ticket.id], ticket);
			void client.invalidateQueries({ queryKey: ["help"], exact: true });
		},
	});
}

export function useHelpTicket(id: string) {
	return useQuery({
		queryKey: ["help", "ticket", id],
		queryFn: () => call(api.GET("/help/tickets/{id}", { params: { path: { id } } })),
		refetchInterval: 10_000,
	});
}

/** Says that a resolved ticket is well: it is finished then. */
export function useWorks(id: string) {
	const client = useQueryClient();
	return useMutation({
		mutationFn: () => call(api.POST("/help/tickets/{id}/works", { params: { path: { id } } })),
		onSuccess: (ticket) => {
			client.setQueryData(["help", "ticket", id], ticket);
			void client.invalidateQueries({ queryKey: ["help"], exact: true });
		},
	});
}

export function useAnswer(id: string) {
	const client = useQueryClient();
	return useMutation({
		mutationFn: (text: string) =>
			call(api.POST("/help/tickets/{id}/messages", { params: { path: { id } }, body: { text } })),
		onSuccess: () => client.invalidateQueries({ queryKey: ["help"] }),
	});
}
