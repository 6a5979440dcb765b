import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Kalam, KalamRun } from "../wire/kalam.ts";
import { kalamOf } from "./kalam.ts";

/** For tests that wait for processes, on a busy machine. */
const busy = { timeout: 30_000 };

/** A stand-in for kalam: its first argument after the address says what to do. */
const program = `#!/usr/bin/env node
const { readFileSync, existsSync, writeFileSync } = require("node:fs");
const [, address, what, ...rest] = process.argv.slice(2);
const url = new URL(address);
const actions = {
  report: () => console.log(JSON.stringify({ address, rest, home: process.env.HOME, cwd: process.cwd(), secret: process.env.KALAM_TEST_SECRET ?? null, stdin: readFileSync(0, "utf8") })),
  fail: () => { process.stderr.write("Error: no\\n"); process.exitCode = 3; },
  read: () => { process.stdout.write(readFileSync("script.sql", "utf8")); writeFileSync("left.txt", "x"); },
  wait: () => { process.on("SIGINT", () => { console.log("interrupted"); process.exit(0); }); console.log("ready"); setInterval(() => {}, 1000); },
  ignoreInterrupt: () => { process.on("SIGINT", () => {}); console.log("ready"); setInterval(() => {}, 1000); },
  pour: () => { process.stdout.on("error", (error) => { process.stderr.write(error.code); process.exit(9); }); setInterval(() => console.log("more"), 5); },
  flood: () => process.stdout.write("x".repeat(1024 * 1024)),
  connect: () => {
    const socket = require("node:net").connect(Number(url.port), url.hostname);
    socket.on("error", (error) => { console.log(error.code); });
    socket.on("connect", () => { console.log("connected"); socket.write("hello"); });
    socket.on("data", () => console.log("data"));
  },
};
actions[what]();
`;

let folder: string;
let kalam: Kalam;
const made: string[] = [];
const gone: string[] = [];
const run = (what: string, change: Partial<KalamRun> = {}): KalamRun => ({
  args: [what],
  at: "server",
  timeoutMs: 20_000,
  ...change,
});

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-kalam-"));
  const binary = path.join(folder, "kalam");
  writeFileSync(binary, program);
  chmodSync(binary, 0o755);
  kalam = kalamOf(binary, "http://127.0.0.1:1234", {
    made: (name) => made.push(name),
    gone: (name) => gone.push(name),
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("arguments arrive unchanged after the address, in its own home folder, removed afterwards", busy, async () => {
  process.env["KALAM_TEST_SECRET"] = "not for it";
  try {
    const odd = ["a b", "'quoted'", "$(touch x)", "; rm -rf /", ""];
    const outcome = await kalam(run("report", { args: ["report", ...odd], input: "from us" }));
    const seen = JSON.parse(outcome.stdout) as { home: string };
    expect(seen).toMatchObject({ address: "http://127.0.0.1:1234", rest: odd, secret: null, stdin: "from us" });
    expect(seen).toMatchObject({ home: seen.home, cwd: seen.home });
    expect([made.at(-1), gone.at(-1), existsSync(seen.home)]).toEqual([seen.home, seen.home, false]);
    expect(outcome).toMatchObject({
      exitCode: 0,
      overdue: false,
      endedBySignal: null,
      endedAfterMs: null,
      notStarted: null,
    });
  } finally {
    delete process.env["KALAM_TEST_SECRET"];
  }
});

test("the exit code and both streams are returned", busy, async () => {
  expect(await kalam(run("fail"))).toMatchObject({ exitCode: 3, stderr: "Error: no\n", stdout: "" });
});

test("files are provided, and removed together with what it left", busy, async () => {
  const outcome = await kalam(run("read", { files: { "script.sql": "SELECT 'ü';\n" } }));
  expect(outcome).toMatchObject({ exitCode: 0, stdout: "SELECT 'ü';\n" });
  expect(existsSync(made.at(-1) ?? folder)).toBe(false);
});

test("an interrupt is delivered on request, and the time until its end is returned", busy, async () => {
  const interrupt = new AbortController();
  const outcome = await kalam(
    run("wait", { interrupt: interrupt.signal, onStdout: (text) => text.includes("ready") && interrupt.abort() }),
  );
  expect(outcome).toMatchObject({ exitCode: 0, stdout: "ready\ninterrupted\n", overdue: false });
  expect(outcome.endedAfterMs).not.toBeNull();
});

test("a process that ignores the interrupt is killed when the time is up", busy, async () => {
  const interrupt = new AbortController();
  const outcome = await kalam(
    run("ignoreInterrupt", { interrupt: interrupt.signal, timeoutMs: 1_500, onStdout: () => interrupt.abort() }),
  );
  expect(outcome).toMatchObject({ overdue: true, exitCode: null, endedBySignal: "SIGKILL" });
  expect(existsSync(made.at(-1) ?? folder)).toBe(false);
});

test("it is killed when the target dies", busy, async () => {
  const over = new AbortController();
  const outcome = await kalam(run("ignoreInterrupt", { signal: over.signal, onStdout: () => over.abort() }));
  expect(outcome).toMatchObject({ overdue: false, endedBySignal: "SIGKILL" });
});

test("stdout is closed after the first output, or from the start", busy, async () => {
  const first = await kalam(run("pour", { closeStdout: "after the first" }));
  expect(first).toMatchObject({ exitCode: 9, stderr: "EPIPE" });
  expect(first.stdout).toMatch(/^more/);
  const none = await kalam(run("pour", { closeStdout: "at once" }));
  expect(none).toMatchObject({ exitCode: 9, stdout: "" });
});

test("all output is read, and the first 256 KiB are kept", busy, async () => {
  const outcome = await kalam(run("flood"));
  expect([outcome.exitCode, outcome.stdout.length]).toEqual([0, 256 * 1024 + 1]);
});

test("an address without a server, and one that never answers", busy, async () => {
  expect((await kalam(run("connect", { at: "nobody" }))).stdout).toBe("ECONNREFUSED\n");
  const over = new AbortController();
  const silent = await kalam(run("connect", { at: "silence", signal: over.signal, onStdout: () => over.abort() }));
  expect(silent).toMatchObject({ stdout: "connected\n", endedBySignal: "SIGKILL" });
});

test("a program that cannot be started is reported and leaves nothing behind", async () => {
  const absent = kalamOf(path.join(folder, "absent"), "http://127.0.0.1:1", { made: () => {}, gone: () => {} });
  expect((await absent(run("report"))).notStarted).toMatch(/ENOENT/);
});
