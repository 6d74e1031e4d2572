import { useRouter, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { SignInPage } from "../account/SignInPage";

export function SignInRoute() {
	const router = useRouter();
	const { link, back } = useSearch({ from: "/sign-in" });
	// Only a path of this console: an address from outside would send the person elsewhere.
	const to = back?.startsWith("/") && !back.startsWith("//") ? back : "/";
	const done = useCallback(() => router.history.replace(to), [router, to]);
	return <SignInPage link={link} done={done} />;
}
