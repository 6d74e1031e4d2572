/**
 * The application: the routes, and what lies over them. Only this file knows all
 * features; it hands the parts of one to the pages of another.
 */
import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { localStorageColorSchemeManager, MantineProvider, useMantineColorScheme } from "@mantine/core";
import { type QueryClient, QueryClientProvider, useQueryClient } from "@tanstack/react-query";
import {
	createRootRouteWithContext,
	createRoute,
	createRouter,
	Link,
	lazyRouteComponent,
	Outlet,
	redirect,
	useLocation,
	useNavigate,
} from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { useSignedIn, useSignOut } from "./account/queries";
import { type Acts, ActsContext, type ConnectWish, type RunWish, type TicketWish } from "./api/acts";
import { apply } from "./api/cache";
import { Failure } from "./api/client";
import { live } from "./api/live";
import { MeContext, useCan } from "./api/me";
import type { Health, Me } from "./api/types";
import { useTicketCounts, type View } from "./desk/queries";
import { Frame } from "./frame/Frame";
import type { Action } from "./frame/Palette";
import { language, setLanguage, useT } from "./i18n";
import { cssVariables, theme } from "./theme";
import { Boundary } from "./ui/boundary";
import { setOverlaid } from "./ui/keyboard";
import { Bones, isNothing, Wrong } from "./ui/parts";

const loadPalette = () => import("./frame/Palette");
const Palette = lazy(() => loadPalette().then((m) => ({ default: m.Palette })));
const KeysHelp = lazy(() => import("./frame/KeysHelp").then((m) => ({ default: m.KeysHelp })));
const RunDialog = lazy(() => import("./repair/RunDialog").then((m) => ({ default: m.RunDialog })));
const ConnectDialog = lazy(() => import("./session/ConnectDialog").then((m) => ({ default: m.ConnectDialog })));
const CallNote = lazy(() => import("./desk/CallNote").then((m) => ({ default: m.CallNote })));
const NewTicket = lazy(() => import("./desk/NewTicket").then((m) => ({ default: m.NewTicket })));

type Over =
	| { run: RunWish }
	| { connect: ConnectWish }
	| { ticket: TicketWish }
	| { palette: string }
	| "call"
	| "keys"
	| null;

/** Goes to the sign-in page once, with the address that was wanted; that address changes on the way. */
function ToSignIn({ back }: { back: string }) {
	const navigate = useNavigate();
	const [wanted] = useState(back);
	useEffect(() => {
		void navigate({ to: "/sign-in", search: { back: wanted }, replace: true });
	}, [navigate, wanted]);
	return null;
}

/** What a console page needs: the person, the live events, and the dialogs that may lie over it. */
function Shell() {
	const t = useT();
	const me = useSignedIn();
	const location = useLocation();
	if (me.error instanceof Failure && me.error.status === 401) return <ToSignIn back={location.href} />;
	// A refetch that failed takes nothing away: a terminal would not survive it.
	if (me.error && !me.data) return <Wrong reason={me.error} retry={() => void me.refetch()} large />;
	if (!me.data)
		return (
			<div className="page-head" role="status" aria-label={t("wait.loading")}>
				<Bones lines={3} />
			</div>
		);
	return (
		<MeContext.Provider value={me.data}>
			<Console me={me.data} path={location.pathname} />
		</MeContext.Provider>
	);
}

function useLiveCache(): void {
	const client = useQueryClient();
	useEffect(() => {
		const stop = live.onChanges((changes) => apply(client, changes));
		live.start();
		return () => {
			stop();
			live.stop();
		};
	}, [client]);
}

function Console({ me, path }: { me: Me; path: string }) {
	const can = useCan();
	const navigate = useNavigate();
	const client = useQueryClient();
	const signOut = useSignOut();
	const counts = useTicketCounts(can("ticket.read"));
	const { setColorScheme } = useMantineColorScheme();
	const [over, setOver] = useState<Over>(null);
	useLiveCache();
	useEffect(() => setOverlaid(over !== null), [over]);
	useEffect(() => {
		// Whoever presses Ctrl K types on at once: the palette must be here by then.
		const timer = setTimeout(() => void loadPalette().catch(() => {}), 500);
		return () => clearTimeout(timer);
	}, []);
	useEffect(() => {
		setColorScheme(me.theme);
		if (me.language !== language()) void setLanguage(me.language);
	}, [me.theme, me.language, setColorScheme]);
	const acts = useMemo<Acts>(
		() => ({
			run: (run) => setOver({ run }),
			connect: (connect) => setOver({ connect }),
			ticket: (ticket = {}) => setOver({ ticket }),
			call: () => setOver("call"),
			palette: (first = "") => setOver({ palette: first }),
			keys: () => setOver("keys"),
		}),
		[],
	);
	const leave = () =>
		signOut.mutate(undefined, {
			onSettled: () => {
				live.stop();
				client.clear();
				void navigate({ to: "/sign-in" });
			},
		});
	return (
		<ActsContext.Provider value={acts}>
			<Frame path={path} openTickets={counts.data?.mine} signOut={leave}>
				<Suspense fallback={null}>
					<Outlet />
				</Suspense>
			</Frame>
			{over && (
				<Boundary failed={() => setOver(null)}>
					<Suspense fallback={null}>
						<Overlay over={over} close={() => setOver(null)} acts={acts} signOut={leave} />
					</Suspense>
				</Boundary>
			)}
		</ActsContext.Provider>
	);
}

