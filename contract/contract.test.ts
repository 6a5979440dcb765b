import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import { startSandbox } from "../test/sandbox.ts";
import { differences } from "./compare.ts";
import { better, leftOutRequests, notServed } from "./expected.ts";
import { readSection, rebuild, sections, type Section } from "./recording.ts";
import { Driver } from "./replay.ts";
import { conversationDifferences } from "./threads.ts";

const folder = mkdtempSync(path.join(tmpdir(), "kalam-contract-"));
let sandbox: OwnServer;
let driver: Driver;

beforeAll(async () => {
  sandbox = await startSandbox({
    dataFolder: path.join(folder, "data"),
    rootPassword: null,
    environment: { KALAMDB_LOGS_DIR: path.join(folder, "logs") },
    // As recorded, except for the query limit, since the replay sends queries without pauses, and the WebSocket timeouts,
    // since the replay waits for them.
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

// In order, since each section builds on the state that the earlier ones left.
describe.sequential("the sandbox answers as the recorded server did", () => {
  test.for(Object.keys(sections) as Section[])("%s", { timeout: 120_000 }, async (section) => {
    const expected: Readonly<Record<string, string>> = { ...better[section], ...notServed[section] };
    const differing = new Set<string>();
    const surprises: string[] = [];
    for (const { entry, answer, frames } of await driver.replay(readSection(section), leftOutRequests[section])) {
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
      "expected differences that no longer occur",
    ).toEqual([]);
  });
});

test("texts truncated in the recording are rebuilt at full length", () => {
  const cut = JSON.stringify(Object.keys(sections).flatMap((section) => readSection(section as Section))).match(
    /<\d+ characters>/g,
  );
  expect(cut?.length).toBeGreaterThan(5);
  expect(rebuild("<23 characters> SELECT 'xxxxxxxxxxxx")).toBe("SELECT 'xxxxxxxxxxxxxx'");
  expect(rebuild("<14 characters> SELECT (((")).toBe("SELECT (((1)))");
  expect(rebuild("<24 characters> a VALUES (5,'s'),(6,'s'")).toBe("a VALUES (5,'s'),(6,'s')");
  expect(() => rebuild("<30 characters> a VALUES (5,'s'),(6,'s'")).toThrow("cannot rebuild");
});

test("a different answer is reported", () => {
  const entry = readSection("envelope").find(({ name }) => name === "literals");
  const answer = entry?.response;
  if (entry === undefined || answer === undefined) throw new Error("the entry is missing");
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
