import "./tokens.css";
import "./mantine.css";
import "./base.css";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { newQueryClient } from "./api/cache";
import { onSignedOut } from "./api/client";
import { newRouter, Providers } from "./app";
import { firstLanguage, setLanguage } from "./i18n";
import { titleCutTexts } from "./ui/cut";

const client = newQueryClient();
const router = newRouter(client);
onSignedOut(() => {
	// The frame asks who is signed in, hears nobody, and goes to the sign-in page.
	if (client.getQueryData(["me"])) void client.resetQueries({ queryKey: ["me"] });
});

titleCutTexts(document);
await setLanguage(firstLanguage());
createRoot(document.getElementById("root") as HTMLElement).render(
	<StrictMode>
		<Providers client={client}>
			<RouterProvider router={router} />
		</Providers>
	</StrictMode>,
);
