import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { OwnServer } from "../../../src/control/process.ts";
import { startSandbox } from "../../../test/sandbox.ts";
import { signIn, type Client, type Said } from "../client.ts";

/** They wait for a process of its own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 30_000 });

const changes = { "rate_limit.max_queries_per_sec": 1000, "auth.bcrypt_cost": 4 };
const servers: OwnServer[] = [];
const roots: Record<string, Client> = {};
let root: Client;
let alice: Client;
let service: Client;

async function start(dialect: string): Promise<Client> {
  const server = await startSandbox({ environment: { KALAM_SANDBOX_DIALECT: dialect }, changes });
  servers.push(server);
  const client = await signIn(server.url, "root", server.rootPassword);
  await client.rows("CREATE NAMESPACE d");
  roots[dialect] = client;
  return client;
}

beforeAll(async () => {
  await start("0.4.3");
  root = await start("0.8");
  for (const [name, role] of [
    ["alice", "user"],
    ["bob", "user"],
    ["svc", "service"],
    ["svc2", "service"],
    ["adm", "dba"],
  ])
    await root.rows(`CREATE USER ${name} WITH PASSWORD 'Passw0rd!x' ROLE ${role}`);
  const url = servers[1]?.url ?? "";
  alice = await signIn(url, "alice", "Passw0rd!x");
  service = await signIn(url, "svc", "Passw0rd!x");
});

afterAll(async () => {
  await Promise.all(servers.map(async (server) => await server.stop()));
});

const long = (bytes: number): string => `SELECT '${"x".repeat(bytes - 9)}'`;

describe("what differs is answered as by the one or as by the other", () => {
  test.for<readonly [statement: string, before: number, now: number]>([
    ["CREATE SHARED TABLE d.typed (id BIGINT PRIMARY KEY)", 200, 400],
    ["CREATE TABLE d.level (id BIGINT PRIMARY KEY) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PUBLIC')", 200, 400],
    ["CREATE TABLE d.both (id BIGINT PRIMARY KEY, v INT) WITH (TYPE = 'SHARED')", 200, 200],
    ["CREATE POLICY p ON d.both FOR SELECT TO user USING (true)", 400, 200],
    ["CREATE TABLE d.keyless (v INT) WITH (TYPE = 'USER')", 400, 200],
    ["CREATE TABLE d.stream (v INT) WITH (TYPE = 'STREAM')", 400, 200],
    ["INSERT INTO d.both VALUES (1, 1)", 400, 200],
    ["INSERT INTO d.both (id, v) VALUES (2, 1) RETURNING *", 400, 200],
    ["INSERT INTO d.both (id, v) VALUES (2, 1) ON CONFLICT (id) DO NOTHING", 400, 200],
    ["INSERT INTO d.both (id, _seq) VALUES (3, 1)", 400, 400],
    ["INSERT INTO d.both (id, _version) VALUES (3, '1')", 400, 400],
    ["SELECT _seq FROM d.both", 200, 400],
    ["SELECT _version FROM d.both", 400, 200],
    ["BEGIN; SAVEPOINT a; ROLLBACK TO a; COMMIT", 400, 200],
    ["CREATE SCHEMA other", 400, 200],
    ["CREATE NAMESPACE kr_xä", 400, 200],
    ["CREATE NAMESPACE kr_x😀", 400, 200],
    ["CREATE NAMESPACE kr_x$y", 400, 200],
    ['CREATE NAMESPACE "where"', 400, 200],
    ["CREATE NAMESPACE kr-x", 400, 400],
    ["CREATE NAMESPACE 1abc", 400, 400],
    ["CREATE NAMESPACE _abc", 400, 400],
    ["CREATE NAMESPACE system", 400, 400],
    ["CREATE NAMESPACE datafusion", 200, 400],
    ['CREATE NAMESPACE "table"', 400, 400],
    ["CREATE USER \"a.b\" WITH PASSWORD 'Passw0rd!x' ROLE user", 200, 400],
    ["EXECUTE AS 'root' (SELECT 1)", 400, 200],
    [long(1024 * 1024), 200, 200],
    [long(1024 * 1024 + 1), 400, 200],
    [long(4 * 1024 * 1024), 400, 200],
    [long(4 * 1024 * 1024 + 1), 400, 400],
  ])("%.80s", async ([statement, before, now]) => {
    const said = await Promise.all(["0.4.3", "0.8"].map(async (dialect) => await roots[dialect]?.sql(statement)));
    expect(said.map((one) => one?.status)).toEqual([before, now]);
  });

  test("the version, the settings and the units of time", async () => {
    const about = async (dialect: string): Promise<readonly unknown[]> => [
      (
        await roots[dialect]?.rows("SELECT metric_value FROM system.stats WHERE metric_name = 'server_version'")
      )?.[0]?.[0],
      (await roots[dialect]?.rows("SELECT name FROM system.settings WHERE name LIKE 'auth.%bcrypt_cost'"))?.[0]?.[0],
      String((await roots[dialect]?.rows("SELECT created_at FROM system.users LIMIT 1"))?.[0]?.[0]).length,
      String((await roots[dialect]?.rows("SELECT TIMESTAMP '2026-01-02 03:04:05'"))?.[0]?.[0]).length,
    ];
    expect(await about("0.4.3")).toEqual(["0.4.3-rc.4", "auth.bcrypt_cost", 13, 19]);
    expect(await about("0.8")).toEqual(["0.8.0+documented", "auth.local.bcrypt_cost", 16, 16]);
  });
});

async function table(name: string, type = "USER"): Promise<string> {
  await root.rows(
    `CREATE TABLE d.${name} (id BIGINT PRIMARY KEY, v INT, t TEXT DEFAULT 'new') WITH (TYPE = '${type}')`,
  );
  return `d.${name}`;
}

const rowsOf = (said: Said): unknown =>
  said.results[0]?.rows?.map((row) => row.slice(0, 3)) ?? { message: said.message };

describe("upsert and RETURNING", () => {
  test.for(["USER", "SHARED", "STREAM"])("on a %s table", async (type) => {
    const full = await table(`upsert_${type.toLowerCase()}`, type);
    const upsert = async (rest: string): Promise<unknown> => rowsOf(await root.sql(`INSERT INTO ${full} ${rest}`));
    expect(await upsert("(id, v) VALUES (1, 1), (2, 2) RETURNING id, v, t")).toEqual([
      ["1", 1, "new"],
      ["2", 2, "new"],
    ]);
    await root.rows(`INSERT INTO ${full} (id, v, t) VALUES (5, 5, 'kept')`);
    const set = "ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v";
    expect(await upsert(`(id, v, t) VALUES (5, 50, 'ignored'), (6, 60, 'six') ${set} RETURNING *`)).toEqual([
      ["5", 50, "kept"],
      ["6", 60, "six"],
    ]);
    const name = full.split(".")[1] ?? "";
    expect(
      await upsert(`(id, v) VALUES (5, 7) ON CONFLICT (id) DO UPDATE SET v = ${name}.v + EXCLUDED.v RETURNING id, v`),
    ).toEqual([["5", 57]]);
    expect(await upsert(`(id, v) VALUES (5, 8) ${set} WHERE ${name}.v > 1000 RETURNING *`)).toEqual([]);
    expect(await upsert("(id, v) VALUES (5, 9), (7, 7) ON CONFLICT (id) DO NOTHING RETURNING id")).toEqual([["7"]]);
    expect((await root.sql(`INSERT INTO ${full} (id, v) VALUES (8, 8) ${set}`)).results).toEqual([
      { row_count: 1, message: "Inserted 1 row(s)", as_user: "root" },
    ]);
    expect((await root.rows(`SELECT id, v FROM ${full} ORDER BY id`)).map(String)).toEqual([
      "1,1",
      "2,2",
      "5,57",
      "6,60",
      "7,7",
      "8,8",
    ]);
  });

  test("RETURNING describes the columns and hides whose row it is", async () => {
    const full = await table("described");
    const [result] = (await root.sql(`INSERT INTO ${full} (id) VALUES (1) ON CONFLICT (id) DO NOTHING RETURNING *`))
      .results;
    const [same] = (await root.sql(`SELECT * FROM ${full}`)).results;
    expect(result?.schema).toEqual(same?.schema);
    expect(result?.rows).toEqual(same?.rows);
  });

  test("one user's upsert does not reach the row of another", async () => {
    const full = await table("mine");
    await root.rows(`INSERT INTO ${full} (id, v) VALUES (1, 1)`);
    await alice.rows(`INSERT INTO ${full} (id, v) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v`);
    expect([await root.rows(`SELECT v FROM ${full}`), await alice.rows(`SELECT v FROM ${full}`)]).toEqual([
      [[1]],
      [[2]],
    ]);
  });

  test("an upsert obeys the policies", async () => {
    const full = await table("guarded", "SHARED");
    await root.rows(`INSERT INTO ${full} (id, v, t) VALUES (1, 1, 'root')`);
    await root.rows(
      `CREATE POLICY p ON ${full} FOR ALL TO user USING (t = CURRENT_USER) WITH CHECK (t = CURRENT_USER)`,
    );
    const upsert = "ON CONFLICT (id) DO UPDATE SET v = 2, t = 'alice'";
    expect((await alice.sql(`INSERT INTO ${full} (id, t) VALUES (1, 'alice') ${upsert}`)).status).toBe(403);
    expect((await alice.sql(`INSERT INTO ${full} (id, t) VALUES (2, 'alice') ${upsert} RETURNING id`)).status).toBe(
      200,
    );
    expect(await root.rows(`SELECT id, v, t FROM ${full} ORDER BY id`)).toEqual([
      ["1", 1, "root"],
      ["2", null, "alice"],
    ]);
  });

  test.for([
    "ON CONFLICT DO NOTHING",
    "ON CONFLICT (v) DO NOTHING",
    "ON CONFLICT (id, v) DO NOTHING",
    "ON CONFLICT (id) DO UPDATE SET id = 9",
    "ON CONFLICT (id) DO UPDATE SET missing = 9",
    "ON CONFLICT (id) DO UPDATE SET _deleted = true",
    "ON CONFLICT (id) DO UPDATE SET v = 'x'",
    "RETURNING missing",
  ])("refused: %s", async (clause) => {
    await root.sql("CREATE TABLE IF NOT EXISTS d.refused (id BIGINT PRIMARY KEY, v INT) WITH (TYPE = 'USER')");
    expect((await root.sql(`INSERT INTO d.refused (id, v) VALUES (1, 1) ${clause}`)).status).toBe(400);
    expect(await root.rows("SELECT * FROM d.refused")).toEqual([]);
  });
});

describe("savepoints", () => {
  test("what follows a savepoint is undone alone", async () => {
    const full = await table("saved");
    const insert = (id: number): string => `INSERT INTO ${full} (id) VALUES (${id});`;
    await root.rows(
      `BEGIN; ${insert(1)} SAVEPOINT a; ${insert(2)} SAVEPOINT b; ${insert(3)} ROLLBACK TO SAVEPOINT b; ${insert(4)}
       RELEASE SAVEPOINT b; ROLLBACK TO a; ${insert(5)} RELEASE a; COMMIT`,
    );
    expect((await root.rows(`SELECT id FROM ${full} ORDER BY id`)).flat()).toEqual(["1", "5"]);
  });

  test.for(["ROLLBACK TO SAVEPOINT nope", "RELEASE SAVEPOINT nope", "SAVEPOINT a; RELEASE a; ROLLBACK TO a"])(
    "an unknown one undoes everything: %s",
    async (statement) => {
      await root.sql("CREATE TABLE IF NOT EXISTS d.unsaved (id BIGINT PRIMARY KEY) WITH (TYPE = 'USER')");
      const said = await root.sql(`BEGIN; INSERT INTO d.unsaved (id) VALUES (1); ${statement}; COMMIT`);
      expect([said.status, said.message.includes("3B001")]).toEqual([400, true]);
      expect(await root.rows("SELECT id FROM d.unsaved")).toEqual([]);
    },
  );

  test("outside a transaction they are refused, and one that is left open is rolled back and refused", async () => {
    const full = await table("open");
    for (const statement of ["SAVEPOINT a", "ROLLBACK TO a", "RELEASE a"])
      expect((await root.sql(statement)).status).toBe(400);
    for (const end of ["", "SAVEPOINT a", "SAVEPOINT a; ROLLBACK TO a"])
      expect((await root.sql(`BEGIN; INSERT INTO ${full} (id) VALUES (1); ${end}`)).message).toContain("rolled back");
    expect(await root.rows(`SELECT id FROM ${full}`)).toEqual([]);
  });

  test("a failed statement ends the request, and nothing of its transaction stays", async () => {
    const full = await table("failed");
    const insert = `INSERT INTO ${full} (id) VALUES (1)`;
    expect((await root.sql(`BEGIN; ${insert}; ${insert}; COMMIT`)).code).toBe("UNIQUE_VIOLATION");
    expect(await root.rows(`SELECT id FROM ${full}`)).toEqual([]);
  });

  test("statements after a rollback to a savepoint still run as their user", async () => {
    const full = await table("identity");
    await alice.rows(
      `BEGIN; SAVEPOINT a; INSERT INTO ${full} (id) VALUES (1); ROLLBACK TO a; INSERT INTO ${full} (id) VALUES (2); COMMIT`,
    );
    expect(await alice.rows(`SELECT id FROM ${full}`)).toEqual([["2"]]);
    expect(await root.rows(`SELECT id FROM ${full}`)).toEqual([]);
  });
});

describe("EXECUTE AS", () => {
  test("reaches as far down as documented, and the rows of that user", async () => {
    const full = await table("theirs");
    for (const words of ["EXECUTE AS 'alice'", "EXECUTE AS USER 'alice'"])
      expect((await service.sql(`${words} (INSERT INTO ${full} (id) VALUES (${words.length}))`)).status).toBe(200);
    expect(await alice.rows(`SELECT count(*) FROM ${full}`)).toEqual([["2"]]);
    expect((await service.sql("EXECUTE AS 'svc2' (SELECT 1)")).status).toBe(200);
    for (const name of ["adm", "root"]) expect((await service.sql(`EXECUTE AS '${name}' (SELECT 1)`)).status).toBe(403);
    expect((await alice.sql("EXECUTE AS 'bob' (SELECT 1)")).status).toBe(403);
    expect((await alice.sql("EXECUTE AS 'alice' (SELECT 1)")).status).toBe(200);
  });

  test("is for one statement and for tables with rows of users", async () => {
    const full = await table("ours", "SHARED");
    for (const inner of [`SELECT * FROM ${full}`, "SELECT 1; SELECT 2", "BEGIN"])
      expect((await root.sql(`EXECUTE AS 'alice' (${inner})`)).status).toBe(400);
    expect((await root.sql("EXECUTE AS 'alice' SELECT 1")).status).toBe(400);
  });
});

test("SHOW STATS counts only the rows that the policies show", async () => {
  const full = await table("counted", "SHARED");
  await root.rows(`INSERT INTO ${full} (id, v) VALUES (1, 1), (2, 2)`);
  await root.rows(`CREATE POLICY p ON ${full} FOR SELECT TO user USING (v = 1)`);
  const rows = async (client: Client): Promise<unknown> => (await client.rows(`SHOW STATS FOR TABLE ${full}`))[0]?.[3];
  expect([await rows(root), await rows(alice)]).toEqual(["2", "1"]);
});
