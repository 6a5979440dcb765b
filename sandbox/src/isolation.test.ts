import { afterAll, beforeAll, expect, test } from "vitest";
import type { OwnServer } from "../../src/control/process.ts";
import { startSandbox } from "../../test/sandbox.ts";
import { signIn, type Client } from "./client.ts";

let sandbox: OwnServer;
let root: Client;
let alice: Client;
let bob: Client;
let service: Client;

const password = "Pass-word-1234";
const canary = "bobs-canary";

beforeAll(async () => {
  // Rate limits are tested elsewhere.
  sandbox = await startSandbox({ changes: { "rate_limit.max_queries_per_sec": 10_000 } });
  root = await signIn(sandbox.url, "root", sandbox.rootPassword);
  for (const [name, role] of [
    ["alice", "user"],
    ["bob", "user"],
    ["sam", "service"],
    ["op", "dba"],
  ] as const) {
    await root.rows(`CREATE USER '${name}' WITH PASSWORD '${password}' ROLE ${role}`);
  }
  await root.rows("CREATE NAMESPACE n");
  await root.rows("CREATE TABLE n.own (id BIGINT PRIMARY KEY, v TEXT, n INT) WITH (TYPE='USER')");
  await root.rows("CREATE TABLE n.stream (id BIGINT, v TEXT) WITH (TYPE='STREAM', TTL_SECONDS=60)");
  for (const level of ["PUBLIC", "PRIVATE", "RESTRICTED", "DBA"]) {
    await root.rows(
      `CREATE TABLE n.s_${level} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='${level}')`,
    );
    await root.rows(`INSERT INTO n.s_${level} (id, v) VALUES (1, 'shared')`);
  }
  [alice, bob, service] = await Promise.all([
    signIn(sandbox.url, "alice", password),
    signIn(sandbox.url, "bob", password),
    signIn(sandbox.url, "sam", password),
  ]);
  await bob.rows(`INSERT INTO n.own (id, v, n) VALUES (1, '${canary}', 1), (2, '${canary}', 2)`);
  await bob.rows(`INSERT INTO n.stream (id, v) VALUES (1, '${canary}')`);
  await alice.rows("INSERT INTO n.own (id, v, n) VALUES (1, 'mine', 10)");
});

afterAll(async () => {
  await sandbox.stop();
});

test.for([
  "SELECT * FROM n.own",
  "SELECT v, count(*) FROM n.own GROUP BY v",
  "SELECT max(v) FROM n.own",
  "SELECT a.v FROM n.own a FULL JOIN n.own b ON true",
  "SELECT (SELECT max(v) FROM n.own WHERE id = s.id) FROM n.s_public s",
  "WITH x AS (SELECT * FROM n.own) SELECT * FROM x UNION ALL SELECT * FROM n.own",
  "SELECT * FROM n.own WHERE true OR 1 = 1",
  "SELECT o FROM n.own o",
  "SELECT * FROM n.stream",
  "SELECT string_agg(v, ',') FROM n.own",
])("%s shows only the user's own rows", async (sql) => {
  const mine = await alice.sql(sql);
  expect(mine.status).toBe(200);
  expect(mine.text).not.toContain(canary);
  // Their owner sees the rows: the result was not merely empty.
  expect((await bob.sql(sql)).text).toContain(canary);
});

test.for([
  // Impersonation.
  "SELECT set_config('kalam.uid', 'bob', false)",
  `SELECT "set_config"('kalam.uid', 'bob', false)`,
  "SELECT pg_catalog.set_config('kalam.uid', 'bob', false)",
  "UPDATE pg_settings SET setting = 'bob' WHERE name = 'kalam.uid'",
  "SET kalam.uid = 'bob'",
  "SET ROLE postgres",
  "RESET ROLE",
  "SELECT 1; SET ROLE postgres; SELECT * FROM n.own",
  "DO $$ BEGIN PERFORM set_config('kalam.uid', 'bob', false); END $$",
  "EXECUTE AS USER 'bob' (SELECT * FROM n.own)",
  // Bypassing the views.
  'SELECT * FROM kalam_rows."n.own"',
  "SELECT * FROM json_populate_record(null::kalam_rows.\"n.own\", '{}')",
  `SELECT query_to_xml('SELECT * FROM kalam_rows."n.own"', true, true, '')`,
  "SELECT table_to_xml('n.own', true, true, '')",
  "SELECT * FROM pg_class",
  "SELECT * FROM pg_catalog.pg_class",
  "SELECT * FROM (TABLE pg_class) t",
  "SELECT pg_read_file('PG_VERSION')",
  "SELECT current_setting('kalam.settings')",
  "SELECT (o)._user FROM n.own o",
  "SELECT _user FROM n.own",
  "COPY n.own TO STDOUT",
  // Writing another user's rows, or what belongs to the server.
  "INSERT INTO n.own (id, v, _user) VALUES (9, 'x', 'bob')",
  "UPDATE n.own SET _user = 'bob' WHERE id = 1",
  "UPDATE n.own SET _seq = 1 WHERE id = 1",
  "INSERT INTO n.own (id, _deleted) VALUES (9, true)",
  "SELECT setval('kalam.seq', 1)",
  "INSERT INTO system.users (user_id) VALUES ('x')",
  "WITH x AS (DELETE FROM n.own WHERE true RETURNING v) SELECT * FROM x",
  // Denial of service.
  "SELECT pg_terminate_backend(pg_backend_pid())",
  "SELECT pg_sleep(100)",
])("%s is rejected", async (sql) => {
  const said = await alice.sql(sql);
  expect(said.status).toBeGreaterThanOrEqual(400);
  expect(said.status).toBeLessThan(500);
  expect(said.text).not.toContain(canary);
  expect(await bob.rows("SELECT id, v FROM n.own ORDER BY id")).toEqual([
    ["1", canary],
    ["2", canary],
  ]);
});

