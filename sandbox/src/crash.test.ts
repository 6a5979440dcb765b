import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePort } from "../../src/control/child.ts";
import type { OwnServer, StartOptions } from "../../src/control/process.ts";
import { startSandbox } from "../../test/sandbox.ts";
import { signIn, type Client } from "./client.ts";
import { Listener } from "./live/listener.ts";

/** They wait for processes of their own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const folder = mkdtempSync(path.join(tmpdir(), "kalam-crash-"));
const password = "Pass-word-1234";
const dataFolder = path.join(folder, "data");
let port = 0;
let server: OwnServer;
let root: Client;

async function start(faults = ""): Promise<void> {
  const options: Partial<StartOptions> = {
    dataFolder,
    port,
    rootPassword: password,
    forSpeed: "all",
    environment: { KALAMDB_JWT_SECRET: "x".repeat(32), KALAM_SANDBOX_FAULTS: faults },
  };
  server = await startSandbox(options);
}

beforeAll(async () => {
  port = await freePort();
  await start();
  root = await signIn(server.url, "root", password);
  await root.rows("CREATE TABLE t (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')");
  await root.rows("INSERT INTO t (id) VALUES (1), (2), (3)");
});
afterAll(async () => {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** All keys, in order, page by page. */
async function keys(): Promise<number[]> {
  const found: number[] = [];
  for (;;) {
    const page = await root.rows("SELECT id FROM t WHERE id > $1 ORDER BY id LIMIT 1000", [String(found.at(-1) ?? 0)]);
    if (page.length === 0) return found;
    found.push(...page.map(([key]) => Number(key)));
  }
}

test("what is lost at the start after a kill stays lost, and after a clean stop nothing is", async () => {
  await server.kill();
  await start("loseOnKill=2");
  // The token of before is good, since the secret is the same.
  expect(await keys()).toEqual([1]);
  expect(server.stderr()).toMatch(
    /^sandbox fault loseOnKill=2 on\n[^]*sandbox fault loseOnKill fired: default\.t 3, default\.t 2\n/,
  );
  expect(await server.stop()).toBe(0);
  await start("loseOnKill=2");
  expect(await keys()).toEqual([1]);
  expect(server.stderr()).not.toContain("fired");
  await server.kill();
  await start();
  expect(await keys()).toEqual([1]);
});

/** What health and a query are answered while it starts, until they have been answered like this; each once in a row. */
async function watchStart(faults: string, last: RegExp): Promise<string> {
  await server.kill();
  const starting = start(faults);
  const seen: string[] = [];
  while (!last.test(seen.join(", "))) {
    const health = await fetch(`http://127.0.0.1:${port}/health`).then(
      ({ status }) => String(status),
      () => "-",
    );
    const query = await root.sql("SELECT id FROM t WHERE id = 1").then(
      ({ status, results }) => (status === 200 ? `${results[0]?.row_count} rows` : String(status)),
      () => "-",
    );
    if (seen.at(-1) !== `${health}/${query}`) seen.push(`${health}/${query}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await starting;
  return seen.join(", ");
}

test("it refuses until it is ready, and then answers", async () => {
  // It may begin to listen or be ready between two requests.
  expect(await watchStart("", /200\/1 rows/)).toMatch(/^(-\/-, )?(-\/503, )?(503\/503, )?(503\/1 rows, )?200\/1 rows$/);
});

test("healthy before it answers, then without rows, then refusing again: all of it is announced", async () => {
  const faults = ["healthBeforeSql", "relapse", "emptyAtFirst"];
  const seen = await watchStart(faults.join(","), /200\/0 rows, 503\/503, (.*, )?200\/1 rows/);
  expect(seen).toContain("200/503");
  for (const fault of faults) expect(server.stderr()).toContain(`sandbox fault ${fault} fired`);
});

test("later after each kill, and with another secret", async () => {
  for (const kill of [1, 2]) {
    await server.kill();
    await start("slowerEachKill=50,refuseOldTokens");
    expect(server.stderr()).toContain(`sandbox fault slowerEachKill fired: ${kill * 50} ms`);
  }
  expect((await root.sql("SELECT 1")).status).toBe(401);
  expect(server.stderr()).toContain("sandbox fault refuseOldTokens fired");
});

test.for([
  ["", "SIGTERM", 0, [1001, "Server shutting down"]],
  ["", "SIGINT", 0, [1001, "Server shutting down"]],
  ["dirtyExit,cutOnStop", "SIGINT", 3, [1006, ""]],
  ["hangOnStop", "SIGTERM", undefined, undefined],
] as const)("with %s, stopped by %s while it is written to and watched, it ends with %s", async (row) => {
  const [faults, signal, code, close] = row;
  await server.kill();
  await start(faults);
  const before = await keys();
  const listener = await Listener.logIn(server.url, root);
  await listener.subscribe("mine", "SELECT * FROM t");
  const acknowledged: number[] = [];
  let isOver = false;
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let key = (before.at(-1) ?? 0) + writer + 1; !isOver; key += 4) {
      const said = await root.sql(`INSERT INTO t (id) VALUES (${key})`).catch(() => undefined);
      if (said?.status !== 200) return said?.status ?? "unanswered";
      acknowledged.push(key);
    }
    return "over";
  });
  await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(20);
  const end = await server.control.lifecycle?.stop({ signal, withinMs: code === undefined ? 300 : 20_000 });
  isOver = true;
  const ends = await Promise.all(writers);
  expect(end).toMatchObject({ stopped: code !== undefined, exitCode: code ?? null });
  for (const fault of faults === "" ? [] : faults.split(","))
    expect(server.stderr()).toContain(`sandbox fault ${fault} fired`);
  if (close === undefined) {
    expect(ends).toEqual(ends.map(() => "over"));
    return;
  }
  // Refused cleanly or not answered; never answered incorrectly.
  expect(ends.filter((one) => one !== 503 && one !== "unanswered")).toEqual([]);
  expect(await listener.closed).toEqual(close);
  await start();
  const after = new Set(await keys());
  expect([...before, ...acknowledged].filter((key) => !after.has(key))).toEqual([]);
});
