import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadCategories, loadProofs } from "./checks/index.ts";
import { generatedPages } from "./docs/pages.ts";
import type { Check } from "./src/check.ts";
import { productionPlan, untidy, type Tree } from "./test/laws.ts";

/** Tests of the production plan that no check stands for yet. This list only shrinks. */
const toCome = productionPlan.filter((id) => !/^(CFG|VAL|OBS|SUB|CLI)-/.test(id));

const rooms = ["bench", "bin", "checks", "contract", "docs", "sandbox/bin", "sandbox/src", "src", "test"];

function sources(): Map<string, string> {
  const files = new Map<string, string>();
  for (const room of rooms) {
    for (const entry of readdirSync(room, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
      const file = path.posix.join(entry.parentPath, entry.name);
      files.set(file, readFileSync(file, "utf8"));
    }
  }
  return files;
}

test("the repository keeps its laws", async () => {
  const tree: Tree = { files: sources(), categories: await loadCategories(), proofs: await loadProofs(), toCome };
  expect(untidy(tree)).toEqual([]);
});

test("generated pages are what their sources make", async () => {
  const pages = await generatedPages(readFileSync("README.md", "utf8"));
  for (const [file, text] of Object.entries(pages))
    expect(readFileSync(file, "utf8"), `${file}: run npm run generate`).toBe(text);
});

test("the laws notice what breaks them", async () => {
  const [category] = await loadCategories();
  const [first, second] = category?.checks ?? [];
  if (category === undefined || first === undefined || second === undefined)
    throw new Error("no checks to make untidy");
  const stray: Check = {
    ...first,
    id: "configuration/stray",
    title: "long ".repeat(20),
    blindTo: "See cli/not-there and never-ever-there.",
    covers: ["CFG-99"],
  };
  const tree: Tree = {
    files: new Map([
      ["checks/configuration/unlisted/index.ts", "export const unlisted = defineCheck({"],
      ["checks/configuration/answers-sql/index.ts", 'import { run } from "../../../src/run.ts";'],
      ["src/utils.ts", `export {};${"\n".repeat(400)}`],
      ["src/server/eager.ts", 'import { loadCategories } from "../../checks/index.ts";'],
      ["src/commands/eager.ts", 'import { start } from "../../sandbox/src/main.ts";'],
      ["src/lazy.test.ts", "test.skip('later', () => {});"],
      ...Array.from({ length: 40 }, (_, at) => [`src/room/file${at}.ts`, ""] as const),
    ]),
    categories: [{ ...category, checks: [first, first, stray] }],
    proofs: [{ check: first, holds: [], cannotTell: [], breaks: {} }],
    toCome: ["CFG-01", "XYZ-01"],
  };
  const said = untidy(tree).join("\n");
  for (const part of [
    "configuration/answers-sql is there twice",
    "configuration/stray has no file",
    "is too long for a row of the table",
    "unlisted/index.ts defines a check that is in no category",
    "configuration/stray has no proof",
    "the proof of configuration/answers-sql does not stand beside it",
    "configuration/answers-sql has no proof of wrongAnswer",
    "configuration/stray: a text names cli/not-there, which is no check",
    "configuration/stray: a text names never-ever-there, which is no check",
    "CFG-99 is no test of the production plan",
    "CFG-02 is neither covered nor still to come",
    "CFG-01 is not to come any more",
    "checks/configuration/answers-sql/index.ts imports src/run.ts",
    "src/server/eager.ts imports checks/index.ts",
    "src/commands/eager.ts imports sandbox/src/main.ts",
    "src/utils.ts: this name says nothing",
    "src/utils.ts has 401 lines",
    "src/room has 40 entries",
    "src/lazy.test.ts has a test that does not run",
  ]) {
    expect(said).toContain(part);
  }
});
