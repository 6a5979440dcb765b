import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { FAULTS } from "./faults.ts";
import { freePort, type StartOptions } from "../../src/control/process.ts";
import { settingsFile } from "../../src/control/settings-file.ts";
import { sandboxBinary, startSandbox } from "../../test/sandbox.ts";
import { visit } from "./visitor.ts";

/** For tests that wait for processes, on a busy machine. */
const busy = { timeout: 60_000 };

const folder = mkdtempSync(join(tmpdir(), "kalam-process-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const folders = {
  "storage.data_path": join(folder, "bad"),
  "logging.logs_path": join(folder, "logs"),
  "files.staging_path": join(folder, "s"),
};
const withSettings = (changes: Readonly<Record<string, string | number>>): string =>
  settingsFile(folder, 1, { ...folders, ...changes });

interface Ended {
  readonly code: number | null;
  readonly pid: number;
  readonly stderr: string;
}

/** Runs it with settings that are no good, until it ends or `until` is said. */
async function run(toml: string | undefined, faults = "", until = ""): Promise<Ended> {
  const file = join(folder, "bad.toml");
  if (toml !== undefined) writeFileSync(file, toml);
  const child = spawn(process.execPath, [sandboxBinary, toml === undefined ? join(folder, "nope.toml") : file], {
    env: { ...process.env, KALAM_SANDBOX_FAULTS: faults },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (until !== "" && said.includes(until)) child.kill("SIGKILL");
    });
  }
  await once(child, "close");
  return { code: child.exitCode, pid: child.pid ?? 0, stderr: said };
}

describe("settings that are no good", () => {
  test.for([
    ["server.port", withSettings({ "server.port": 0 })],
    ["logging.level", withSettings({ "logging.level": "loud" })],
    ["nope.toml", undefined],
    ["bad.toml", "[server"],
  ] as const)("end it with 1 and the name of the setting: %s", busy, async ([name, text]) => {
    const { code, stderr } = await run(text);
    expect(code).toBe(1);
    expect(stderr).toContain(`cannot start: `);
    expect(stderr).toContain(name);
  });

  test("a port that is taken ends it, too, and nothing of it is left behind", busy, async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const { code, stderr } = await run(withSettings({ "server.port": port }));
    taken.close();
    expect([code, stderr]).toEqual([1, expect.stringMatching(/server\.port.*EADDRINUSE/)]);
  });

  test("each fault is announced, and says when it happens", busy, async () => {
    expect(Object.keys(FAULTS)).toEqual(["startAnyway", "refuseSilently", "hangOnBadSettings"]);
    const bad = withSettings({ "server.port": 0 });
    const silent = await run(bad, "refuseSilently");
    expect(silent.code).toBe(1);
    expect(silent.stderr).toMatch(/refuseSilently on\n[\s\S]*refuseSilently fired\n$/);
    expect(silent.stderr).not.toContain("server.port");
    const hung = await run(bad, "hangOnBadSettings", "hangOnBadSettings fired");
    expect([hung.code, hung.stderr]).toEqual([null, expect.stringContaining("server.port")]);
    const anyway = await run(bad, "startAnyway", "ready on");
    rmSync(join(tmpdir(), `kalam-sandbox-${anyway.pid}`), { recursive: true });
    expect(anyway.stderr).toMatch(/startAnyway fired[\s\S]*ready on http:\/\/127\.0\.0\.1:\d+/);
    const unknown = await run(bad, "noSuchFault");
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("unknown sandbox fault noSuchFault")]);
  });
});

