/** Why a computer did not do what was asked: said for the reader, then as the computer put it. */
import { useT } from "../i18n";
import { refusalSentence } from "../i18n/words";

export function Refusal({ of: { code, text } }: { of: { code: string; text: string } }) {
	const t = useT();
	return (
		<div className="refusal" role="alert">
			<p>{refusalSentence(t, code)}</p>
			{text && (
				<p className="sub" lang="en">
					{text}
				</p>
			)}
		</div>
	);
}
