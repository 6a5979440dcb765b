import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OwnControl, TrialSettings } from "../wire/control.ts";
import { removeLeftServer } from "./folder.ts";
import { startServer, StartError, type OwnServer, type StartOptions } from "./process.ts";

/** For tests that wait for processes, on a busy machine. */
const busy = { timeout: 30_000 };

/** A minimal server: it reads its settings, listens and reports what it was given, or misbehaves according to its mode. */
const script = `#!/usr/bin/env node
const { existsSync, readFileSync } = require("node:fs");
const [, , file] = process.argv;
if (!existsSync(file)) {
  console.error("there is no " + file);
  process.exit(3);
}
const text = readFileSync(file, "utf8");
const mode = process.env.MODE ?? /^mode = "(\\w+)"$/m.exec(text)?.[1];
const port = Number(process.env.KALAMDB_SERVER_PORT ?? /^port = (\\d+)$/m.exec(text)?.[1]);
if (mode === "dies") {
  console.log("starting");
  console.error("mode is not supported");
  process.exit(4);
} else if (mode === "loud") {
  process.stderr.write("x".repeat(9000) + "the end\\n", () => process.exit(5));
} else if (mode === "echo") {
  console.log(process.cwd() + "\\n" + text);
  process.exit(6);
} else if (mode === "killed") {
  process.kill(process.pid, "SIGKILL");
} else if (mode === "silent") {
  setInterval(() => {}, 1000);
} else {
  if (mode === "polite") process.on("SIGINT", () => process.exit(2)).on("SIGTERM", () => process.exit(15));
  if (mode === "stubborn") process.on("SIGTERM", () => {});
  const statusOf = ({ method }) => (mode === "sick" || (mode === "noSql" && method === "POST") ? 503 : 200);
  require("node:http")
    .createServer((request, response) => response.writeHead(statusOf(request)).end(JSON.stringify({ env: process.env, cwd: process.cwd(), text })))
    .listen(port, "127.0.0.1");
}
`;

let folder = "";
let binary = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "control-"));
  binary = path.join(folder, "server");
  writeFileSync(binary, script);
  chmodSync(binary, 0o755);
});

