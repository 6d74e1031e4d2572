// Writes src/api/schema.d.ts from openapi.json. The web client addresses paths
// without the /api/v1 prefix, so a document that carries it is read without it.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const document = JSON.parse(await readFile(new URL("../openapi.json", import.meta.url), "utf8"));
document.paths = Object.fromEntries(
	Object.entries(document.paths).map(([path, item]) => [path.replace(/^\/api\/v1(?=\/)/, ""), item]),
);
const head = "// Generated from openapi.json by `npm run codegen`. Do not edit.\n\n";
await writeFile(new URL("../src/api/schema.d.ts", import.meta.url), head + astToString(await openapiTS(document)));
