import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { HelpPage, HelpTicketPage } from "../help/HelpPages";

export function HelpRoute() {
	const { link } = useSearch({ from: "/help" });
	const navigate = useNavigate();
	const signedIn = useCallback(() => void navigate({ to: "/help", search: {}, replace: true }), [navigate]);
	return <HelpPage link={link} signedIn={signedIn} open={(id) => void navigate({ to: "/help/$id", params: { id } })} />;
}

export function HelpTicketRoute() {
	const { id } = useParams({ from: "/help/$id" });
	return <HelpTicketPage key={id} id={id} />;
}
