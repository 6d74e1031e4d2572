/// <reference types="vitest/config" />
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { compileMessage } from "@lingui/message-utils/compileMessage";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { keepShortWords } from "./src/i18n/short.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Serves `virtual:catalogue/en` and `…/pl`: the messages of src/i18n/*.json,
 * compiled here, so that no message parser is sent to the browser.
 */
function catalogues(): Plugin {
	const prefix = "virtual:catalogue/";
	return {
		name: "deskside-catalogues",
		resolveId: (id) => (id.startsWith(prefix) ? `\0${id}` : undefined),
		load(id) {
			if (!id.startsWith(`\0${prefix}`)) return;
			const file = here(`src/i18n/${id.slice(prefix.length + 1)}.json`);
			this.addWatchFile(file);
			const source: Record<string, string> = JSON.parse(readFileSync(file, "utf8"));
			const compiled = Object.entries(source).map(([key, text]) => [key, compileMessage(text, keepShortWords)]);
			return `export default ${JSON.stringify(Object.fromEntries(compiled))}`;
		},
	};
}

/** Puts a .gz beside each text file of the bundle: web.go sends it as it is. */
function finish(): Plugin {
	return {
		name: "deskside-finish",
		apply: "build",
		writeBundle(options, bundle) {
			for (const [name, item] of Object.entries(bundle)) {
				if (!/\.(js|css|html|svg|json)$/.test(name)) continue;
				const bytes = Buffer.from(item.type === "chunk" ? item.code : item.source);
				if (bytes.length > 1024) writeFileSync(`${options.dir}/${name}.gz`, gzipSync(bytes, { level: 9 }));
			}
		},
	};
}

const api = process.env.DESKSIDE_API ?? "http://127.0.0.1:8080";

export default defineConfig({
	plugins: [react(), catalogues(), finish()],
	build: { target: "es2023", assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
	server: { proxy: { "/api": { target: api, ws: true } } },
	test: {
		environment: "happy-dom",
		include: ["src/**/*.test.{ts,tsx}"],
		setupFiles: ["src/test/setup.ts"],
		env: { TZ: "Europe/Warsaw" },
	},
});
