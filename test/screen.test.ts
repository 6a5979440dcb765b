import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, describe, expect, test } from "vitest";
import { exits } from "../src/exit.ts";
import { packageFolder, packageVersion } from "../src/package.ts";
import { cli, type CliResult } from "./cli.ts";

/** What people read who have no server yet: no test here sends anything. */
const processes = { timeout: 60_000 };
const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-screen-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
function profile(text: string): string {
  const file = path.join(folder, `${(count += 1)}.yaml`);
  writeFileSync(file, `version: 1\n${text}\n`);
  return file;
}
const run = async (...args: string[]): Promise<CliResult> => await cli(args, { cwd: folder });
const dayFromNow = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

describe("the help", processes, () => {
  test.each([[[]], [["check"]]])(
    "%j names every exit code and the state folder, within 80 columns",
    async (command) => {
      const { code, stdout } = await run(...command, "--help");
      expect(code).toBe(0);
      for (const { code: exit, means } of Object.values(exits)) expect(stdout).toContain(` ${exit}  ${means}\n`);
      expect(stdout).toMatch(/KALAM_READY_STATE; default: .*\/kalam-ready/);
      const examples = stdout.slice(stdout.indexOf("\nExamples:\n"), stdout.indexOf("\nState folder:\n"));
      expect(examples.split("\n").filter((line) => line.length > 80)).toEqual([]);
    },
  );

  test("has examples that are valid", async () => {
    const { stdout } = await run("--help");
    const commands = [...stdout.matchAll(/^ {2}kalam-ready (.*?)(?: +#.*)?$/gm)].map(([, words = ""]) =>
      words.split(" "),
    );
    expect(commands.map(([name]) => name)).toEqual(expect.arrayContaining(["demo", "plan", "check", "explain", "cleanup"])); // prettier-ignore
    for (const [name = "", ...args] of commands) {
      // What needs a server is only parsed: plan takes the flags of check, and an unknown flag is an error before the help.
      const words =
        name === "check" ? ["plan", ...args] : ["plan", "explain"].includes(name) ? [name, ...args] : undefined;
      if (words !== undefined) expect([words, (await run(...words)).code]).toEqual([words, 0]);
      else
        expect([name, (await run(name, ...args, "--nope")).stderr]).toEqual([
          name,
          expect.stringMatching(/unknown option '--nope'/),
        ]);
    }
  });
});

test("version --json", processes, async () => {
  expect((await run("version")).stdout).toBe(`${packageVersion}\n`);
  const { code, stdout } = await run("version", "--json");
  const all = { name: "kalam-ready", version: packageVersion, node: process.version };
  expect([code, JSON.parse(stdout)]).toEqual([0, all]);
});

test("explain --json is as its schema says, for one check, a test of the plan, and a category", processes, async () => {
  const schema = JSON.parse(readFileSync(path.join(packageFolder, "schemas/explain.schema.json"), "utf8")) as object;
  const isValid = new Ajv2020({ strict: true }).compile(schema);
  const idsOf = async (selector: string): Promise<string[]> => {
    const { stdout } = await run("explain", selector, "--json");
    const all = JSON.parse(stdout) as { id: string; covers: string[]; findings: { example: string }[] }[];
    expect([isValid(all), isValid.errors]).toEqual([true, null]);
    for (const { findings } of all) expect(findings.map(({ example }) => example)).not.toContain("");
    return all.map(({ id }) => id);
  };
  expect(await idsOf("answers-sql")).toEqual(["configuration/answers-sql"]);
  expect(await idsOf("CFG-01")).toContain("configuration/answers-sql");
  expect((await idsOf("configuration")).length).toBeGreaterThan(10);
});

describe("a check without its category, and a test of the production plan", processes, () => {
  test("select in list, plan, explain and a profile", async () => {
    expect((await run("list", "answers-sql")).stdout).toMatch(/^configuration\/answers-sql .*\n$/);
    expect((await run("list", "VAL-01")).stdout).toMatch(/^\S+ .* VAL-01 /);
    const ids = async (...args: string[]): Promise<string[]> =>
      (JSON.parse((await run("plan", "--json", ...args)).stdout) as { checks: { id: string }[] }).checks.map(({ id }) => id); // prettier-ignore
    const both = ["configuration/answers-sql", "validation/syntax-errors-clear"];
    expect(await ids("--only", "answers-sql", "--only", "VAL-01")).toEqual(both);
    expect(await ids("--profile", profile("only: [VAL-01, answers-sql]\nrequire: [answers-sql]\nskip: { VAL-01: why }"))).toEqual(both); // prettier-ignore
    expect((await run("explain", "VAL-01")).stdout).toMatch(/^validation\/syntax-errors-clear\n/);
    const shown = await run("profile", "show", profile("checks: { clock-in-step: { limits: { clockOffMsMax: 7 } } }"));
    expect(shown.stdout).toContain('{"configuration/clock-in-step":{"limits":{"clockOffMsMax":7}}}');
  });

  test("that no check covers is said to be that", async () => {
    const { code, stderr } = await run("list", "CFG-99");
    expect([code, stderr]).toEqual([64, "kalam-ready: no check covers CFG-99 of the production plan\n"]);
  });
});

describe("profile lint", processes, () => {
  test("warns on stderr, with the line, of what is hardly meant, and exits with 0", async () => {
    const accept = (until: string): string =>
      `{ check: answers-sql, finding: refused, reason: known, until: ${until} }`;
    const file = profile(
      `only: []\naccept: [${accept(dayFromNow(-3))}, ${accept(dayFromNow(5))}, ${accept(dayFromNow(90))}]`,
    );
    const { code, stdout, stderr } = await run("profile", "lint", file);
    expect([code, stdout]).toEqual([0, `${file}: valid; the next acceptance ends at midnight UTC after ${dayFromNow(5)}\n`]); // prettier-ignore
    expect(stderr.split("\n").map((line) => line.slice(0, file.length + 20))).toEqual([
      `${file}:2: warning: only: it`,
      `${file}:3: warning: accept: `,
      `${file}:3: warning: accept: `,
      "",
    ].map((line) => line.slice(0, file.length + 20))); // prettier-ignore
    expect(stderr).toContain(`ended at midnight UTC after ${dayFromNow(-3)}`);
  });

  test("says nothing of a profile that is as it should be", async () => {
    const { code, stdout, stderr } = await run("profile", "lint", "gate");
    expect([code, stdout, stderr]).toEqual([0, "gate: valid\n", ""]);
  });
});

test(
  "a budget that is less than the estimate is said by plan, too, with both numbers; one that suffices is not",
  processes,
  async () => {
    const { code, stderr } = await run("plan", "--budget", "2s");
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^warning: these checks take about [\d.]+ (s|min), and the budget is 2 s: .*\n$/)]); // prettier-ignore
    expect((await run("plan")).stderr).toBe("");
  },
);
