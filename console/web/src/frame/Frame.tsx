/** The frame around every page of the console: head, side bar, and below 700 px the bar at the bottom. */
import { Menu } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useActs } from "../api/acts";
import { useLiveStatus } from "../api/live";
import { useCan, useMe } from "../api/me";
import { type MessageId, useT } from "../i18n";
import { number } from "../i18n/format";
import { Icon, type IconName, Logo } from "../ui/icons";
import { useKeys } from "../ui/keyboard";
import { Notices } from "../ui/notices";
import { Btn, Face } from "../ui/parts";
import "./frame.css";

const places = [
	{ to: "/queue", under: "/queue", icon: "queue", word: "nav.queue", right: "ticket.read" },
	{ to: "/computers", under: "/computers", icon: "computer", word: "nav.computers", right: "machine.read" },
	{ to: "/repairs", under: "/repairs", icon: "repair", word: "nav.repairs", right: "machine.read" },
] as const satisfies readonly { to: string; under: string; icon: IconName; word: MessageId; right: string }[];

export type FrameProps = { children: ReactNode; path: string; openTickets?: number; signOut: () => void };

export function Frame({ children, path, openTickets, signOut }: FrameProps) {
	const t = useT();
	const me = useMe();
	const can = useCan();
	const acts = useActs();
	const navigate = useNavigate();
	useKeys([
		{ keys: "Ctrl k", does: "key.palette", run: () => acts.palette(), inFields: true },
		{ keys: "?", does: "key.help", run: () => acts.keys() },
		{ keys: "g q", does: "key.queue", run: () => navigate({ to: "/queue/$view", params: { view: "mine" } }) },
		{ keys: "g c", does: "key.computers", run: () => navigate({ to: "/computers" }) },
		{ keys: "g r", does: "key.repairs", run: () => navigate({ to: "/repairs" }) },
		{ keys: "g s", does: "key.settings", run: () => navigate({ to: "/settings" }) },
		...(can("ticket.write")
			? [
					{ keys: "c", does: "key.call" as const, run: () => acts.call() },
					{ keys: "n", does: "key.new" as const, run: () => acts.ticket() },
				]
			: []),
	]);
	const here = (under: string) => (path === under || path.startsWith(`${under}/`) ? ("page" as const) : undefined);
	const inQueue = here("/queue") ?? here("/tickets");
	const inComputers = here("/computers") ?? here("/sessions");
	return (
		<div className="app">
			<a className="skip" href="#main">
				{t("frame.skip")}
			</a>
			<header className="head">
				<Link to="/queue/$view" params={{ view: "mine" }} className="brand">
					<Logo />
					Deskside
				</Link>
				<div className="top">
					<button type="button" className="top-search not-narrow" onClick={() => acts.palette()}>
						<Icon name="search" />
						<span className="grow cut">{t("frame.search")}</span>
						<kbd>Ctrl K</kbd>
					</button>
					<span className="grow" />
					{can("ticket.write") && (
						<span className="line not-narrow">
							<Btn kind="bare" icon="call" kbd="c" onClick={() => acts.call()}>
								{t("frame.call")}
							</Btn>
							<Btn icon="plus" kbd="n" onClick={() => acts.ticket()}>
								{t("frame.new")}
							</Btn>
						</span>
					)}
					<button
						type="button"
						className="tool only-narrow"
						aria-label={t("frame.search")}
						onClick={() => acts.palette()}
					>
						<Icon name="search" />
					</button>
					<Menu position="bottom-end" width={220}>
						<Menu.Target>
							<button type="button" className="plain me">
								<Face name={me.display_name} />
								<span className="out-of-sight">{t("frame.me", { name: me.display_name })}</span>
							</button>
						</Menu.Target>
						<Menu.Dropdown>
							<Menu.Label>
								{me.display_name} · {me.organisation.name}
							</Menu.Label>
							<Menu.Item component={Link} to="/settings">
								{t("settings.mine")}
							</Menu.Item>
							<Menu.Item onClick={() => acts.keys()} rightSection={<kbd>?</kbd>}>
								{t("key.help")}
							</Menu.Item>
							<Menu.Divider />
							<Menu.Item onClick={signOut}>{t("act.sign_out")}</Menu.Item>
							<Menu.Label>Deskside {me.version}</Menu.Label>
						</Menu.Dropdown>
					</Menu>
				</div>
			</header>
			<nav className="side" aria-label={t("frame.places")}>
				{places
					.filter((place) => can(place.right))
					.map((place) => (
						<Link
							key={place.to}
							to={place.to}
							aria-current={
								place.under === "/queue" ? inQueue : place.under === "/computers" ? inComputers : here(place.under)
							}
							className={place.under === "/repairs" ? "not-narrow" : undefined}
						>
							<Icon name={place.icon} />
							<span className="cut">{t(place.word)}</span>
							{place.under === "/queue" && !!openTickets && (
								<span className="n" title={t("frame.open_tickets", { n: openTickets })}>
									{number(openTickets)}
								</span>
							)}
						</Link>
					))}
				{can("ticket.write") && (
					<button type="button" className="only-narrow" onClick={() => acts.call()}>
						<Icon name="call" />
						<span className="cut">{t("frame.call")}</span>
					</button>
				)}
				<Link to="/settings" aria-current={here("/settings")} className="foot not-narrow">
					<Icon name="settings" />
					<span className="cut">{t("nav.settings")}</span>
				</Link>
				<Link to="/settings" aria-current={here("/settings") ?? here("/repairs")} className="only-narrow">
					<Icon name="more" />
					<span className="cut">{t("nav.more")}</span>
				</Link>
			</nav>
			<div className="main">
				<Lines trial={me.trial} />
				<main id="main" tabIndex={-1}>
					{children}
				</main>
			</div>
			<Notices />
		</div>
	);
}

/** The one line above everything: the console cannot be reached, or this is a trial. */
function Lines({ trial }: { trial: boolean }) {
	const t = useT();
	const status = useLiveStatus();
	return (
		<>
			<div role="status" aria-live="polite">
				{status === "lost" && <p className="lost">{t("wrong.unreachable")}</p>}
			</div>
			{trial && (
				<aside className="trial" aria-label={t("frame.trial_label")}>
					{t("frame.trial")}
				</aside>
			)}
		</>
	);
}
