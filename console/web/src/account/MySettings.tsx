/** What each person sets for themselves: language, light or dark, keys. It is saved as one goes. */
import { Switch, TextInput, useMantineColorScheme } from "@mantine/core";
import { useState } from "react";
import { useMe } from "../api/me";
import { setLanguage, useT } from "../i18n";
import { setKeysOn, useKeysAreOn } from "../ui/keyboard";
import { say } from "../ui/notices";
import { Btn, Seg, Wrong } from "../ui/parts";
import { usePatchMe } from "./queries";
import "./account.css";

export function MySettings() {
	const t = useT();
	const me = useMe();
	const patch = usePatchMe();
	const keys = useKeysAreOn();
	const { setColorScheme } = useMantineColorScheme();
	const [name, setName] = useState(me.display_name);
	return (
		<div className="setting-list">
			{patch.error && <Wrong reason={patch.error} />}
			<section className="setting">
				<div>
					<h2>{t("settings.language")}</h2>
					<p className="sub">{t("settings.language_why")}</p>
				</div>
				<Seg
					label={t("settings.language")}
					value={me.language}
					options={[
						{ value: "en", label: "English" },
						{ value: "pl", label: "Polski" },
					]}
					onChange={(to) => patch.mutate({ language: to }, { onSuccess: () => void setLanguage(to) })}
				/>
			</section>
			<section className="setting">
				<div>
					<h2>{t("settings.theme")}</h2>
					<p className="sub">{t("settings.theme_why")}</p>
				</div>
				<Seg
					label={t("settings.theme")}
					value={me.theme}
					options={[
						{ value: "auto", label: t("settings.theme_auto") },
						{ value: "light", label: t("settings.theme_light") },
						{ value: "dark", label: t("settings.theme_dark") },
					]}
					onChange={(to) => patch.mutate({ theme: to }, { onSuccess: () => setColorScheme(to) })}
				/>
			</section>
			<section className="setting">
				<div>
					<h2>{t("settings.keys")}</h2>
					<p className="sub">{t("settings.keys_why")}</p>
				</div>
				<Switch
					aria-label={t("settings.keys")}
					checked={keys}
					onChange={(event) => setKeysOn(event.currentTarget.checked)}
				/>
			</section>
			<form
				className="setting"
				onSubmit={(event) => {
					event.preventDefault();
					patch.mutate({ display_name: name.trim() }, { onSuccess: () => say(t("settings.saved")) });
				}}
			>
				<div>
					<h2>{t("settings.name")}</h2>
					<p className="sub">{t("settings.name_why", { role: t(`role.${me.role}`) })}</p>
				</div>
				<span className="line">
					<TextInput
						aria-label={t("settings.name")}
						value={name}
						onChange={(event) => setName(event.currentTarget.value)}
					/>
					<Btn type="submit" disabled={!name.trim() || name.trim() === me.display_name}>
						{t("act.save")}
					</Btn>
				</span>
			</form>
		</div>
	);
}
