import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Control, TrialSettings } from "../wire/control.ts";
import { removeLeftServer, startServer, StartError, type OwnServer, type StartOptions } from "./process.ts";

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
  const status = mode === "sick" ? 503 : 200;
  require("node:http")
    .createServer((_, response) => response.writeHead(status).end(JSON.stringify({ env: process.env, cwd: process.cwd(), text })))
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
    expect(server.url).toBe(`http://127.0.0.1:${server.control.port}`);
    expect(env).toMatchObject({
      KALAMDB_SERVER_HOST: "127.0.0.1",
      KALAMDB_SERVER_PORT: String(server.control.port),
      KALAMDB_DATA_DIR: path.join(cwd, "data"),
      KALAMDB_LOGS_DIR: "/elsewhere",
      KALAMDB_ROOT_PASSWORD: server.rootPassword,
    });
    expect(env["KALAMDB_JWT_SECRET"]).toMatch(/^.{32,}$/);
    expect(env).not.toHaveProperty("KALAM_READY_PASSWORD");
    expect(server.isRunning()).toBe(true);
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
    const starting = start({ port: control.port, book });
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

describe.concurrent("on trial", busy, () => {
  const book = newBook();
  let control: Control = { kind: "process", port: 0, trial: () => Promise.reject(new Error("not started")) };
  beforeAll(async () => {
    ({ control } = await start({ book }));
  });

  test("a server that starts is reported as answering, and is stopped again", async () => {
    const outcome = await control.trial({ kind: "changed", changes: {} }, 10_000);
    expect(outcome).toMatchObject({ answered: true, exitCode: null, leftListening: false });
    expect(book.log.filter((line) => line.startsWith("gone")).length).toBeGreaterThan(0);
  });

  test.for<[string, TrialSettings, number, string]>([
    ["no settings file", { kind: "noFile" }, 3, "there is no "],
    ["a text instead of settings", { kind: "text", text: 'mode = "dies"' }, 4, "mode is not supported\n"],
    ["changed settings", { kind: "changed", changes: { "x.mode": "dies" } }, 4, "mode is not supported\n"],
  ])("%s: the exit code and the output are returned", async ([, settings, exitCode, stderr]) => {
    const outcome = await control.trial(settings, 10_000);
    expect(outcome).toMatchObject({ answered: false, exitCode, leftListening: false });
    expect(outcome.stderr.startsWith(stderr)).toBe(true);
  });

  test("a server that neither answers nor ends is still running when the time is up", async () => {
    const outcome = await control.trial({ kind: "changed", changes: { "x.mode": "silent" } }, 200);
    expect(outcome).toMatchObject({ answered: false, exitCode: null, leftListening: false });
  });

  test("the beginning of a long output is kept", async () => {
    const { stderr, exitCode } = await control.trial({ kind: "changed", changes: { "x.mode": "loud" } }, 10_000);
    expect(exitCode).toBe(5);
    expect(stderr).toBe("x".repeat(4000));
  });

  test("an answer on a port that was already in use does not count", async () => {
    const outcome = await control.trial(
      { kind: "changed", changes: { "server.port": control.port, "x.mode": "silent" } },
      100,
    );
    expect(outcome).toMatchObject({ answered: false, leftListening: false });
  });

  test("{folder} and {file} stand for a fresh folder and a regular file in it", async () => {
    const settings = { "x.mode": "echo", "x.a": "{folder}/new", "x.b": "{file}/data" };
    const { stdout, exitCode } = await control.trial({ kind: "changed", changes: settings }, 10_000);
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
