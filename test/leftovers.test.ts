/** What a run leaves when it is killed, and the ledger that `cleanup` finds it by. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import { listed } from "../src/server/answer.ts";
import { cli, until, type CliOptions, type CliResult } from "./cli.ts";
import { openTestSession, startSandbox } from "./sandbox.ts";

/** Runs of the command line, on a machine that may be busy. */
vi.setConfig({ testTimeout: 60_000 });

let server: OwnServer;
let folder: string;
let state: string;
beforeAll(async () => void (server = await startSandbox()));
afterAll(async () => await server.stop());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-left-"));
  state = path.join(folder, "state");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const env = {
    KALAM_READY_URL: server.url,
    KALAM_READY_USER: "root",
    KALAM_READY_PASSWORD: server.rootPassword,
    KALAM_READY_STATE: state,
    ...options.env,
  };
  return await cli(args, { ...options, env });
}

/** Runs a statement on the server; the first column of its rows. */
async function sql(text: string): Promise<readonly string[]> {
  const { session, wire } = await openTestSession(server, path.join(folder, "look"));
  const answer = await session.sender.sql(session.login, text);
  session.ledger.close();
  await wire.close();
  return listed(answer) ?? [];
}
const namespaces = async (): Promise<readonly string[]> =>
  await sql("SELECT namespace_id FROM system.namespaces WHERE namespace_id LIKE 'kr%' LIMIT 100");

describe("a run that was killed while kalam ran", () => {
  const place = path.join(tmpdir(), "kalam-ready-0123456789ab");
  const ledger = (): string => path.join(state, "k7f3a.jsonl");
  beforeEach(async () => {
    await sql("CREATE NAMESPACE kr_k7f3a_1");
    mkdirSync(state);
    mkdirSync(place, { recursive: true });
    const head = { run: "k7f3a", url: server.url, pid: 2 ** 22 + 1, startedAt: new Date().toISOString() };
    const made = [{ kind: "namespace", name: "kr_k7f3a_1" }, { kind: "folder", name: place }]; // prettier-ignore
    writeFileSync(
      ledger(),
      [head, ...made.map((one) => ({ made: one }))].map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
  });
  afterEach(async () => {
    rmSync(place, { recursive: true, force: true });
    await sql("DROP NAMESPACE IF EXISTS kr_k7f3a_1 CASCADE");
  });

  test("is cleaned up here and on its server", async () => {
    const { code, stdout } = await run(["cleanup"]);
    expect(stdout).toMatch(/removing the folder .*\nremoving namespace kr_k7f3a_1\n1 removed, none/);
    expect([code, existsSync(place), readdirSync(state), await namespaces()]).toEqual([0, false, [], []]);
  });

  test("stays as it is with --dry-run, or where another run or another server is meant", async () => {
    const before = readFileSync(ledger(), "utf8");
    expect((await run(["cleanup", "--dry-run"])).stdout).toMatch(
      /would remove the folder .*\nwould remove namespace kr_/,
    );
    await run(["cleanup", "--run", "a1b2c"]);
    await run(["cleanup", "--url", "http://127.0.0.1:9"]);
    expect([existsSync(place), readFileSync(ledger(), "utf8")]).toEqual([true, before]);
    expect(await namespaces()).toEqual(["kr_k7f3a_1"]);
  });

  test("without a server only its folder can be removed, and what is left on which server is said", async () => {
    const { code, stderr } = await run(["cleanup"], { env: { KALAM_READY_URL: "" } });
    expect(stderr).toContain(
      `run k7f3a may have left 1 names on ${server.url}: kalam-ready cleanup --url ${server.url} --run k7f3a`,
    );
    expect([code, existsSync(place)]).toEqual([2, false]);
    expect((await run(["cleanup", "--run", "k7f3a"])).code).toBe(0);
    expect([await namespaces(), readdirSync(state)]).toEqual([[], []]);
  });
});

describe("a ledger that cannot be written", () => {
  const only = ["--only", "configuration/namespaces-kept-apart"];
  const told = /^kalam-ready: cannot write the ledger in \S+: E[A-Z]+;/m;

  test.for(["check", "prove", "cleanup"])("%s ends at once with 73", async (command) => {
    for (const place of ["/proc/x/state", "/dev/null/state"]) {
      const env = { KALAM_READY_STATE: place, ...(command === "prove" ? { KALAM_READY_URL: "" } : {}) };
      const { code, stderr } = await run([command, ...(command === "check" ? only : [])], { env });
      expect([code, stderr]).toEqual([73, expect.stringMatching(told) as string]);
    }
  });

  test("because the home folder is none", async () => {
    const { code, stderr } = await run(["check", ...only], { env: { KALAM_READY_STATE: "", HOME: "/proc" } });
    expect([code, stderr]).toEqual([73, expect.stringMatching(told) as string]);
  });

  test("from some moment on is 73 in the end, and the server is clean", async () => {
    const { code, stderr } = await run(["check", "-v", "--only", "configuration", "--parallel", "1"], {
      meanwhile: (child) => void until(child, "stderr", /^pass/m).then(() => rmSync(state, { recursive: true })),
    });
    expect([code, stderr]).toEqual([73, expect.stringMatching(told) as string]);
    expect(await namespaces()).toEqual([]);
  });

  test("is the only thing in a folder for this user only", async () => {
    const modeOf = (name: string): number => statSync(name).mode & 0o777;
    const modes: number[] = [];
    const look = (): number =>
      modes.push(modeOf(state), ...readdirSync(state).map((name) => modeOf(path.join(state, name))));
    await run(["check", "-v", ...only], { meanwhile: (child) => void until(child, "stderr", /^pass/m).then(look) });
    expect(modes).toEqual([0o700, 0o600]);
  });
});