const servers: OwnServer[] = [];
afterAll(async () => {
  await Promise.all(servers.map(async (server) => await server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

interface Book {
  readonly log: string[];
  made(name: string): void;
  gone(name: string): void;
}

function newBook(): Book {
  const log: string[] = [];
  return {
    log,
    made: (name) => log.push(`made ${name} ${existsSync(name)}`),
    gone: (name) => log.push(`gone ${name} ${existsSync(name)}`),
  };
}

async function start(options: Partial<StartOptions> = {}): Promise<OwnServer> {
  const server = await startServer(binary, { withinMs: 10_000, book: newBook(), ...options });
  servers.push(server);
  return server;
}

interface Said {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly text: string;
}
const saidBy = async ({ url }: OwnServer): Promise<Said> => (await (await fetch(url)).json()) as Said;

describe.concurrent("a server of our own", busy, () => {
  test("answers on loopback, gets its address, folders and secrets from us, and nothing else of our environment", async () => {
    process.env["KALAM_READY_PASSWORD"] = "not for the server";
    const server = await start({ environment: { KALAMDB_LOGS_DIR: "/elsewhere" } });
    delete process.env["KALAM_READY_PASSWORD"];
    const { env, cwd } = await saidBy(server);
    expect(server.url).toBe(`http://127.0.0.1:${server.control.own?.port}`);
    expect(env).toMatchObject({
      KALAMDB_SERVER_HOST: "127.0.0.1",
      KALAMDB_SERVER_PORT: String(server.control.own?.port),
      KALAMDB_DATA_DIR: path.join(cwd, "data"),
      KALAMDB_LOGS_DIR: "/elsewhere",
      KALAMDB_ROOT_PASSWORD: server.rootPassword,
    });
    expect(env["KALAMDB_JWT_SECRET"]).toMatch(/^.{32,}$/);
    expect(env).not.toHaveProperty("KALAM_READY_PASSWORD");
    expect(server.isRunning()).toBe(true);
    // It is Node, which is never that small, and not that large.
    expect(server.control.own?.residentBytes()).toBeGreaterThan(10 * 1024 * 1024);
    expect(server.control.own?.residentBytes()).toBeLessThan(4 * 1024 * 1024 * 1024);
  });

  test("has cheap passwords and no rate limits in the way where it was asked to be fast, but not against the user's settings file", async () => {
    const fast = await start({ forSpeed: "all" });
    expect((await saidBy(fast)).text).toMatch(/^bcrypt_cost = 4$/m);
    expect((await saidBy(fast)).text).toMatch(/^max_queries_per_sec = 100000$/m);
    expect(fast.control.own?.lowered).toEqual({
      "auth.bcrypt_cost": 4,
      "storage.rocksdb.sync_writes": false,
      "topics.visibility_timeout_secs": 8,
      "rate_limit.max_queries_per_sec": 100_000,
      "rate_limit.max_auth_requests_per_ip_per_sec": 10_000,
    });
    const limited = await start({ forSpeed: "exceptRates" });
    expect((await saidBy(limited)).text).not.toContain("rate_limit");
    expect(limited.control.own?.lowered).toEqual({
      "auth.bcrypt_cost": 4,
      "storage.rocksdb.sync_writes": false,
      "topics.visibility_timeout_secs": 8,
    });
    const usual = await start();
    expect((await saidBy(usual)).text).not.toContain("bcrypt_cost");
    expect(usual.control.own?.lowered).toEqual({});
    const config = path.join(folder, "users-own.toml");
    writeFileSync(config, "[auth]\nbcrypt_cost = 6\n");
    const theirs = await start({ forSpeed: "all", config });
    expect((await saidBy(theirs)).text).toBe("[auth]\nbcrypt_cost = 6\n");
    expect(theirs.control.own?.lowered).toEqual({});
  });

  test("has a settings file of its own, with the changes in it, or the user's", async () => {
    const changed = await saidBy(
      await start({ changes: { "limits.max_query_limit": 7, "server.name": 'a "b"', "new.flag": true } }),
    );
    expect(changed.text).toMatch(/^\[server\]\nhost = "127\.0\.0\.1"\nport = \d+\nname = "a \\"b\\""\n\n\[storage\]/);
    expect(changed.text).toMatch(/\[limits\]\nmax_query_limit = 7\n/);
    expect(changed.text).toMatch(/\[new\]\nflag = true\n/);
    const config = path.join(folder, "own.toml");
    writeFileSync(config, "# mine");
    expect((await saidBy(await start({ config }))).text).toBe("# mine");
  });

  test("stops and its folder is removed; the book is notified before it is created and after it is removed", async () => {
    const book = newBook();
    const server = await start({ book });
    const { cwd } = await saidBy(server);
    expect(path.basename(cwd)).toMatch(/^kalam-ready-[0-9a-f]{12}$/);
    await server.stop();
    expect(server.isRunning()).toBe(false);
    expect(book.log).toEqual([`made ${cwd} false`, `gone ${cwd} false`]);
    await expect(fetch(server.url)).rejects.toThrow("fetch failed");
  });

  test("is seen to have died", async () => {
    const server = await start();
    process.kill(server.pid, "SIGKILL");
    await expect.poll(() => server.isRunning(), { timeout: 20_000 }).toBe(false);
  });
});

describe.concurrent("a server that does not start is reported in a sentence and leaves nothing behind:", busy, () => {
  test.for<[string, Partial<StartOptions>, RegExp]>([
    ["it ends by itself", { environment: { MODE: "dies" } }, /server ended with exit code 4: mode is not supported$/],
    ["it is killed", { environment: { MODE: "killed" } }, /server ended with signal SIGKILL/],
    ["it says nothing", { environment: { MODE: "silent" }, withinMs: 300 }, /server did not answer within 300 ms/],
    ["it is never healthy", { environment: { MODE: "sick" }, withinMs: 300 }, /server did not answer within 300 ms/],
    ["its settings are missing", { config: "/no/such/file.toml" }, /exit code 3: there is no \/no\/such\/file\.toml/],
  ])("%s", async ([, options, words]) => {
    const book = newBook();
    const starting = start({ ...options, book });
    await expect(starting).rejects.toThrow(StartError);
    await expect(starting).rejects.toThrow(words);
    expect(book.log).toHaveLength(2);
    expect(book.log[1]).toMatch(/^gone .* false$/);
  });

  test("its port is already in use, and the answer there would be taken for its own", async () => {
    const { control } = await start();
    const book = newBook();
    const starting = start({ port: control.own?.port ?? 0, book });
    await expect(starting).rejects.toMatchObject({ code: "portInUse" });
    expect(book.log).toEqual([]);
  });

  test("the program does not exist or is not executable", async () => {
    const noProgram = path.join(folder, "text");
    writeFileSync(noProgram, "hello");
    for (const [program, words] of [
      ["/no/such/server", "ENOENT"],
      [noProgram, "EACCES"],
    ] as const) {
      const book = newBook();
      const starting = startServer(program, { withinMs: 5000, book });
      await expect(starting).rejects.toThrow(StartError);
      await expect(starting).rejects.toThrow(words);
      expect(book.log).toHaveLength(2);
    }
  });

  test("the wait is aborted", async () => {
    const stop = new AbortController();
    const starting = start({ environment: { MODE: "silent" }, withinMs: 60_000, signal: stop.signal });
    stop.abort();
    await expect(starting).rejects.toThrow(StartError);
    await expect(starting).rejects.toThrow("server was stopped before it answered");
  });
});

describe.concurrent("the lifecycle of a server of our own", busy, () => {
  const controlled = async (options: Partial<StartOptions> = {}) => {
    const server = await start(options);
    const { lifecycle } = server.control;
    if (lifecycle === undefined) throw new Error("no lifecycle");
    return { server, lifecycle };
  };

  test("killed, it is gone; started, it is another process with the same port, folders and secrets", async () => {
    const { server, lifecycle } = await controlled();
    const before = await saidBy(server);
    const [pid, id] = [server.pid, await lifecycle.processId()];
    await lifecycle.kill();
    expect(server.isRunning()).toBe(false);
    expect(() => process.kill(-pid, 0)).toThrow("ESRCH");
    expect(existsSync(before.cwd)).toBe(true);
    const started = await lifecycle.start(20_000);
    expect(started).toMatchObject({ kind: "ready" });
    if (started.kind === "ready") expect(started.readyMs).toBeGreaterThanOrEqual(started.healthyMs);
    expect(await saidBy(server)).toEqual(before);
    expect(server.pid).not.toBe(pid);
    expect(await lifecycle.processId()).not.toBe(id);
  });

  test("stopped, its exit is told, and by which signal it was asked", async () => {
    const { lifecycle } = await controlled({ environment: { MODE: "polite" } });
    expect(await lifecycle.stop({ signal: "SIGINT", withinMs: 10_000 })).toMatchObject({ stopped: true, exitCode: 2 });
    expect(await lifecycle.start(20_000)).toMatchObject({ kind: "ready" });
    expect(await lifecycle.stop({ withinMs: 10_000 })).toMatchObject({ stopped: true, exitCode: 15 });
  });

  test("one that ignores the signal is not called stopped, and runs as it was once it is revived", async () => {
    const { server, lifecycle } = await controlled({ environment: { MODE: "stubborn" } });
    const { pid } = server;
    expect(await lifecycle.stop({ withinMs: 100 })).toMatchObject({ stopped: false, exitCode: null });
    expect(await lifecycle.start(100)).toMatchObject({ kind: "notReady", why: "it is still running" });
    expect(await lifecycle.revive()).toBeUndefined();
    expect(server.pid).not.toBe(pid);
    await lifecycle.kill();
  });

  test("started otherwise, it is as it was once it is revived", async () => {
    const { server, lifecycle } = await controlled();
    const before = await saidBy(server);
    await lifecycle.kill();
    await lifecycle.start(20_000, { environment: { MARK: "yes" }, emptyFolder: true });
    const other = await saidBy(server);
    expect(other.env["MARK"]).toBe("yes");
    expect(other.env["KALAMDB_DATA_DIR"]).not.toBe(before.env["KALAMDB_DATA_DIR"]);
    expect(await lifecycle.revive()).toBeUndefined();
    expect(await saidBy(server)).toEqual(before);
    const { pid } = server;
    expect(await lifecycle.revive()).toBeUndefined();
    expect(server.pid).toBe(pid);
  });

  test("one that does not come up is reported with its last words, and its port may be another's", async () => {
    const { server, lifecycle } = await controlled();
    await lifecycle.kill();
    expect(await lifecycle.start(20_000, { environment: { MODE: "dies" } })).toEqual({
      kind: "notReady",
      why: "it ended with exit code 4",
      ended: true,
      lastWords: "mode is not supported",
    });
    expect(await lifecycle.start(300, { environment: { MODE: "sick" } })).toMatchObject({
      kind: "notReady",
      why: "health was not answered within 300 ms",
    });
    await lifecycle.kill();
    const other = await start({ port: Number(new URL(server.url).port) });
    expect(await lifecycle.start(300)).toMatchObject({ why: expect.stringMatching(/is in use by another process$/) });
    await other.stop();
    expect(await lifecycle.revive()).toBeUndefined();
  });

  test("health before SQL is told apart", async () => {
    const { lifecycle } = await controlled();
    await lifecycle.kill();
    expect(await lifecycle.start(1_000, { environment: { MODE: "noSql" } })).toMatchObject({
      why: "SQL was not answered within 1000 ms",
    });
  });

  test("paused, it does not answer; resumed or revived, it does; and it can be stopped while it is paused", async () => {
    const { server, lifecycle } = await controlled();
    const answer = async (): Promise<unknown> => await fetch(server.url, { signal: AbortSignal.timeout(300) });
    await lifecycle.pausing?.pause();
    await expect(answer()).rejects.toThrow("timeout");
    await lifecycle.pausing?.resume();
    await saidBy(server);
    await lifecycle.pausing?.pause();
    expect(await lifecycle.revive()).toBeUndefined();
    await saidBy(server);
    await lifecycle.pausing?.pause();
    await server.stop();
    expect(server.isRunning()).toBe(false);
  });
});

describe.concurrent("on trial", busy, () => {
  const book = newBook();
  let own: OwnControl;
  beforeAll(async () => {
    const { control } = await start({ book });
    if (control.own === undefined) throw new Error("no control");
    ({ own } = control);
  });

  test("a server that starts is reported as answering, and is stopped again", async () => {
    const outcome = await own.trial({ kind: "changed", changes: {} }, 10_000);
    expect(outcome).toMatchObject({ answered: true, exitCode: null, leftListening: false });
    expect(book.log.filter((line) => line.startsWith("gone")).length).toBeGreaterThan(0);
  });

  test.for<[string, TrialSettings, number, string]>([
    ["no settings file", { kind: "noFile" }, 3, "there is no "],
    ["a text instead of settings", { kind: "text", text: 'mode = "dies"' }, 4, "mode is not supported\n"],
    ["changed settings", { kind: "changed", changes: { "x.mode": "dies" } }, 4, "mode is not supported\n"],
  ])("%s: the exit code and the output are returned", async ([, settings, exitCode, stderr]) => {
    const outcome = await own.trial(settings, 10_000);
    expect(outcome).toMatchObject({ answered: false, exitCode, leftListening: false });
    expect(outcome.stderr.startsWith(stderr)).toBe(true);
  });

  test("a server that neither answers nor ends is still running when the time is up", async () => {
    const outcome = await own.trial({ kind: "changed", changes: { "x.mode": "silent" } }, 200);
    expect(outcome).toMatchObject({ answered: false, exitCode: null, leftListening: false });
  });

  test("the beginning of a long output is kept", async () => {
    const { stderr, exitCode } = await own.trial({ kind: "changed", changes: { "x.mode": "loud" } }, 10_000);
    expect(exitCode).toBe(5);
    expect(stderr).toBe(`${"x".repeat(4000)}…`);
  });

  test("an answer on a port that was already in use does not count", async () => {
    const outcome = await own.trial({ kind: "changed", changes: { "server.port": own.port, "x.mode": "silent" } }, 100);
    expect(outcome).toMatchObject({ answered: false, leftListening: false });
  });

  test("{folder} and {file} stand for a fresh folder and a regular file in it", async () => {
    const settings = { "x.mode": "echo", "x.a": "{folder}/new", "x.b": "{file}/data" };
    const { stdout, exitCode } = await own.trial({ kind: "changed", changes: settings }, 10_000);
    const [fresh = ""] = stdout.split("\n");
    expect(exitCode).toBe(6);
    expect(path.basename(fresh)).toMatch(/^kalam-ready-[0-9a-f]{12}$/);
    expect(stdout).toContain(`a = "${fresh}/new"\nb = "${path.join(fresh, "regular-file")}/data"`);
  });
});

describe("a server left by a killed run", busy, () => {
  test("is killed and its folder removed, found without its process id", async () => {
    const left = path.join(folder, "kalam-ready-0123456789ab");
    mkdirSync(left);
    const child = spawn("sleep", ["60"], { cwd: left });
    await once(child, "spawn");
    removeLeftServer(left);
    await once(child, "close");
    expect(child.signalCode).toBe("SIGKILL");
    expect(existsSync(left)).toBe(false);
  });

  test("is left alone if the name of its folder is not one of ours", async () => {
    for (const name of ["kalam-ready", "kalam-ready-xyz", "kalam-ready-0123456789abc", "data"]) {
      const other = path.join(folder, name);
      mkdirSync(other);
      removeLeftServer(other);
      expect(existsSync(other)).toBe(true);
    }
    expect(() => removeLeftServer(path.join(folder, "kalam-ready-ffffffffffff"))).not.toThrow();
  });
});
