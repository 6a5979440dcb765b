import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Others } from "../wire/control.ts";
import { startServer, type OwnServer } from "./process.ts";
import { whyNoTrace } from "./tracing.ts";

const timeout = 60_000;

/** Answers with its own name and what it was given; with the mode `dies` it ends instead. */
const script = (name: string): string => `#!/usr/bin/env node
if (process.env.MODE === "dies") {
  console.error("the log is damaged");
  process.exit(4);
}
require("node:http")
  .createServer((_, response) => response.end(JSON.stringify({
    name: "${name}",
    env: process.env,
    settings: require("node:fs").readFileSync(process.argv[2], "utf8"),
  })))
  .listen(Number(process.env.KALAMDB_SERVER_PORT), "127.0.0.1");
`;

const folder = mkdtempSync(path.join(tmpdir(), "another-"));
const log: string[] = [];
let server: OwnServer;
let others: Others;

beforeAll(async () => {
  const binaries = ["new", "old"].map((name) => {
    const file = path.join(folder, name);
    writeFileSync(file, script(name));
    chmodSync(file, 0o755);
    return file;
  });
  const [binary = "", olderBinary = ""] = binaries;
  const book = { made: (name: string) => log.push(`made ${name}`), gone: (name: string) => log.push(`gone ${name}`) };
  server = await startServer(binary, { olderBinary, forSpeed: "all", withinMs: 30_000, book });
  const { others: found } = server.control.own ?? {};
  if (found === undefined) throw new Error("no other server can be started");
  others = found;
}, timeout);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Said {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly settings: string;
}

async function ask(start: Partial<Parameters<Others["start"]>[0]>) {
  const other = await others.start({ dataFolder: others.disk.newFolder(), withinMs: 30_000, ...start });
  if (other.kind === "notReady") return other;
  const answer = await other.exchange({ method: "GET", path: "/", headers: {}, timeoutMs: 10_000 });
  if (answer.kind !== "answered") throw new Error(answer.detail);
  return { other, said: JSON.parse(new TextDecoder().decode(answer.body)) as Said };
}

test("another server runs beside the first, on the data folder that it was given", { timeout }, async () => {
  const dataFolder = others.disk.newFolder();
  const asked = await ask({ dataFolder, environment: { KALAM_SANDBOX_FAULTS: "hangOnStop" } });
  if ("kind" in asked) throw new Error(asked.why);
  const { other, said } = asked;
  expect(said).toMatchObject({
    name: "new",
    env: {
      KALAMDB_DATA_DIR: dataFolder,
      KALAMDB_ROOT_PASSWORD: server.rootPassword,
      KALAM_SANDBOX_FAULTS: "hangOnStop",
    },
  });
  expect(said.env["KALAMDB_SERVER_PORT"]).not.toBe(String(server.control.own?.port));
  // It has no handler for SIGTERM.
  expect(await other.stop()).toBe(null);
  expect([existsSync(dataFolder), server.isRunning()]).toEqual([true, true]);
  const older = await ask({ dataFolder, older: true });
  if ("kind" in older) throw new Error(older.why);
  expect(older.said.name).toBe("old");
  await older.other.kill();
  expect([existsSync(dataFolder), server.isRunning()]).toEqual([true, true]);
  const request = { method: "GET", path: "/", headers: {}, timeoutMs: 5_000 };
  expect(await older.other.exchange(request)).toMatchObject({ kind: "broken" });
});

test("what decides about syncing is changed for speed only where that does not matter", { timeout }, async () => {
  const settings = async (durable: boolean): Promise<string> => {
    const asked = await ask({ durable });
    if ("kind" in asked) throw new Error(asked.why);
    await asked.other.kill();
    return asked.said.settings;
  };
  const [fast, durable] = [await settings(false), await settings(true)];
  expect(fast).toContain("rocksdb.sync_writes = false");
  expect(durable).not.toContain("sync_writes");
  expect(durable).toContain("bcrypt_cost = 4");
});

test("one that is traced ends as others do, and what it did is recorded to the end", { timeout }, async ({ skip }) => {
  const why = whyNoTrace();
  if (why !== undefined) skip(why);
  const traceTo = others.disk.newFolder();
  const asked = await ask({ traceTo });
  if ("kind" in asked) throw new Error(asked.why);
  expect(await asked.other.stop()).toBe(null);
  const read = (): string => readFileSync(path.join(traceTo, "trace"), "latin1");
  await expect.poll(read, { timeout: 20_000 }).toMatch(/\+\+\+ killed by SIGTERM \+\+\+/);
  expect(read()).toMatch(/openat\(AT_FDCWD<.*server\.toml/);
});

test("one that ends is reported with its last words", { timeout }, async () => {
  expect(await ask({ environment: { MODE: "dies" } })).toMatchObject({
    kind: "notReady",
    ended: true,
    why: expect.stringMatching(/ended with exit code 4$/) as unknown,
    lastWords: "the log is damaged",
  });
});

test("with the server under check all others end, and their folders are gone", { timeout }, async () => {
  const first = await startServer(path.join(folder, "new"), {
    withinMs: 30_000,
    book: { made: () => undefined, gone: () => undefined },
  });
  const beside = first.control.own?.others;
  const dataFolder = beside?.disk.newFolder() ?? "";
  expect(beside?.hasOlder).toBe(false);
  await expect(beside?.start({ dataFolder, older: true, withinMs: 30_000 })).rejects.toThrow("no older binary");
  const other = await beside?.start({ dataFolder, withinMs: 30_000 });
  await first.stop();
  expect(existsSync(dataFolder)).toBe(false);
  const request = { method: "GET", path: "/", headers: {}, timeoutMs: 5_000 };
  expect(other?.kind === "running" ? await other.exchange(request) : other).toMatchObject({ kind: "broken" });
});

test("one that is starting when all end does not stay", { timeout }, async () => {
  const first = await startServer(path.join(folder, "new"), {
    withinMs: 30_000,
    book: { made: () => undefined, gone: () => undefined },
  });
  const beside = first.control.own?.others;
  const dataFolder = beside?.disk.newFolder() ?? "";
  const late = beside?.start({ dataFolder, withinMs: 30_000 });
  await first.stop();
  expect(await late).toMatchObject({ kind: "notReady", why: "the run is over" });
  expect(existsSync(dataFolder)).toBe(false);
});
