/** Drawings on a 16 × 16 grid, one stroke wide. They stand beside a word, never instead of it. */
const paths = {
	queue: "M2.5 4h11M2.5 8h11M2.5 12h7",
	computer: "M3 3h10a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM5.500 13.500h5",
	repair:
		"M10.200 2.600a3.400 3.400 0 0 0-3.600 4.600L2.400 11.400l2.200 2.200 4.200-4.200a3.400 3.400 0 0 0 4.600-3.600L11.300 7.900 8.900 7.100 8.100 4.700z",
	settings:
		"M2.500 4.500h6M12 4.500h1.500M2.500 11.500H4M7.500 11.500h6M10.200 2.800a1.700 1.700 0 1 0 0 3.400 1.700 1.700 0 0 0 0-3.400zM5.700 9.800a1.700 1.700 0 1 0 0 3.400 1.700 1.700 0 0 0 0-3.400z",
	call: "M4 2.500h2l1 3-1.500 1c.7 1.700 2 3 4 4l1-1.500 3 1v2c0 .8-.7 1.500-1.500 1.500C7 13 3 9 2.500 4c0-.8.7-1.500 1.500-1.500z",
	more: "M3.500 8h.1M8 8h.1M12.500 8h.1",
	search: "M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zM10.500 10.500l3 3",
	plus: "M8 3v10M3 8h10",
	down: "m4.500 6.500 3.500 3.500 3.500-3.500",
	cross: "m4 4 8 8M12 4l-8 8",
	check: "m3.500 8.500 3 3 6-7",
	reply: "M6.500 4 2.500 7.500l4 3.500M2.500 7.500h7a4 4 0 0 1 4 4V13",
	lock: "M4.500 7h7a1 1 0 0 1 1 1v4.500a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1zM5.500 7V5a2.500 2.500 0 0 1 5 0v2",
	connect: "M2 8h9.500M8 4.500 11.500 8 8 11.500M14 3v10",
	play: "M5 3.500v9l7.500-4.500z",
	pause: "M5.500 3.500v9M10.500 3.500v9",
	person:
		"M8 2.300a2.700 2.700 0 1 0 0 5.400 2.700 2.700 0 0 0 0-5.400zM2.800 13.500c.6-2.600 2.600-4 5.200-4s4.600 1.400 5.200 4",
	eye: "M1.500 8S4 3.500 8 3.500 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8zM8 6.200a1.800 1.800 0 1 0 0 3.600 1.800 1.800 0 0 0 0-3.600z",
	record:
		"M8 2.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11zM8 6.500a1.500 1.500 0 1 0 0 3 1.500 1.500 0 0 0 0-3z",
	copy: "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
	terminal: "M2 3h12v10H2zM4.500 6l2 2-2 2M8 10.500h3.500",
	clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.800V8l2.200 1.600",
	state: "M4 2.500v11M4 3.500h8l-2 2.500 2 2.500H4",
	out: "M9.500 4V2.500h-7v11h7V12M6 8h8M11.500 5.500 14 8l-2.500 2.500",
	ok: "M8 1.750a6.250 6.250 0 1 0 0 12.500 6.250 6.250 0 0 0 0-12.500zM5.400 8.200l1.800 1.800 3.400-3.800",
	warning: "M8 2.200 14.400 13.400H1.600zM8 6.600v3M8 11.400v.1",
	critical: "M5.400 1.750h5.200l3.650 3.650v5.200l-3.650 3.650H5.400L1.750 10.600V5.400zM8 4.800v3.800M8 11v.1",
} as const;

export type IconName = keyof typeof paths | "unknown";

export function Icon({ name, small, title }: { name: IconName; small?: boolean; title?: string }) {
	const className = small ? "i s" : "i";
	const said = title ? { role: "img", "aria-label": title } : { "aria-hidden": true as const };
	if (name === "unknown") {
		return (
			<svg className={className} viewBox="0 0 16 16" {...said}>
				<circle cx="8" cy="8" r="6.25" strokeDasharray="2.4 2.4" />
				<path d="M6.400 6.500a1.600 1.600 0 1 1 2.300 1.500c-.5.300-.7.500-.7 1M8 11v.1" />
			</svg>
		);
	}
	return (
		<svg className={className} viewBox="0 0 16 16" {...said}>
			<path d={paths[name]} strokeWidth={name === "more" ? 2.2 : undefined} />
		</svg>
	);
}

export function Logo() {
	return (
		<svg viewBox="0 0 18 18" width="18" height="18" aria-hidden="true" className="logo">
			<path
				d="M2 5.500h14M4 5.500V15M14 5.500V15"
				stroke="currentColor"
				strokeWidth="2"
				fill="none"
				strokeLinecap="round"
			/>
			<circle cx="9" cy="10.500" r="2.200" fill="currentColor" />
		</svg>
	);
}
