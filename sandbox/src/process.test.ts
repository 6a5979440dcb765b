import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { freePort } from "../../src/control/child.ts";
import type { StartOptions } from "../../src/control/process.ts";
import { settingsFile } from "../../src/control/settings-file.ts";
import { sandboxBinary, startSandbox } from "../../test/sandbox.ts";
import { signIn } from "./client.ts";

/** They wait for a process of its own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 60_000 });

const all = mkdtempSync(path.join(tmpdir(), "kalam-process-"));
let folder = mkdtempSync(path.join(all, "settings-"));
// A test that is tried again must not find what its first try left.
beforeEach(() => {
  folder = mkdtempSync(path.join(all, "test-"));
});
afterAll(() => rmSync(all, { recursive: true, force: true }));

const folders = {
  "storage.data_path": path.join(folder, "bad"),
  "logging.logs_path": path.join(folder, "logs"),
  "files.staging_path": path.join(folder, "s"),
};
const withSettings = (changes: Readonly<Record<string, string | number>>): string =>
  settingsFile(folder, 1, { ...folders, ...changes });

interface Ended {
  readonly code: number | null;
  readonly pid: number;
  readonly stderr: string;
}

/** Runs the sandbox with bad settings until it exits or prints `until`. */
async function run(toml: string | undefined, faults = "", until = ""): Promise<Ended> {
  const file = path.join(folder, "bad.toml");
  if (toml !== undefined) writeFileSync(file, toml);
  const child = spawn(process.execPath, [sandboxBinary, toml === undefined ? path.join(folder, "nope.toml") : file], {
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

describe("bad settings", () => {
  test.for([
    ["server.port", withSettings({ "server.port": 0 })],
    ["logging.level", withSettings({ "logging.level": "loud" })],
    ["nope.toml", undefined],
    ["bad.toml", "[server"],
  ] as const)("exit with code 1 and name the setting: %s", async ([name, text]) => {
    const { code, stderr } = await run(text);
    expect(code).toBe(1);
    expect(stderr).toContain(`cannot start: `);
    expect(stderr).toContain(name);
  });

  test("a port in use exits with code 1, too", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const { code, stderr } = await run(withSettings({ "server.port": port }));
    taken.close();
    expect([code, stderr]).toEqual([1, expect.stringMatching(/server\.port.*EADDRINUSE/)]);
  });

  test("each fault is logged when switched on and when fired", async () => {
    const bad = withSettings({ "server.port": 0 });
    const silent = await run(bad, "refuseSilently");
    expect(silent.code).toBe(1);
    expect(silent.stderr).toMatch(/refuseSilently on\n[\s\S]*refuseSilently fired\n$/);
    expect(silent.stderr).not.toContain("server.port");
    const hung = await run(bad, "hangOnBadSettings", "hangOnBadSettings fired");
    expect([hung.code, hung.stderr]).toEqual([null, expect.stringContaining("server.port")]);
    const anyway = await run(bad, "startAnyway", "ready on");
    rmSync(path.join(tmpdir(), `kalam-sandbox-${anyway.pid}`), { recursive: true });
    expect(anyway.stderr).toMatch(/startAnyway fired[\s\S]*ready on http:\/\/127\.0\.0\.1:\d+/);
    for (const fault of ["noSuchFault", "toString", "hangOnStop=1", "loseOnKill=", "loseOnKill=-1"]) {
      const unknown = await run(bad, `loseOnKill=2,${fault}`);
      expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining(`unknown sandbox fault ${fault};`)]);
    }
  });
});

test("a killed sandbox restarts without losing an acknowledged write", async () => {
  const options: Partial<StartOptions> = {
    dataFolder: path.join(folder, "killed"),
    rootPassword: "Pass-word-1234",
    port: await freePort(),
    environment: { KALAMDB_JWT_SECRET: "x".repeat(32) },
    changes: { "rate_limit.max_queries_per_sec": 100_000 },
  };
  let sandbox = await startSandbox(options);
  let root = await signIn(sandbox.url, "root", "Pass-word-1234");
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
    await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan((round + 1) * 50);
    await sandbox.kill();
    await Promise.all(writers);
    sandbox = await startSandbox(options);
    root = await signIn(sandbox.url, "root", "Pass-word-1234");
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
  // Passwords and privileges work, and so does an earlier token, since the secret is the same.
  expect(
    (await (await signIn(sandbox.url, "alice", "Right-1234")).sql("INSERT INTO n.t (v) VALUES ('x')")).status,
  ).toBe(403);
  expect((await before.sql("SELECT 1")).status).toBe(200);
  expect(await sandbox.stop()).toBe(0);
});

