/** Asks a machine for a round of readings now. Only one that is online can be asked. */
import type { Machine } from "../api/types";
import { useT } from "../i18n";
import { useKeys } from "../ui/keyboard";
import { say } from "../ui/notices";
import { Btn, useSentence } from "../ui/parts";
import { useCheckNow } from "./queries";

export function CheckNow({ machine, keys, bare }: { machine: Machine; keys: boolean; bare?: boolean }) {
	const t = useT();
	const check = useCheckNow(machine.id);
	const sentence = useSentence();
	const online = machine.presence === "online";
	const ask = () =>
		check.mutate(undefined, {
			onSuccess: () => say(t("machine.checking")),
			onError: (reason) => say(sentence(reason)),
		});
	useKeys(online && keys ? [{ keys: "v", does: "key.check_now", run: ask }] : []);
	if (!online) return null;
	return (
		<Btn
			kind={bare ? "bare" : undefined}
			low={bare}
			kbd={keys ? "v" : undefined}
			loading={check.isPending}
			onClick={ask}
		>
			{t("act.check_now")}
		</Btn>
	);
}