test("an expression is not evaluated on other users' rows, so its error cannot reveal them", async () => {
  const said = await alice.sql("SELECT id FROM n.own WHERE CAST(v AS INT) = 1");
  expect(said.message).toContain("mine");
  expect(said.message).not.toContain(canary);
  expect(await alice.rows(`SELECT id FROM n.own WHERE 1 / (CASE WHEN v = '${canary}' THEN 0 ELSE 1 END) = 1`)).toEqual([
    ["1"],
  ]);
});

test("an unrestricted write changes only the user's own rows, and two users may have the same key", async () => {
  expect((await alice.sql("UPDATE n.own SET n = n + 1 WHERE 1 = 1")).results[0]?.row_count).toBe(1);
  expect((await alice.sql("DELETE FROM n.own WHERE true")).results[0]?.row_count).toBe(1);
  expect(await bob.rows("SELECT sum(n) FROM n.own")).toEqual([["3"]]);
  await alice.rows("INSERT INTO n.own (id, v, n) VALUES (1, 'mine', 10)");
  expect((await alice.sql("INSERT INTO n.own (id) VALUES (1)")).message).toContain(
    "Primary key violation: value '1' already exists",
  );
});

test("a namespace in the request is only ever a name", async () => {
  for (const namespace of ["kalam_rows", "pg_catalog", 'n"."own" UNION SELECT * FROM kalam_rows."n']) {
    const said = await alice.sql('SELECT * FROM "n.own"', undefined, namespace);
    expect(said.status).toBe(400);
    expect(said.text).not.toContain(canary);
  }
});

test.for([
  ["public", [200, 403], [200, 200]],
  ["private", [403, 403], [200, 200]],
  ["restricted", [403, 403], [200, 200]],
  ["dba", [403, 403], [403, 403]],
] as const)("a shared table with access level %s is open to the right roles", async ([level, user, server]) => {
  const tried = async (who: Client, id: number): Promise<number[]> => [
    (await who.sql(`SELECT * FROM n.s_${level}`)).status,
    (await who.sql(`INSERT INTO n.s_${level} (id) VALUES (${id})`)).status,
  ];
  expect(await tried(alice, 10)).toEqual(user);
  expect(await tried(service, 11)).toEqual(server);
});

test("a stricter access level takes effect immediately", async () => {
  expect((await alice.sql("SELECT * FROM n.s_public")).status).toBe(200);
  await root.rows("ALTER TABLE n.s_public SET ACCESS LEVEL private");
  expect((await alice.sql("SELECT * FROM n.s_public")).status).toBe(403);
  expect((await alice.sql("SUBSCRIBE TO n.s_public")).status).toBe(403);
  await root.rows("ALTER TABLE n.s_public SET ACCESS LEVEL public");
});

test("SUBSCRIBE TO returns a statement that a socket accepts, and refuses what a socket would", async () => {
  const subscriptionOf = async (sql: string): Promise<unknown> =>
    (await alice.sql(sql, [], "n")).results[0]?.rows?.[0]?.[2];
  expect(await subscriptionOf("SUBSCRIBE TO s_public WHERE id > 1")).toMatchObject({
    sql: 'SELECT * FROM "n".s_public WHERE id > 1',
  });
  expect(await subscriptionOf("SUBSCRIBE TO n.s_public OPTIONS (last_rows=1)")).toMatchObject({
    sql: "SELECT * FROM n.s_public",
  });
  expect(await alice.sql("SUBSCRIBE TO s_public")).toMatchObject({
    status: 400,
    message: expect.stringContaining("Table not found: default:s_public") as string,
  });
  expect((await alice.sql("SUBSCRIBE TO n.s_public WHERE id IN (SELECT id FROM n.own)")).code).toBe("INVALID_SQL");
});

test("EXECUTE AS USER requires a higher role, and sees what that user sees", async () => {
  const op = await signIn(sandbox.url, "op", password);
  expect(await op.rows("EXECUTE AS USER 'bob' (SELECT id FROM n.own ORDER BY id)")).toEqual([["1"], ["2"]]);
  expect((await service.sql("EXECUTE AS USER 'op' (SELECT 1)")).status).toBe(403);
  expect((await op.sql("EXECUTE AS USER 'root' (SELECT 1)")).status).toBe(403);
  expect((await op.sql("EXECUTE AS USER 'bob' (DROP TABLE n.own)")).status).toBe(400);
});

test("a dropped account is locked out immediately, and its name stays taken", async () => {
  await root.rows(`CREATE USER 'gone' WITH PASSWORD '${password}' ROLE user`);
  const gone = await signIn(sandbox.url, "gone", password);
  expect((await gone.sql("SELECT 1")).status).toBe(200);
  await root.rows("DROP USER 'gone'");
  expect((await gone.sql("SELECT 1")).code).toBe("INVALID_CREDENTIALS");
  expect((await root.sql(`CREATE USER 'gone' WITH PASSWORD '${password}' ROLE user`)).message).toContain(
    "already exists",
  );
});