test("it stops cleanly under load, and acknowledged writes are kept", async () => {
  const options: Partial<StartOptions> = {
    dataFolder: path.join(folder, "stopped"),
    rootPassword: "Pass-word-1234",
    changes: { "rate_limit.max_queries_per_sec": 100_000 },
  };
  const sandbox = await startSandbox(options);
  const root = await signIn(sandbox.url, "root", "Pass-word-1234");
  await root.rows("CREATE TABLE t (id BIGINT PRIMARY KEY)");
  let acknowledged = 0;
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let n = 0; ; n += 1) {
      const said = await root.sql(`INSERT INTO t (id) VALUES (${writer * 100_000 + n})`).catch(() => undefined);
      if (said?.status !== 200) return said?.status ?? 0;
      acknowledged += 1;
    }
  });
  await expect.poll(() => acknowledged).toBeGreaterThan(20);
  expect(await sandbox.stop()).toBe(0);
  // Refused cleanly or not answered; never answered incorrectly.
  expect((await Promise.all(writers)).every((status) => status === 0 || status === 503)).toBe(true);
  const again = await startSandbox(options);
  const [[count] = []] = await (await signIn(again.url, "root", "Pass-word-1234")).rows("SELECT count(*) FROM t");
  expect(Number(count)).toBeGreaterThanOrEqual(acknowledged);
  const operator = await signIn(again.url, "root", "Pass-word-1234");
  await operator.sql(`BACKUP DATABASE TO '${path.join(folder, "backup")}'`);
  const state = async (): Promise<unknown> =>
    (await operator.rows("SELECT status FROM system.jobs WHERE job_type = 'backup'"))[0]?.[0];
  await expect.poll(state).toBe("completed");
  await again.kill();
  const restored = await startSandbox({ ...options, dataFolder: path.join(folder, "backup") });
  expect(await (await signIn(restored.url, "root", "Pass-word-1234")).rows("SELECT count(*) FROM t")).toEqual([
    [count],
  ]);
  await restored.kill();
  // Into a new server, whose next start has it.
  const fresh = await startSandbox({ ...options, dataFolder: path.join(folder, "fresh") });
  const admin = await signIn(fresh.url, "root", "Pass-word-1234");
  await admin.rows("CREATE TABLE t (id BIGINT PRIMARY KEY)");
  const restore = async (from: string): Promise<unknown> => {
    const [, job] =
      /Job ID: (RS-\w+)/.exec((await admin.sql(`RESTORE DATABASE FROM '${from}'`)).results[0]?.message ?? "") ?? [];
    const status = async (): Promise<unknown> =>
      (await admin.rows("SELECT status FROM system.jobs WHERE job_id = $1", [job]))[0]?.[0];
    await expect.poll(status).toMatch(/completed|failed/);
    return await status();
  };
  expect(await restore(path.join(folder, "nowhere"))).toBe("failed");
  expect(await restore(path.join(folder, "backup"))).toBe("completed");
  expect(await admin.rows("SELECT count(*) FROM t")).toEqual([["0"]]);
  await fresh.kill();
  const after = await startSandbox({ ...options, dataFolder: path.join(folder, "fresh") });
  expect(await (await signIn(after.url, "root", "Pass-word-1234")).rows("SELECT count(*) FROM t")).toEqual([[count]]);
  await after.kill();
});

test("a data folder in use is refused, and the lock of a dead process is taken over", async () => {
  const dataFolder = path.join(folder, "locked");
  const first = await startSandbox({ dataFolder });
  await expect(startSandbox({ dataFolder })).rejects.toThrow(`in use by process ${first.pid}`);
  await first.kill();
  const second = await startSandbox({ dataFolder });
  expect(await second.stop()).toBe(0);
});