test("a process that was killed has lost nothing that it acknowledged, and starts again", busy, async () => {
  const options: Partial<StartOptions> = {
    dataFolder: join(folder, "killed"),
    rootPassword: "Pass-word-1234",
    port: await freePort(),
    environment: { KALAMDB_JWT_SECRET: "x".repeat(32) },
    changes: { "rate_limit.max_queries_per_sec": 100_000 },
  };
  let sandbox = await startSandbox(options);
  let root = await visit(sandbox.url, "root", "Pass-word-1234");
  const before = root;
  await root.rows("CREATE NAMESPACE n");
  await root.rows(
    "CREATE TABLE n.t (id BIGINT PRIMARY KEY DEFAULT SNOWFLAKE_ID(), v TEXT NOT NULL, at TIMESTAMP DEFAULT NOW()) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')",
  );
  await root.rows("ALTER TABLE n.t ADD COLUMN more INT DEFAULT 7");
  await root.rows("CREATE USER 'alice' WITH PASSWORD 'Right-1234' ROLE user");
  const described = await root.rows("DESCRIBE TABLE n.t HISTORY");
  const acknowledged: string[] = [];
  for (let round = 0; round < 2; round += 1) {
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; ; n += 1) {
        const id = String(round * 1_000_000 + writer * 100_000 + n);
        const said = await root.sql(`INSERT INTO n.t (id, v) VALUES (${id}, 'v${id}')`).catch(() => undefined);
        if (said?.status !== 200) return;
        acknowledged.push(id);
      }
    });
    await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan((round + 1) * 50);
    await sandbox.kill();
    await Promise.all(writers);
    sandbox = await startSandbox(options);
    root = await visit(sandbox.url, "root", "Pass-word-1234");
  }
  const found = new Map<unknown, unknown>();
  for (let from = "-1"; ;) {
    const page = await root.rows("SELECT id, v, more FROM n.t WHERE id > $1 ORDER BY id LIMIT 1000", [from]);
    for (const [id, v, more] of page) found.set(id, `${String(v)} ${String(more)}`);
    if (page.length < 1000) break;
    from = String(page.at(-1)?.[0]);
  }
  expect(acknowledged.filter((id) => found.get(id) !== `v${id} 7`)).toEqual([]);
  expect(await root.rows("DESCRIBE TABLE n.t HISTORY")).toEqual(described);
  // Passwords work, rights too, and a token from before, since the secret is the same.
  expect((await (await visit(sandbox.url, "alice", "Right-1234")).sql("INSERT INTO n.t (v) VALUES ('x')")).status).toBe(
    403,
  );
  expect((await before.sql("SELECT 1")).status).toBe(200);
  expect(await sandbox.stop()).toBe(0);
});

test("it ends cleanly while it is asked, and what was acknowledged is there", busy, async () => {
  const options: Partial<StartOptions> = {
    dataFolder: join(folder, "stopped"),
    rootPassword: "Pass-word-1234",
    changes: { "rate_limit.max_queries_per_sec": 100_000 },
  };
  const sandbox = await startSandbox(options);
  const root = await visit(sandbox.url, "root", "Pass-word-1234");
  await root.rows("CREATE TABLE t (id BIGINT PRIMARY KEY)");
  let acknowledged = 0;
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let n = 0; ; n += 1) {
      const said = await root.sql(`INSERT INTO t (id) VALUES (${writer * 100_000 + n})`).catch(() => undefined);
      if (said?.status !== 200) return said?.status ?? 0;
      acknowledged += 1;
    }
  });
  await expect.poll(() => acknowledged, { timeout: 20_000 }).toBeGreaterThan(20);
  expect(await sandbox.stop()).toBe(0);
  // Refused cleanly, or not answered at all; never answered wrongly.
  expect((await Promise.all(writers)).every((status) => status === 0 || status === 503)).toBe(true);
  const again = await startSandbox(options);
  const [[count] = []] = await (await visit(again.url, "root", "Pass-word-1234")).rows("SELECT count(*) FROM t");
  expect(Number(count)).toBeGreaterThanOrEqual(acknowledged);
  const operator = await visit(again.url, "root", "Pass-word-1234");
  await operator.sql(`BACKUP DATABASE TO '${join(folder, "backup")}'`);
  const state = async (): Promise<unknown> =>
    (await operator.rows("SELECT status FROM system.jobs WHERE job_type = 'backup'"))[0]?.[0];
  await expect.poll(state, { timeout: 20_000 }).toBe("completed");
  await again.kill();
  const restored = await startSandbox({ ...options, dataFolder: join(folder, "backup") });
  expect(await (await visit(restored.url, "root", "Pass-word-1234")).rows("SELECT count(*) FROM t")).toEqual([[count]]);
  await restored.kill();
});

test("two cannot have one data folder, and the lock of a dead one is taken over", busy, async () => {
  const dataFolder = join(folder, "locked");
  const first = await startSandbox({ dataFolder });
  await expect(startSandbox({ dataFolder })).rejects.toThrow(`in use by process ${first.pid}`);
  await first.kill();
  const second = await startSandbox({ dataFolder });
  expect(await second.stop()).toBe(0);
});
