/** Signing in, with a name and a password or by a one-time link that the console's administrator made. */
import { PasswordInput, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Failure } from "../api/client";
import { type Language, language, setLanguage, useT } from "../i18n";
import { Logo } from "../ui/icons";
import { Btn, Seg, useSentence } from "../ui/parts";
import { useSignIn } from "./queries";
import "./account.css";

export function SignInPage({ link, done }: { link?: string; done: () => void }) {
	const t = useT();
	const sentence = useSentence();
	const signIn = useSignIn();
	const [name, setName] = useState("");
	const [password, setPassword] = useState("");
	const tried = useRef(false);
	const { mutate } = signIn;
	useEffect(() => {
		document.title = `${t("sign_in.title")} · Deskside`;
		if (!link || tried.current) return;
		tried.current = true;
		mutate({ link }, { onSuccess: done });
	}, [link, mutate, done, t]);

	const submit = (event: FormEvent) => {
		event.preventDefault();
		signIn.mutate({ name: name.trim(), password }, { onSuccess: done });
	};
	const refused = signIn.error instanceof Failure && signIn.error.status === 401;
	const byLink = signIn.variables && "link" in signIn.variables;
	return (
		<div className="door">
			<main className="door-in">
				<header className="line">
					<Logo />
					<b>Deskside</b>
					<span className="grow" />
					<Seg
						label={t("settings.language")}
						value={language()}
						options={[
							{ value: "en", label: "English" },
							{ value: "pl", label: "Polski" },
						]}
						onChange={(to: Language) => void setLanguage(to)}
					/>
				</header>
				<h1 className="sentence">{t("sign_in.title")}</h1>
				{link && signIn.isPending ? (
					<p className="mid" role="status">
						{t("sign_in.by_link")}
					</p>
				) : (
					<form className="stack" onSubmit={submit}>
						<div role="alert" className="door-wrong">
							{signIn.error &&
								(refused ? t(byLink ? "sign_in.link_spent" : "sign_in.refused") : sentence(signIn.error))}
						</div>
						<TextInput
							label={t("sign_in.name")}
							autoComplete="username"
							required
							value={name}
							onChange={(event) => setName(event.currentTarget.value)}
							autoFocus
							withAsterisk={false}
						/>
						<PasswordInput
							label={t("sign_in.password")}
							autoComplete="current-password"
							required
							value={password}
							onChange={(event) => setPassword(event.currentTarget.value)}
							visibilityToggleButtonProps={{ "aria-label": t("sign_in.show") }}
							withAsterisk={false}
						/>
						<Btn type="submit" kind="first" loading={signIn.isPending} fullWidth className="tall">
							{t("act.sign_in")}
						</Btn>
						<p className="sub">{t("sign_in.link_hint")}</p>
					</form>
				)}
			</main>
		</div>
	);
}
