import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { OwnServer } from "../../src/control/process.ts";
import { startSandbox } from "../../test/sandbox.ts";
import { signIn, type Client } from "./client.ts";

/** They wait for a process of its own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 30_000 });

let sandbox: OwnServer;
let root: Client;
const clients: Record<string, Client> = {};

beforeAll(async () => {
  sandbox = await startSandbox({
    environment: { KALAM_SANDBOX_DIALECT: "0.8" },
    changes: { "rate_limit.max_queries_per_sec": 1000, "auth.local.bcrypt_cost": 4 },
  });
  root = await signIn(sandbox.url, "root", sandbox.rootPassword);
  await root.rows("CREATE SCHEMA p");
  for (const [name, role] of [
    ["alice", "user"],
    ["bob", "user"],
    ["svc", "service"],
    ["adm", "dba"],
  ] as const) {
    await root.rows(`CREATE USER ${name} WITH PASSWORD 'Passw0rd!x' ROLE ${role}`);
    clients[name] = await signIn(sandbox.url, name, "Passw0rd!x");
  }
});

afterAll(async () => {
  await sandbox.stop();
});

const as = (name: string): Client => clients[name] ?? root;

async function notes(name: string): Promise<string> {
  await root.rows(
    `CREATE TABLE p.${name} (id BIGINT PRIMARY KEY, owner TEXT NOT NULL DEFAULT CURRENT_USER, v INT) WITH (TYPE = 'SHARED')`,
  );
  return `p.${name}`;
}

const ids = async (client: Client, table: string): Promise<unknown> =>
  (await client.rows(`SELECT id FROM ${table} ORDER BY id`)).flat();

test("without a policy a shared table has no rows and takes no writes, except for administrators", async () => {
  const table = await notes("none");
  await root.rows(`INSERT INTO ${table} (id, v) VALUES (1, 1)`);
  for (const name of ["alice", "svc"]) {
    expect(await ids(as(name), table)).toEqual([]);
    for (const write of [
      `INSERT INTO ${table} (id) VALUES (2)`,
      `UPDATE ${table} SET v = 2 WHERE id = 1`,
      `DELETE FROM ${table} WHERE id = 1`,
    ]) {
      const said = await as(name).sql(write);
      expect({ write, status: said.status, code: said.code }).toEqual({
        write,
        status: 403,
        code: "PERMISSION_DENIED",
      });
    }
  }
  expect(await ids(as("adm"), table)).toEqual(["1"]);
  expect((await as("adm").sql(`DELETE FROM ${table} WHERE id = 1`)).status).toBe(200);
});

test("a policy holds for reads and for writes, and no row can be moved out of reach", async () => {
  const table = await notes("own");
  await root.rows(
    `CREATE POLICY own ON ${table} FOR ALL TO user USING (owner = CURRENT_USER) WITH CHECK (owner = CURRENT_USER)`,
  );
  await as("alice").rows(`INSERT INTO ${table} (id, v) VALUES (1, 1)`);
  await as("bob").rows(`INSERT INTO ${table} (id, v) VALUES (2, 1)`);
  expect(await ids(as("alice"), table)).toEqual(["1"]);
  expect(await ids(as("bob"), table)).toEqual(["2"]);
  expect(await as("bob").rows(`SELECT count(*) FROM ${table}`)).toEqual([["1"]]);
  expect((await as("bob").sql(`INSERT INTO ${table} (id, owner) VALUES (3, 'alice')`)).status).toBe(403);
  expect((await as("bob").sql(`UPDATE ${table} SET owner = 'alice' WHERE id = 2`)).status).toBe(403);
  expect((await as("bob").sql(`UPDATE ${table} SET v = 9 WHERE id = 1`)).results[0]?.row_count).toBe(0);
  expect((await as("bob").sql(`DELETE FROM ${table} WHERE id = 1`)).results[0]?.row_count).toBe(0);
  // The key is taken, but the message does not show the row that the user may not see.
  expect((await as("bob").sql(`INSERT INTO ${table} (id) VALUES (1)`)).code).toBe("UNIQUE_VIOLATION");
  expect(await root.rows(`SELECT id, owner, v FROM ${table} ORDER BY id`)).toEqual([
    ["1", "alice", 1],
    ["2", "bob", 1],
  ]);
  expect(await ids(as("svc"), table)).toEqual([]);
});

test("policies are permissive, per command and per role", async () => {
  const table = await notes("mixed");
  await root.rows(`INSERT INTO ${table} (id, owner, v) VALUES (1, 'alice', 1), (2, 'bob', 2), (3, 'carol', 3)`);
  await root.rows(`CREATE POLICY mine ON ${table} FOR SELECT TO user USING (owner = CURRENT_USER)`);
  await root.rows(`CREATE POLICY small ON ${table} FOR SELECT TO user, service USING (v < 2)`);
  expect(await ids(as("bob"), table)).toEqual(["1", "2"]);
  expect(await ids(as("svc"), table)).toEqual(["1"]);
  expect((await as("bob").sql(`UPDATE ${table} SET v = 0 WHERE id = 2`)).status).toBe(403);
  await root.rows(`CREATE POLICY add ON ${table} AS PERMISSIVE FOR INSERT TO PUBLIC WITH CHECK (v > 10)`);
  expect((await as("svc").sql(`INSERT INTO ${table} (id, v) VALUES (4, 1)`)).status).toBe(403);
  expect((await as("svc").sql(`INSERT INTO ${table} (id, v) VALUES (4, 11)`)).status).toBe(200);
});

test("a policy may ask another table who belongs to what", async () => {
  const table = await notes("rooms");
  await root.rows("CREATE TABLE p.members (id BIGINT PRIMARY KEY, room BIGINT, who TEXT) WITH (TYPE = 'SHARED')");
  await root.rows("CREATE POLICY me ON p.members FOR SELECT TO user USING (who = CURRENT_USER)");
  await root.rows("INSERT INTO p.members (id, room, who) VALUES (1, 7, 'alice')");
  await root.rows(`INSERT INTO ${table} (id) VALUES (7), (8)`);
  await root.rows(
    `CREATE POLICY member ON ${table} FOR SELECT TO user USING (id IN (SELECT room FROM p.members WHERE who = CURRENT_USER))`,
  );
  expect(await ids(as("alice"), table)).toEqual(["7"]);
  expect(await ids(as("bob"), table)).toEqual([]);
});

test("policies are listed, altered, renamed and dropped", async () => {
  const table = await notes("changed");
  await root.rows(`INSERT INTO ${table} (id, v) VALUES (1, 1), (2, 2)`);
  await root.rows(`CREATE POLICY one ON ${table} FOR SELECT TO service USING (v = 1)`);
  await root.rows(`ALTER POLICY one ON ${table} TO user USING (v = 2)`);
  expect(await ids(as("alice"), table)).toEqual(["2"]);
  expect(await ids(as("svc"), table)).toEqual([]);
  await root.rows(`ALTER POLICY one ON ${table} RENAME TO two`);
  expect(
    await root.rows(
      `SELECT policy_name, command, targets, using_sql FROM system.table_policies WHERE table_id = '${table}'`,
    ),
  ).toEqual([["two", "select", '["user"]', "v = 2"]]);
  await root.rows(`ALTER TABLE ${table} RENAME COLUMN v TO w`);
  expect(await ids(as("alice"), table)).toEqual(["2"]);
  expect((await root.sql(`ALTER TABLE ${table} DROP COLUMN w`)).message).toContain("used by a policy");
  expect((await as("alice").sql(`DROP POLICY two ON ${table}`)).status).toBe(403);
  await root.rows(`DROP POLICY two ON ${table}`);
  expect((await root.sql(`DROP POLICY two ON ${table}`)).status).toBe(400);
  await root.rows(`DROP POLICY IF EXISTS two ON ${table}`);
  expect(await ids(as("alice"), table)).toEqual([]);
  // A table of the same name starts without the policies of the dropped one.
  await root.rows(`CREATE POLICY all_rows ON ${table} FOR SELECT TO PUBLIC USING (true)`);
  await root.rows(`DROP TABLE ${table}`);
  await notes("changed");
  await root.rows(`INSERT INTO ${table} (id, v) VALUES (1, 1)`);
  expect(await ids(as("alice"), table)).toEqual([]);
});

test.for([
  "CREATE POLICY x ON p.clauses AS RESTRICTIVE FOR SELECT TO user USING (true)",
  "CREATE POLICY x ON p.clauses FOR INSERT TO user USING (true)",
  "CREATE POLICY x ON p.clauses FOR INSERT TO user USING (true) WITH CHECK (true)",
  "CREATE POLICY x ON p.clauses FOR SELECT TO user WITH CHECK (true)",
  "CREATE POLICY x ON p.clauses FOR SELECT TO user USING (true) WITH CHECK (true)",
  "CREATE POLICY x ON p.clauses FOR DELETE TO user USING (true) WITH CHECK (true)",
  "CREATE POLICY x ON p.clauses FOR TRUNCATE TO user USING (true)",
  "CREATE POLICY x ON p.clauses FOR SELECT TO dba USING (true)",
  "CREATE POLICY x ON p.clauses FOR SELECT TO user USING (missing = 1)",
  "CREATE POLICY x ON p.clauses FOR SELECT TO user USING (v)",
  "CREATE POLICY x ON p.clauses FOR SELECT TO user USING (true",
  "CREATE POLICY x ON p.clauses FOR SELECT TO user USING ()",
  "CREATE POLICY x ON p.clauses FOR SELECT TO user USING (_version = '1')",
  "CREATE POLICY x ON p.missing FOR SELECT TO user USING (true)",
  "CREATE POLICY x ON p.private FOR SELECT TO user USING (true)",
  'CREATE POLICY "a:b" ON p.clauses FOR SELECT TO user USING (true)',
  "CREATE TABLE p.levels (id BIGINT PRIMARY KEY) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PUBLIC')",
  "ALTER TABLE p.clauses SET ACCESS LEVEL PUBLIC",
  "ALTER TABLE p.clauses SET TBLPROPERTIES (ACCESS_LEVEL = 'PUBLIC')",
])("refused, and without effect: %s", async (statement) => {
  await root.sql("CREATE TABLE IF NOT EXISTS p.clauses (id BIGINT PRIMARY KEY, v INT) WITH (TYPE = 'SHARED')");
  await root.sql("CREATE TABLE IF NOT EXISTS p.private (id BIGINT PRIMARY KEY) WITH (TYPE = 'USER')");
  expect((await root.sql(statement)).status).toBe(400);
  expect(await root.rows("SELECT policy_id FROM system.table_policies WHERE policy_name = 'x'")).toEqual([]);
  expect(await root.rows("SELECT table_name FROM system.tables WHERE table_name = 'levels'")).toEqual([]);
});
