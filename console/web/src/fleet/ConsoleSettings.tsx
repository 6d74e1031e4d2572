/** Settings of the console for the whole organisation: one sentence each. */
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { Failure } from "../api/client";
import { useCan } from "../api/me";
import type { Settings } from "../api/types";
import { type MessageId, useT } from "../i18n";
import { bytes, when } from "../i18n/format";
import { say } from "../ui/notices";
import { Bones, Btn, FormWrong, useFieldErrors, Wrong } from "../ui/parts";
import { type SettingsChange, useNode, usePatchSettings, useSettings } from "./queries";

const durations = ["beat", "offline_after", "upload_every", "join_window", "auto_resolve_after"] as const;

const stormWords = { machines: "settings.storm_machines", window: "settings.storm_window" } as const;

/**
 * What of a change the console could not read, by the names of its fields. It would answer with the first alone, and
 * not in the language of who reads it.
 */
export function misread({ storm, ...change }: SettingsChange): Record<string, MessageId> {
	const spans = { ...change, "storm.window": storm?.window };
	const wrong: Record<string, MessageId> = {};
	for (const [name, value] of Object.entries(spans))
		if (typeof value === "string" && !/^(0|(\d+(\.\d+)?(ms|s|m|h))+)$/.test(value)) wrong[name] = "settings.not_a_span";
	if (storm && !Number.isInteger(storm.machines)) wrong["storm.machines"] = "settings.not_a_count";
	return wrong;
}

export function ConsoleSettings() {
	const settings = useSettings();
	if (settings.error) return <Wrong reason={settings.error} retry={() => void settings.refetch()} large />;
	if (!settings.data) return <Bones lines={6} />;
	return (
		<>
			<Form key={settings.data.version} settings={settings.data} />
			<ThisConsole />
		</>
	);
}

/** What the console that answers holds, in one sentence; what its system does not tell is left out. */
function ThisConsole() {
	const t = useT();
	const can = useCan();
	const node = useNode(can("node.read"));
	if (!node.data) return null;
	const { version, started_at, machines, goroutines, resident_bytes, descriptors } = node.data;
	return (
		<div className="setting-list">
			<section className="setting">
				<div>
					<h2>{t("settings.node")}</h2>
					<p className="sub">{t("settings.node_since", { version, since: when(started_at), n: machines })}</p>
					<p className="sub">
						{resident_bytes !== null && `${t("settings.node_memory", { memory: bytes(resident_bytes) })} `}
						{t("settings.node_goroutines", { n: goroutines })}
						{descriptors !== null && ` ${t("settings.node_descriptors", { n: descriptors })}`}
					</p>
				</div>
			</section>
		</div>
	);
}

function Form({ settings }: { settings: Settings }) {
	const t = useT();
	const can = useCan();
	const patch = usePatchSettings();
	const [change, setChange] = useState<SettingsChange>({});
	const [services, setServices] = useState(settings.watched_services.join(", "));
	const [tried, setTried] = useState(false);
	const unread = tried ? misread(change) : {};
	const said = useFieldErrors(patch.error);
	const wrong: Record<string, string | undefined> = {
		...said,
		...Object.fromEntries(Object.entries(unread).map(([name, word]) => [name, t(word)])),
	};
	const conflict = patch.error instanceof Failure && patch.error.status === 409;
	const writes = can("settings.write");
	const storm = Object.entries({ ...settings.storm, ...change.storm });
	return (
		<form
			className="setting-list"
			onSubmit={(event) => {
				event.preventDefault();
				const reads = Object.keys(misread(change)).length === 0;
				setTried(!reads);
				if (!reads) return patch.reset();
				patch.mutate({ version: settings.version, change }, { onSuccess: () => say(t("settings.saved")) });
			}}
		>
			{conflict ? (
				<p role="alert">{t("wrong.conflict")}</p>
			) : (
				<FormWrong
					reason={patch.error}
					fields={[...durations, ...storm.map(([name]) => `storm.${name}`), "watched_services"]}
				/>
			)}
			{durations.map((name) => (
				<Setting key={name} word={`settings.${name}`} why={`settings.${name}_why`}>
					<TextInput
						aria-label={t(`settings.${name}`)}
						w={120}
						value={change[name] ?? settings[name]}
						error={wrong[name]}
						readOnly={!writes}
						onChange={(event) => setChange({ ...change, [name]: event.currentTarget.value })}
					/>
				</Setting>
			))}
			{storm.map(([name, value]) => (
				<Setting key={name} word={stormWords[name as keyof Settings["storm"]]} why="settings.storm_why">
					<TextInput
						aria-label={t(stormWords[name as keyof Settings["storm"]])}
						w={120}
						value={String(value)}
						error={wrong[`storm.${name}`]}
						readOnly={!writes}
						onChange={(event) => {
							const typed = event.currentTarget.value;
							const numeric =
								typeof settings.storm[name as keyof typeof settings.storm] === "number" &&
								typed.trim() !== "" &&
								!Number.isNaN(Number(typed));
							setChange({
								...change,
								storm: { ...settings.storm, ...change.storm, [name]: numeric ? Number(typed) : typed },
							});
						}}
					/>
				</Setting>
			))}
			<Setting word="settings.watched_services" why="settings.watched_services_why">
				<TextInput
					aria-label={t("settings.watched_services")}
					w={280}
					value={services}
					error={wrong.watched_services}
					readOnly={!writes}
					onChange={(event) => {
						setServices(event.currentTarget.value);
						const names = event.currentTarget.value
							.split(",")
							.map((name) => name.trim())
							.filter(Boolean);
						setChange({ ...change, watched_services: names });
					}}
				/>
			</Setting>
			{writes && (
				<div className="line setting-acts">
					<Btn type="submit" kind="first" disabled={Object.keys(change).length === 0} loading={patch.isPending}>
						{t("act.save")}
					</Btn>
				</div>
			)}
		</form>
	);
}

function Setting({ word, why, children }: { word: MessageId; why: MessageId; children: React.ReactNode }) {
	const t = useT();
	return (
		<section className="setting">
			<div>
				<h2>{t(word)}</h2>
				<p className="sub">{t(why)}</p>
			</div>
			{children}
		</section>
	);
}