function Overlay({
	over,
	close,
	acts,
	signOut,
}: {
	over: Exclude<Over, null>;
	close: () => void;
	acts: Acts;
	signOut: () => void;
}) {
	const can = useCan();
	const navigate = useNavigate();
	const toTicket = (id: string) => void navigate({ to: "/tickets/$id", params: { id } });
	if (over === "keys") return <KeysHelp close={close} />;
	if (over === "call") return <CallNote close={close} open={toTicket} />;
	if ("run" in over) return <RunDialog wish={over.run} close={close} />;
	if ("connect" in over)
		return (
			<ConnectDialog
				wish={over.connect}
				close={close}
				open={(id) => void navigate({ to: "/sessions/$id", params: { id } })}
			/>
		);
	if ("ticket" in over) return <NewTicket {...over.ticket} close={close} open={toTicket} />;
	const writes = can("ticket.write");
	const actions: Action[] = [
		...(writes
			? ([
					{ word: "frame.call", icon: "call", kbd: "c", run: acts.call },
					{ word: "act.new_ticket", icon: "plus", kbd: "n", run: () => acts.ticket() },
				] as const)
			: []),
		{
			word: "nav.queue",
			icon: "queue",
			kbd: "g q",
			run: () => void navigate({ to: "/queue/$view", params: { view: "mine" } }),
		},
		{ word: "nav.computers", icon: "computer", kbd: "g c", run: () => void navigate({ to: "/computers" }) },
		...(can("question.ask")
			? ([{ word: "ask.title", icon: "search", run: () => void navigate({ to: "/computers/ask" }) }] as const)
			: []),
		{ word: "groups.title", icon: "computer", run: () => void navigate({ to: "/computers/groups" }) },
		{ word: "nav.repairs", icon: "repair", kbd: "g r", run: () => void navigate({ to: "/repairs" }) },
		...(can("machine.enrol")
			? ([
					{
						word: "settings.enrol",
						icon: "plus",
						run: () => void navigate({ to: "/settings/$part", params: { part: "enrol" } }),
					},
				] as const)
			: []),
		{ word: "nav.settings", icon: "settings", kbd: "g s", run: () => void navigate({ to: "/settings" }) },
		{ word: "key.help", icon: "more", kbd: "?", run: acts.keys },
		{ word: "act.sign_out", icon: "out", run: signOut },
	];
	return (
		<Palette
			first={over.palette}
			actions={actions}
			close={close}
			newTicket={writes ? (says) => acts.ticket({ says }) : undefined}
			go={(to) => {
				if ("ticket" in to) toTicket(to.ticket);
				else if ("machine" in to) void navigate({ to: "/computers/$id", params: { id: to.machine } });
				else void navigate({ to: "/queue/$view", params: { view: "open" }, search: { q: to.person } });
			}}
		/>
	);
}

/** A page that is not there, or stopped working: why, and the way back. */
function Lost({ reason }: { reason: unknown }) {
	const t = useT();
	return (
		<main>
			<Wrong reason={reason} large />
			{!isNothing(reason) && (
				<p className="empty large">
					<Link to="/" className="link">
						{t("act.to_queue")}
					</Link>
				</p>
			)}
		</main>
	);
}

const root = createRootRouteWithContext<{ client: QueryClient }>()({
	component: Outlet,
	notFoundComponent: () => <Lost reason={new Failure(404, {})} />,
	errorComponent: ({ error }) => <Lost reason={error} />,
});
const shell = createRoute({ getParentRoute: () => root, id: "console", component: Shell });

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
const oneOf = <T extends string>(value: unknown, allowed: readonly T[]) => allowed.find((one) => one === value);

/** An order that lists can have, or the other way round; what else an address says is not asked for. */
const sortOf = (value: unknown, by: readonly string[]) => oneOf(value, [...by, ...by.map((one) => `-${one}`)]);

const home = createRoute({
	getParentRoute: () => shell,
	path: "/",
	beforeLoad: () => redirect({ to: "/queue/$view", params: { view: "mine" }, throw: true }),
});

const signIn = createRoute({
	getParentRoute: () => root,
	path: "/sign-in",
	validateSearch: (search: Record<string, unknown>): { link?: string; back?: string } => ({
		link: text(search.link),
		back: text(search.back),
	}),
	component: lazyRouteComponent(() => import("./pages/sign-in"), "SignInRoute"),
});

