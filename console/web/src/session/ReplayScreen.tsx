/** The player: play, pause, seek, speed. Loaded with the terminal, when a recording is opened. */
import { Switch } from "@mantine/core";
import { type CSSProperties, useEffect, useMemo, useRef, useState } from "react";
import { useT } from "../i18n";
import { counter } from "../i18n/format";
import { useKeys } from "../ui/keyboard";
import { Btn, Seg, Wrong } from "../ui/parts";
import { type Cast, Player, parse } from "./cast";
import { newScreen } from "./screen";

const LONGEST_PAUSE = 2;

export default function ReplayScreen({ text }: { text: string }) {
	const [cut, setCut] = useState(true);
	const cast = useMemo(() => {
		try {
			return parse(text, cut ? LONGEST_PAUSE : undefined);
		} catch (reason) {
			return reason instanceof Error ? reason : new Error(String(reason));
		}
	}, [text, cut]);
	if (cast instanceof Error) return <Wrong reason={cast} large />;
	return <Play key={String(cut)} cast={cast} cut={cut} setCut={setCut} />;
}

function Play({ cast, cut, setCut }: { cast: Cast; cut: boolean; setCut: (cut: boolean) => void }) {
	const t = useT();
	const box = useRef<HTMLDivElement>(null);
	const player = useRef<Player>(null);
	const [playing, setPlaying] = useState(true);
	const [at, setAt] = useState(0);
	const [speed, setSpeed] = useState<"1" | "2" | "4">("1");
	useEffect(() => {
		const root = box.current;
		if (!root) return;
		const screen = newScreen(root, { columns: cast.columns, rows: cast.rows, still: true });
		screen.open(root);
		player.current = new Player(cast, {
			write: (data) => screen.write(data),
			size: (columns, rows) => screen.resize(Math.max(2, columns), Math.max(1, rows)),
			clear: () => screen.reset(),
		});
		return () => {
			player.current = null;
			screen.dispose();
		};
	}, [cast]);
	useEffect(() => {
		if (!playing) return;
		let before = performance.now();
		let frame = 0;
		const step = (now: number) => {
			const goesOn = player.current?.advance((now - before) / 1000) ?? false;
			before = now;
			setAt(player.current?.at ?? 0);
			if (goesOn) frame = requestAnimationFrame(step);
			else setPlaying(false);
		};
		frame = requestAnimationFrame(step);
		return () => cancelAnimationFrame(frame);
	}, [playing]);
	const seek = (to: number) => {
		player.current?.seek(to);
		setAt(player.current?.at ?? 0);
	};
	const toggle = () => {
		if (!playing && at >= cast.seconds) seek(0);
		setPlaying(!playing);
	};
	useKeys([
		{ keys: " ", does: "key.play", run: toggle },
		{ keys: "ArrowLeft", does: "key.rewind", run: () => seek(at - 5) },
		{ keys: "ArrowRight", does: "key.forward", run: () => seek(at + 5) },
	]);
	return (
		<div className="replay">
			<div className="replay-place">
				<div ref={box} className="term still" role="group" aria-label={t("session.recording")} />
			</div>
			<div className="replay-bar">
				<Btn icon={playing ? "pause" : "play"} onClick={toggle}>
					{t(playing ? "session.pause" : "session.play")}
				</Btn>
				<span className="mono">{counter(at)}</span>
				<input
					type="range"
					className="grow"
					min={0}
					max={Math.max(0.1, cast.seconds)}
					step={0.1}
					value={at}
					style={{ "--played": `${(at / Math.max(0.1, cast.seconds)) * 100}%` } as CSSProperties}
					aria-label={t("session.place")}
					aria-valuetext={counter(at)}
					onChange={(event) => seek(Number(event.currentTarget.value))}
				/>
				<span className="mono dim">{counter(cast.seconds)}</span>
				<Seg
					label={t("session.speed")}
					value={speed}
					options={(["1", "2", "4"] as const).map((value) => ({ value, label: `${value}×` }))}
					onChange={(value) => {
						setSpeed(value);
						if (player.current) player.current.speed = Number(value);
					}}
				/>
				<Switch label={t("session.cut")} checked={cut} onChange={(event) => setCut(event.currentTarget.checked)} />
			</div>
		</div>
	);
}
