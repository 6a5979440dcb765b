import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadCategories, loadProofs } from "./checks/index.ts";
import { generatedPages } from "./docs/pages.ts";
import type { Check } from "./src/check.ts";
import { productionPlan, violations, type Repository } from "./test/rules.ts";

/** Tests of the production plan that no check covers yet. This list only shrinks. */
const notYetCovered = productionPlan.filter((id) => !/^(CFG|DUR|CON|BP|VAL|OBS|SUB|CLI)-/.test(id));

const folders = ["bench", "bin", "checks", "contract", "docs", "sandbox/bin", "sandbox/src", "src", "test"];

function sources(): Map<string, string> {
  const files = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
      const file = path.posix.join(entry.parentPath, entry.name);
      files.set(file, readFileSync(file, "utf8"));
    }
  }
  return files;
}

test("the repository follows its rules", { timeout: 60_000 }, async () => {
  const repository: Repository = {
    files: sources(),
    categories: await loadCategories(),
    proofs: await loadProofs(),
    notYetCovered,
  };
  expect(violations(repository)).toEqual([]);
});

test("generated pages are up to date", { timeout: 60_000 }, async () => {
  const pages = await generatedPages(readFileSync("README.md", "utf8"));
  for (const [file, text] of Object.entries(pages))
    expect(readFileSync(file, "utf8"), `${file}: run npm run generate`).toBe(text);
});

test("every rule reports its violations", async () => {
  const [category] = await loadCategories();
  const [first, second] = category?.checks ?? [];
  if (category === undefined || first === undefined || second === undefined)
    throw new Error("the first category has fewer than two checks");
  const stray: Check = {
    ...first,
    id: "configuration/stray",
    title: "long ".repeat(20),
    blindTo: "See cli/not-there and never-ever-there.",
    covers: ["CFG-99"],
  };
  const repository: Repository = {
    files: new Map([
      ["checks/configuration/unlisted/index.ts", "export const unlisted = defineCheck({"],
      ["checks/configuration/answers-sql/index.ts", 'import { run } from "../../../src/run.ts";'],
      ["checks/configuration/kind/deeper/index.ts", "export const deeper = defineCheck({"],
      ["checks/configuration/kind/unlisted-too/index.ts", "export const unlistedToo = defineCheck({"],
      ["src/utils.ts", `export {};${"\n".repeat(400)}`],
      ["src/server/eager.ts", 'import { loadCategories } from "../../checks/index.ts";'],
      ["src/commands/eager.ts", 'import { start } from "../../sandbox/src/main.ts";'],
      ["src/cutting.ts", "const start = message.slice(0, 200);"],
      ["checks/cutting.ts", "const start = one.text.slice(0, textMax);\nconst some = rows.slice(0, rowsMax);"],
      ["src/lazy.test.ts", "test.skip('later', () => {});"],
      ...Array.from({ length: 40 }, (_, at) => [`src/many/file${at}.ts`, ""] as const),
    ]),
    categories: [{ ...category, checks: [first, first, stray, { ...first, id: "configuration/deeper" }] }],
    proofs: [{ check: first, holds: [], cannotTell: [], breaks: {} }],
    notYetCovered: ["CFG-01", "XYZ-01"],
  };
  const reported = violations(repository).join("\n");
  for (const part of [
    "configuration/answers-sql is listed twice",
    "configuration/stray has no file",
    "is longer than 64 characters",
    "unlisted/index.ts defines a check that no category lists",
    "unlisted-too/index.ts defines a check that no category lists",
    "configuration/stray has no proof",
    "configuration/answers-sql has no file checks/configuration/answers-sql/proof.ts",
    "configuration/answers-sql has no proof for the finding wrongAnswer",
    "configuration/stray: a text names cli/not-there, which is not a check",
    "configuration/stray: a text names never-ever-there, which is not a check",
    "CFG-99 is not a test of the production plan",
    "CFG-02 is neither covered nor listed",
    "CFG-01 is covered or unknown",
    "checks/configuration/answers-sql/index.ts imports src/run.ts",
    "src/server/eager.ts imports checks/index.ts",
    "src/commands/eager.ts imports sandbox/src/main.ts",
    "src/utils.ts: the name says nothing",
    "src/utils.ts has 401 lines",
    "src/many has 40 entries",
    "src/lazy.test.ts disables a test",
    "src/cutting.ts cuts a text without a sign of it",
    "checks/cutting.ts cuts a text without a sign of it; use truncated: const start = one.text",
  ]) {
    expect(reported).toContain(part);
  }
  // In a folder of its kind, and listed.
  expect(reported).not.toContain("deeper/index.ts");
});
