/** The checks and their thresholds. A change reaches the machines that are online within seconds. */
import { Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { Failure } from "../api/client";
import { useCan } from "../api/me";
import type { Check } from "../api/types";
import { pick, useT } from "../i18n";
import { say } from "../ui/notices";
import { Bones, Btn, FormWrong, useFieldErrors, Wrong } from "../ui/parts";
import { type CheckChange, useChecks, usePatchCheck } from "./queries";
import "./health.css";

const fields = ["warning", "critical", "clear", "for", "keep_firing_for", "interval"] as const;

export function ChecksPage() {
	const checks = useChecks();
	if (checks.error) return <Wrong reason={checks.error} retry={() => void checks.refetch()} large />;
	if (!checks.data) return <Bones lines={8} />;
	return (
		<div className="setting-list">
			{checks.data.map((check) => (
				<OneCheck key={check.id} check={check} />
			))}
		</div>
	);
}

function OneCheck({ check }: { check: Check }) {
	const t = useT();
	const can = useCan();
	const patch = usePatchCheck();
	const [change, setChange] = useState<CheckChange>({});
	const [services, setServices] = useState<string>();
	const conflict = patch.error instanceof Failure && patch.error.status === 409;
	const wrong = useFieldErrors(patch.error);
	const onForm = can("check.write") ? [...fields, ...(check.watched_services ? ["watched_services"] : [])] : [];
	const dirty = Object.entries(change).some(
		([key, value]) => JSON.stringify(value) !== JSON.stringify(check[key as keyof CheckChange]),
	);
	const reset = () => {
		setChange({});
		setServices(undefined);
		patch.reset();
	};
	const write = (what: CheckChange) =>
		patch.mutate(
			{ check, change: what },
			{
				onSuccess: () => {
					reset();
					say(t("settings.saved"));
				},
			},
		);
	return (
		<form
			className="check"
			onSubmit={(event) => {
				event.preventDefault();
				write(change);
			}}
		>
			<div className="line check-head">
				<h2>{pick(check.title)}</h2>
				<span className="mono dim grow cut" title={check.id}>
					{check.id}
				</span>
				<Switch
					label={t("check.enabled")}
					labelPosition="left"
					checked={check.enabled}
					disabled={!can("check.write") || patch.isPending}
					onChange={(event) => write({ enabled: event.currentTarget.checked })}
				/>
			</div>
			<p className="mono mid check-value">
				{check.each && `${check.each}: `}
				{check.value}
				{check.when && <span className="dim"> {t("check.when", { when: check.when })}</span>}
			</p>
			{can("check.write") ? (
				<>
					<div className="check-fields">
						{fields.map((field) => (
							<TextInput
								key={field}
								label={t(`check.${field}`)}
								value={change[field] ?? check[field] ?? ""}
								error={wrong[field]}
								onChange={(event) => setChange({ ...change, [field]: event.currentTarget.value })}
								classNames={{ input: "mono" }}
								spellCheck={false}
							/>
						))}
						{check.watched_services && (
							<TextInput
								label={t("check.services")}
								description={t("check.services_why")}
								className="wide"
								value={services ?? check.watched_services.join(", ")}
								error={wrong.watched_services}
								onChange={(event) => {
									setServices(event.currentTarget.value);
									setChange({ ...change, watched_services: names(event.currentTarget.value) });
								}}
							/>
						)}
					</div>
					{dirty && (
						<div className="line check-acts">
							<Btn type="submit" kind="first" loading={patch.isPending}>
								{t("act.save")}
							</Btn>
							<Btn kind="bare" onClick={reset}>
								{t("act.cancel")}
							</Btn>
							<span className="sub">{t("check.reach")}</span>
						</div>
					)}
				</>
			) : (
				<p className="mono">
					{fields
						.map((field) => check[field] && `${t(`check.${field}`)} ${check[field]}`)
						.filter(Boolean)
						.join(" · ")}
				</p>
			)}
			{conflict ? <p role="alert">{t("wrong.conflict")}</p> : <FormWrong reason={patch.error} fields={onForm} />}
		</form>
	);
}

/** "cups, ssh" as a list of names. */
function names(text: string): string[] {
	return text
		.split(",")
		.map((name) => name.trim())
		.filter(Boolean);
}
