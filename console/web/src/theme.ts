/**
 * The one theme. Colours live in tokens.css, each with its light and dark value;
 * here they are handed to Mantine, so that its parts and ours share them.
 */
import {
	Button,
	Checkbox,
	type CSSVariablesResolver,
	createTheme,
	Drawer,
	type MantineColorsTuple,
	Menu,
	Modal,
	NumberInput,
	PasswordInput,
	Select,
	Switch,
	Textarea,
	TextInput,
	Tooltip,
	virtualColor,
} from "@mantine/core";
import { createElement } from "react";
import { Icon } from "./ui/icons";

const down = createElement(Icon, { name: "down" });

const tuple = (soft: string, mark: string, full: string): MantineColorsTuple => [
	soft,
	soft,
	soft,
	mark,
	mark,
	mark,
	full,
	full,
	full,
	full,
];

const input = { size: "md" } as const;

export const theme = createTheme({
	primaryColor: "accent",
	primaryShade: { light: 7, dark: 7 },
	colors: {
		accent: virtualColor({ name: "accent", light: "accentLight", dark: "accentDark" }),
		accentLight: tuple("#e6edf9", "#93b4f2", "#2c539f"),
		accentDark: tuple("#1f2c46", "#93b4f2", "#3b62b4"),
		ok: virtualColor({ name: "ok", light: "okLight", dark: "okDark" }),
		okLight: tuple("#e5f2ea", "#1c7046", "#1c7046"),
		okDark: tuple("#16301f", "#6fc79b", "#6fc79b"),
		warning: virtualColor({ name: "warning", light: "warningLight", dark: "warningDark" }),
		warningLight: tuple("#fbf1dd", "#c4860a", "#845400"),
		warningDark: tuple("#32270f", "#dca23a", "#e8b85c"),
		critical: virtualColor({ name: "critical", light: "criticalLight", dark: "criticalDark" }),
		criticalLight: tuple("#fbe8e6", "#c9372d", "#b0241c"),
		criticalDark: tuple("#3b1b19", "#ee6a60", "#f7938b"),
		unknown: virtualColor({ name: "unknown", light: "unknownLight", dark: "unknownDark" }),
		unknownLight: tuple("#eceeef", "#5c636d", "#5c636d"),
		unknownDark: tuple("#292c31", "#a4aab4", "#a4aab4"),
		gray: [
			"#f8f7f4",
			"#f4f3ef",
			"#f6f5f1",
			"#e6e3dc",
			"#cfcbc1",
			"#8d8a82",
			"#66676d",
			"#505157",
			"#2a2b2f",
			"#1c1d20",
		],
		dark: [
			"#ecebe8",
			"#b6b6b9",
			"#96979d",
			"#70747d",
			"#3d4047",
			"#2b2d32",
			"#222427",
			"#1a1b1e",
			"#151618",
			"#131416",
		],
	},
	fontFamily: "var(--font)",
	fontFamilyMonospace: "var(--mono)",
	fontSizes: { xs: "0.6875rem", sm: "0.75rem", md: "0.8125rem", lg: "0.875rem", xl: "1rem" },
	lineHeights: { xs: "1rem", sm: "1rem", md: "1.25rem", lg: "1.25rem", xl: "1.5rem" },
	fontWeights: { regular: "400", medium: "600", bold: "600" },
	headings: {
		fontWeight: "600",
		textWrap: "balance",
		sizes: {
			h1: { fontSize: "1.25rem", lineHeight: "1.75rem", fontWeight: "400" },
			h2: { fontSize: "1rem", lineHeight: "1.5rem" },
			h3: { fontSize: "0.8125rem", lineHeight: "1.25rem" },
		},
	},
	spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
	radius: { xs: "4px", sm: "6px", md: "10px", lg: "10px", xl: "10px" },
	defaultRadius: "sm",
	shadows: { xs: "var(--shadow-1)", sm: "none", md: "var(--shadow-2)", lg: "none", xl: "none" },
	focusRing: "auto",
	cursorType: "pointer",
	respectReducedMotion: true,
	autoContrast: false,
	breakpoints: { xs: "30em", sm: "43.75em", md: "62em", lg: "75em", xl: "100em" },
	components: {
		// The look of a button is in base.css; here its variables are only pointed there.
		Button: Button.extend({
			defaultProps: { variant: "default", size: "md" },
			classNames: { root: "btn" },
			vars: () => ({
				root: {
					"--button-height": "var(--btn-h)",
					"--button-padding-x": "var(--btn-x)",
					"--button-fz": "var(--btn-fz)",
					"--button-bg": "var(--btn-bg)",
					"--button-hover": "var(--btn-hover)",
					"--button-color": "var(--btn-ink)",
					"--button-bd": "var(--btn-bd)",
				},
			}),
		}),
		TextInput: TextInput.extend({ defaultProps: input }),
		PasswordInput: PasswordInput.extend({ defaultProps: input }),
		NumberInput: NumberInput.extend({ defaultProps: { ...input, hideControls: true } }),
		Textarea: Textarea.extend({ defaultProps: { ...input, autosize: true, minRows: 3, maxRows: 12 } }),
		Select: Select.extend({
			defaultProps: {
				...input,
				allowDeselect: false,
				withCheckIcon: false,
				rightSection: down,
				rightSectionPointerEvents: "none",
			},
		}),
		Checkbox: Checkbox.extend({ defaultProps: { size: "md", radius: 3 } }),
		Switch: Switch.extend({ defaultProps: { size: "sm", withThumbIndicator: false } }),
		Menu: Menu.extend({
			defaultProps: {
				shadow: "md",
				radius: "sm",
				offset: 4,
				withinPortal: true,
				keepMounted: false,
				withInitialFocusPlaceholder: false,
			},
		}),
		Modal: Modal.extend({
			defaultProps: {
				centered: false,
				yOffset: "6vh",
				overlayProps: { blur: 0, color: "var(--scrim)", backgroundOpacity: 1 },
				transitionProps: { duration: 160, transition: "fade" },
				// A dialog's head is not the head of the page.
				attributes: { header: { role: "none" } },
			},
			classNames: { content: "dialog", header: "dialog-head", title: "dialog-title", body: "dialog-body" },
		}),
		Drawer: Drawer.extend({ defaultProps: { attributes: { header: { role: "none" } } } }),
		Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300, withArrow: false, multiline: true, maw: 360 } }),
	},
	other: { row: 32 },
});

const roles = {
	"--mantine-color-body": "var(--canvas)",
	"--mantine-color-text": "var(--ink)",
	"--mantine-color-dimmed": "var(--ink-3)",
	"--mantine-color-placeholder": "var(--ink-3)",
	"--mantine-color-default": "var(--surface)",
	"--mantine-color-default-hover": "var(--hover)",
	"--mantine-color-default-color": "var(--ink)",
	"--mantine-color-default-border": "var(--line-strong)",
	"--mantine-color-anchor": "var(--accent)",
	"--mantine-color-error": "var(--critical)",
	"--mantine-color-success": "var(--ok)",
	"--mantine-color-bright": "var(--ink)",
};

export const cssVariables: CSSVariablesResolver = () => ({
	variables: {},
	light: roles,
	dark: roles,
});