export const queueViews = ["mine", "unassigned", "open", "waiting", "done"] as const satisfies View[];
const queue = createRoute({
	getParentRoute: () => shell,
	path: "/queue/$view",
	params: {
		parse: ({ view }) => ({ view: oneOf(view, queueViews) ?? ("mine" as const) }),
		stringify: ({ view }) => ({ view }),
	},
	validateSearch: (search: Record<string, unknown>): { q?: string; sort?: string } => ({
		q: text(search.q),
		sort: sortOf(search.sort, ["turn", "priority", "created_at", "updated_at", "number"]),
	}),
	component: lazyRouteComponent(() => import("./pages/queue"), "QueueRoute"),
});
const queueHome = createRoute({
	getParentRoute: () => shell,
	path: "/queue",
	beforeLoad: () => redirect({ to: "/queue/$view", params: { view: "mine" }, throw: true }),
});
const ticket = createRoute({
	getParentRoute: () => shell,
	path: "/tickets/$id",
	component: lazyRouteComponent(() => import("./pages/ticket"), "TicketRoute"),
});

const grades = ["ok", "warning", "critical", "unknown"] as const satisfies Health[];
const computers = createRoute({
	getParentRoute: () => shell,
	path: "/computers",
	validateSearch: (
		search: Record<string, unknown>,
	): { q?: string; presence?: "online" | "offline"; health?: Health; group?: string; sort?: string } => ({
		q: text(search.q),
		presence: oneOf(search.presence, ["online", "offline"] as const),
		health: oneOf(search.health, grades),
		group: text(search.group),
		sort: sortOf(search.sort, ["health", "name", "last_seen_at", "open_alerts"]),
	}),
	component: lazyRouteComponent(() => import("./pages/computers"), "ComputersRoute"),
});
const ask = createRoute({
	getParentRoute: () => shell,
	path: "/computers/ask",
	validateSearch: (search: Record<string, unknown>): { e?: string; question?: string; group?: string } => ({
		e: text(search.e),
		group: text(search.group),
		question: text(search.question),
	}),
	component: lazyRouteComponent(() => import("./pages/ask"), "AskRoute"),
});
const groups = createRoute({
	getParentRoute: () => shell,
	path: "/computers/groups",
	validateSearch: (search: Record<string, unknown>): { group?: string } => ({ group: text(search.group) }),
	component: lazyRouteComponent(() => import("./pages/groups"), "GroupsRoute"),
});
const machine = createRoute({
	getParentRoute: () => shell,
	path: "/computers/$id",
	component: lazyRouteComponent(() => import("./pages/machine"), "MachineRoute"),
});
const repairs = createRoute({
	getParentRoute: () => shell,
	path: "/repairs",
	component: lazyRouteComponent(() => import("./pages/repairs"), "RepairsRoute"),
});
const session = createRoute({
	getParentRoute: () => shell,
	path: "/sessions/$id",
	component: lazyRouteComponent(() => import("./pages/session"), "SessionRoute"),
});
const replay = createRoute({
	getParentRoute: () => shell,
	path: "/sessions/$id/replay",
	component: lazyRouteComponent(() => import("./pages/session"), "ReplayRoute"),
});
const settingsHome = createRoute({
	getParentRoute: () => shell,
	path: "/settings",
	beforeLoad: () => redirect({ to: "/settings/$part", params: { part: "mine" }, throw: true }),
});
const settings = createRoute({
	getParentRoute: () => shell,
	path: "/settings/$part",
	component: lazyRouteComponent(() => import("./pages/settings"), "SettingsRoute"),
});

const help = createRoute({
	getParentRoute: () => root,
	path: "/help",
	validateSearch: (search: Record<string, unknown>): { link?: string } => ({ link: text(search.link) }),
	component: lazyRouteComponent(() => import("./pages/help"), "HelpRoute"),
});
const helpTicket = createRoute({
	getParentRoute: () => root,
	path: "/help/$id",
	component: lazyRouteComponent(() => import("./pages/help"), "HelpTicketRoute"),
});

const tree = root.addChildren([
	signIn,
	help,
	helpTicket,
	shell.addChildren([
		home,
		queueHome,
		queue,
		ticket,
		computers,
		ask,
		groups,
		machine,
		repairs,
		session,
		replay,
		settingsHome,
		settings,
	]),
]);

export function newRouter(client: QueryClient) {
	return createRouter({
		routeTree: tree,
		context: { client },
		defaultPreload: "intent",
		scrollRestoration: true,
		defaultPendingMs: 300,
	});
}

declare module "@tanstack/react-router" {
	interface Register {
		router: ReturnType<typeof newRouter>;
	}
}

const schemes = localStorageColorSchemeManager({ key: "deskside-theme" });

/** Everything below needs: theme, queries, language. */
export function Providers({ client, children }: { client: QueryClient; children: React.ReactNode }) {
	return (
		<QueryClientProvider client={client}>
			<MantineProvider
				theme={theme}
				cssVariablesResolver={cssVariables}
				defaultColorScheme="auto"
				colorSchemeManager={schemes}
			>
				<I18nProvider i18n={i18n}>{children}</I18nProvider>
			</MantineProvider>
		</QueryClientProvider>
	);
}
