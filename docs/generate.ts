/** Writes the pages that are made from the code: docs/checks.md, the JSON Schemas and the README's tables of settings and exit codes. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { packageFolder } from "../src/package.ts";
import { generatedPages } from "./pages.ts";

const readme = readFileSync(path.join(packageFolder, "README.md"), "utf8");
for (const [file, text] of Object.entries(await generatedPages(readme)))
  writeFileSync(path.join(packageFolder, file), text);
