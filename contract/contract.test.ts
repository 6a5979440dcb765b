import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import { startSandbox } from "../test/sandbox.ts";
import { differences } from "./compare.ts";
import { conversationDifferences } from "./threads.ts";
import { BETTER, LEFT_OUT, NOT_SERVED } from "./expected.ts";
import { readSection, rebuild, SECTIONS, type Section } from "./recording.ts";
import { Driver } from "./replay.ts";

const folder = mkdtempSync(join(tmpdir(), "kalam-contract-"));
let sandbox: OwnServer;
let driver: Driver;

beforeAll(async () => {
  sandbox = await startSandbox({
    dataFolder: join(folder, "data"),
    rootPassword: null,
    environment: { KALAMDB_LOGS_DIR: join(folder, "logs") },
    // As recorded, but for the limit of queries, since the replay does not wait between two of them, and for how long
    // somebody may be silent, since it would.
    changes: {
      "auth.bcrypt_cost": 4,
      "logging.level": "info",
      "logging.format": "compact",
      "rate_limit.max_queries_per_sec": 100_000,
      "websocket.client_timeout_secs": 1,
      "websocket.auth_timeout_secs": 1,
    },
  });
  driver = new Driver(sandbox.url, folder);
});

afterAll(async () => {
  await sandbox.stop();
  rmSync(folder, { recursive: true, force: true });
});

// One after the other, since each builds on what those before it left behind.
describe.sequential("the sandbox answers as the recorded server did", () => {
  test.for(Object.keys(SECTIONS) as Section[])("%s", { timeout: 120_000 }, async (section) => {
    const expected: Readonly<Record<string, string>> = { ...BETTER[section], ...NOT_SERVED[section] };
    const differing = new Set<string>();
    const surprises: string[] = [];
    for (const { entry, answer, frames } of await driver.replay(readSection(section), LEFT_OUT[section])) {
      const { name = "", request } = entry;
      const said = answer === undefined ? [] : differences(entry, answer, folder);
      const found = new Map(said.length === 0 ? [] : [[name, said]]);
      if (frames !== undefined)
        for (const [key, lines] of conversationDifferences(entry, frames, folder)) found.set(key, lines);
      for (const [key, lines] of found) {
        differing.add(key);
        if (!(key in expected)) surprises.push([key, JSON.stringify(request), ...lines].join("\n    "));
      }
    }
    expect(surprises.join("\n\n")).toBe("");
    expect(
      Object.keys(expected).filter((name) => !differing.has(name)),
      "expected differences that are gone",
    ).toEqual([]);
  });
});

test("texts that the recording cut are rebuilt at their full length", () => {
  const cut = JSON.stringify(Object.keys(SECTIONS).flatMap((section) => readSection(section as Section))).match(
    /<\d+ characters>/g,
  );
  expect(cut?.length).toBeGreaterThan(5);
  expect(rebuild("<23 characters> SELECT 'xxxxxxxxxxxx")).toBe("SELECT 'xxxxxxxxxxxxxx'");
  expect(rebuild("<14 characters> SELECT (((")).toBe("SELECT (((1)))");
  expect(rebuild("<24 characters> a VALUES (5,'s'),(6,'s'")).toBe("a VALUES (5,'s'),(6,'s')");
  expect(() => rebuild("<30 characters> a VALUES (5,'s'),(6,'s'")).toThrow("cannot rebuild");
});

test("an answer that differs is seen to differ", () => {
  const entry = readSection("envelope").find(({ name }) => name === "literals");
  const answer = entry?.response;
  if (entry === undefined || answer === undefined) throw new Error("the entry is gone");
  const changed = (from: string, to: string): string[] =>
    differences(entry, JSON.parse(JSON.stringify(answer).replace(from, to)) as typeof answer, folder);
  expect(changed("nothing", "")).toEqual([]);
  for (const [from, to] of [
    ["200", "201"],
    ['"42"', "42"],
    ["1.5", "1.25"],
    ["BigInt", "Int"],
    ["greeting", "greetings"],
    ['"success"', '"ok"'],
    ["root", "adm"],
  ] as const) {
    expect(changed(from, to), `${from} to ${to}`).not.toEqual([]);
  }
});
