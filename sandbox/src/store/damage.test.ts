import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startSandbox } from "../../../test/sandbox.ts";
import { signIn } from "../client.ts";
import { faultsOf, readFaults } from "../faults.ts";
import { Catalogue } from "./catalogue.ts";
import { damage, type LastEnd } from "./damage.ts";
import { Engine } from "./engine.ts";

/** It starts a process, on a machine that may be busy. */
vi.setConfig({ hookTimeout: 60_000 });

const folder = mkdtempSync(path.join(tmpdir(), "kalam-damage-"));
let engine: Engine;
let catalogue: Catalogue;

beforeAll(async () => {
  const dataFolder = path.join(folder, "data");
  const server = await startSandbox({ dataFolder, rootPassword: "Pass-word-1234", forSpeed: "all" });
  const root = await signIn(server.url, "root", "Pass-word-1234");
  await root.rows("CREATE NAMESPACE n");
  await root.rows(
    `CREATE TABLE n.t (id BIGINT PRIMARY KEY, v TEXT NOT NULL DEFAULT 'd', at TIMESTAMP DEFAULT NOW())
       WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
  );
  await root.rows("CREATE TABLE n.late (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')");
  await root.rows("CREATE USER 'alice' WITH PASSWORD 'Right-1234' ROLE user");
  await root.rows("INSERT INTO n.t (id, v) VALUES (1, 'a'), (2, 'b'), (3, 'c')");
  await root.rows("STORAGE FLUSH TABLE n.t");
  await vi.waitUntil(
    async () => (await root.rows("SELECT 1 FROM system.manifest WHERE sync_state = 'in_sync'")).length > 0,
    { timeout: 20_000 },
  );
  await root.rows("INSERT INTO n.t (id, v) VALUES (4, 'd')");
  await root.rows("UPDATE n.t SET v = 'new' WHERE id = 4");
  await root.rows("INSERT INTO n.t (id) VALUES (9)");
  await root.rows("DELETE FROM n.t WHERE id = 9");
  await root.rows("BEGIN; INSERT INTO n.t (id, v) VALUES (5, 'e'); INSERT INTO n.t (id, v) VALUES (6, 'f'); COMMIT");
  await root.rows("INSERT INTO n.t (id, v) VALUES (7, 'g')");
  await server.kill();
  engine = await Engine.open(path.join(dataFolder, "pglite"));
  catalogue = new Catalogue(engine);
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => engine.begin());
afterEach(() => {
  engine.rollback();
  catalogue.reload();
});

/** What was logged. */
function start(list: string, lastEnd: LastEnd = "killed"): string[] {
  const lines: string[] = [];
  damage(
    { engine, catalogue },
    lastEnd,
    faultsOf(readFaults(list, () => undefined) ?? {}, (line) => lines.push(line)),
  );
  return lines;
}

const words = (sql: string): string =>
  engine
    .query(sql)
    .map((row) => row.join(""))
    .join(" ");
const rows = (): string => words("SELECT id, v FROM n.t ORDER BY id");
const all = "1a 2b 3c 4new 5e 6f 7g";

test.for([
  ["", "killed", all],
  ["loseOnKill", "killed", "1a 2b 3c 4new 5e 6f"],
  ["loseOnKill=3", "killed", "1a 2b 3c 4new"],
  ["loseOnKill=3", "stopped", all],
  ["loseOnKill=3", "none", all],
  ["loseOnStop=2", "stopped", "1a 2b 3c 4new 5e"],
  ["loseOnStop", "killed", all],
  ["tearBatch", "killed", "1a 2b 3c 4new 5e 7g"],
  ["tearBatch=2", "killed", "1a 4new 5e 7g"],
  ["tearBatch", "stopped", all],
  ["skipSegment", "stopped", "4new 5e 6f 7g"],
  ["doubleSegment", "killed", "1a 1a 2b 2b 3c 3c 4new 5e 6f 7g"],
  ["resurrectDeleted", "stopped", "1a 2b 3c 4new 5e 6f 7g 9d"],
  ["showOlderValue", "killed", "1a 2b 3c 4d 5e 6f 7g"],
] as const)("%s after it was %s", ([list, lastEnd, expected]) => {
  const lines = start(list, lastEnd);
  expect(rows()).toBe(expected);
  const fired = expected === all ? [] : [expect.stringContaining(`sandbox fault ${list.replace(/=.*/, "")} fired: `)];
  expect(lines).toEqual(fired);
});

test("what was lost once is not lost again at the next kill, but what was before it", () => {
  start("loseOnKill=2");
  start("loseOnKill=2");
  // 7 and 6, then 5 and the deletion of 9.
  expect(rows()).toBe("1a 2b 3c 4new 9d");
});

const ofT = "FROM system.columns WHERE table_name = 't' ORDER BY ordinal";

describe("it forgets", () => {
  test.for([
    ["forgetDefault", `SELECT default_value ${ofT} LIMIT 3`, "  "],
    ["forgetNotNull", `SELECT nullable ${ofT} LIMIT 3`, "f t t"],
    ["forgetOrder", `SELECT column_name ${ofT} LIMIT 3`, "id at v"],
    ["startWithoutTable", "SELECT table_name FROM system.tables WHERE namespace_id = 'n'", "t"],
    ["startWithoutTable=2", "SELECT table_name FROM system.tables WHERE namespace_id = 'n'", ""],
    ["loseAccount", "SELECT user_id FROM system.users", "root"],
    ["losePassword", "SELECT user_id FROM system.users WHERE password_hash = 'lost'", "alice"],
  ] as const)("%s", ([list, sql, expected]) => {
    expect(words(sql)).not.toBe(expected);
    expect(start(list, "stopped")).toHaveLength(1);
    expect(words(sql)).toBe(expected);
  });

  test("forgetOrder: in what a table shows, too", () => {
    start("forgetOrder");
    expect(words("SELECT third FROM (SELECT * FROM n.t WHERE id = 1) t (first, second, third)")).toBe("a");
  });

  test("forgetToEnforce: NULL is accepted in a column that is described as NOT NULL", () => {
    const described = words(`SELECT nullable ${ofT}`);
    start("forgetToEnforce");
    expect(words(`SELECT nullable ${ofT}`)).toBe(described);
    engine.script("SET LOCAL session_replication_role = origin");
    expect(engine.run({ text: "INSERT INTO n.t (id, v) VALUES (8, NULL)" }).count).toBe(1);
  });

  test("evaluateDefaultsAgain: times are later, other defaults as they were", () => {
    const before = engine.query("SELECT at FROM n.t ORDER BY id").map(([at]) => at ?? "");
    start("evaluateDefaultsAgain");
    const after = engine.query("SELECT at FROM n.t ORDER BY id").map(([at]) => at ?? "");
    expect(after.map((at, index) => at > (before[index] ?? ""))).toEqual(before.map(() => true));
    expect(rows()).toBe(all);
  });
});
