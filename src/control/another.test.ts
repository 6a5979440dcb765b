import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Others } from "../wire/control.ts";
import { startServer, type OwnServer } from "./process.ts";

const timeout = 60_000;

/** Answers with its own name and what it was given; with the mode `dies` it ends instead. */
const script = (name: string): string => `#!/usr/bin/env node
if (process.env.MODE === "dies") {
  console.error("the log is damaged");
  process.exit(4);
}
require("node:http")
  .createServer((_, response) => response.end(JSON.stringify({ name: "${name}", env: process.env })))
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
  server = await startServer(binary, { olderBinary, withinMs: 30_000, book });
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
