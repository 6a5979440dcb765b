import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { OwnServer } from "../../src/control/process.ts";
import { startSandbox } from "../../test/sandbox.ts";
import { logIn, post, signIn, type Client } from "./client.ts";

/** They wait for a process of its own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 30_000 });

let sandbox: OwnServer;
let root: Client;

beforeAll(async () => {
  sandbox = await startSandbox({
    changes: { "rate_limit.max_queries_per_sec": 1000 },
  });
  root = await signIn(sandbox.url, "root", sandbox.rootPassword);
  await root.rows("CREATE NAMESPACE n");
});

afterAll(async () => {
  await sandbox.stop();
});

test("values are returned exactly as stored", async () => {
  await root.rows(`CREATE TABLE n.exact (id BIGINT PRIMARY KEY, i INT, d DOUBLE, f FLOAT, de DECIMAL(20,4), t TEXT, j JSON,
    by BYTES, u UUID, ts TIMESTAMP, dt DATETIME, da DATE, ti TIME, b BOOLEAN, si SMALLINT)`);
  await root.rows(`INSERT INTO n.exact (id, i, d, f, de, t, j, by, u, ts, dt, da, ti, b, si) VALUES (9007199254740993, -2147483648, 0.1, 0.1,
    1234567890123456.7891, 'é 😀 ''', '{"b":1, "a":2}', X'00ff', '550e8400-e29b-41d4-a716-446655440000', '2026-01-02 03:04:05.123456',
    '2026-01-02T03:04:05.000001+02:00', '1900-01-01', '23:59:59.999999', false, -32768)`);
  const { text } = await root.sql("SELECT * FROM n.exact");
  expect(text).toContain(
    '["9007199254740993",-2147483648,0.1,0.1,"1234567890123456.7891","é 😀 \'","{\\"b\\":1, \\"a\\":2}",[0,255],' +
      '"550e8400-e29b-41d4-a716-446655440000",1767323045123456,1767315845000001,-25567,86399999999,false,-32768,',
  );
});

test("parameters are exact, and their types are inferred", async () => {
  await root.rows("CREATE TABLE n.params (id BIGINT PRIMARY KEY, ts TIMESTAMP, d DOUBLE, t TEXT)");
  const token = await tokenOf("root");
  // As text, because JSON.stringify would round the number.
  const sent = `{"sql":"INSERT INTO n.params (id, ts, d, t) VALUES ($1, $2, $3, $4)","params":[9007199254740993,"2026-01-02 03:04:05",5,"9007199254740993 \\" x"]}`;
  expect((await post(sandbox.url, "/v1/api/sql", sent, token)).status).toBe(200);
  expect(await root.rows("SELECT id, ts, d, t FROM n.params")).toEqual([
    ["9007199254740993", 1767323045000000, 5, '9007199254740993 " x'],
  ]);
  expect((await root.sql("INSERT INTO n.params (id) VALUES ($1)", [1.9])).status).toBe(400);
});

async function tokenOf(user: string): Promise<string> {
  const body = (await (await logIn(sandbox.url, user, sandbox.rootPassword)).json()) as { access_token: string };
  return body.access_token;
}

test("values without a wire format are rejected", async () => {
  await root.rows("CREATE TABLE n.odd (id BIGINT PRIMARY KEY, d DOUBLE, ts TIMESTAMP, j JSON, i INT)");
  for (const [column, value] of [
    ["d", "'NaN'"],
    ["d", "1e400"],
    ["ts", "'infinity'"],
    ["ts", "'0044-03-15 BC'"],
    ["j", "'{bad'"],
    ["i", "1.7"],
    ["i", "2147483648"],
  ]) {
    expect(
      (await root.sql(`INSERT INTO n.odd (id, ${column}) VALUES (1, ${value})`)).status,
      `${column} ${value}`,
    ).toBe(400);
  }
  expect(await root.rows("SELECT count(*) FROM n.odd")).toEqual([["0"]]);
});

test("names may be 64 characters long and differ only in the last one", async () => {
  const long = (end: string): string => "n".repeat(63) + end;
  await root.rows(`CREATE NAMESPACE ${long("x")}`);
  for (const end of ["a", "b"]) {
    await root.rows(`CREATE TABLE ${long("x")}.short_${end} (id BIGINT PRIMARY KEY)`);
    await root.rows(`INSERT INTO ${long("x")}.short_${end} (id) VALUES (1)`);
  }
  const [result] = (await root.sql(`SELECT id FROM ${long("x")}.short_a`)).results;
  expect([result?.rows, result?.schema?.[0]?.flags]).toEqual([[["1"]], ["pk", "nn", "uq"]]);
  expect((await root.sql(`CREATE NAMESPACE ${long("xy")}`)).message).toContain("too long");
});

test("row versions increase, one per effective change", async () => {
  await root.rows("CREATE TABLE n.seq (id BIGINT PRIMARY KEY, v INT)");
  await root.rows("INSERT INTO n.seq (id, v) VALUES (1, 1), (2, 1), (3, 1)");
  const versions = async (): Promise<bigint[]> =>
    (await root.rows("SELECT _seq FROM n.seq ORDER BY id")).map(([seq]) => BigInt(String(seq)));
  const [a = 0n, b = 0n, c = 0n] = await versions();
  expect(a < b && b < c).toBe(true);
  expect(Math.abs(Number(a >> 22n) + 1_704_067_200_000 - Date.now())).toBeLessThan(60_000);
  expect((await root.sql("UPDATE n.seq SET v = 1 WHERE id = 1")).results[0]?.row_count).toBe(0);
  expect((await root.sql("UPDATE n.seq SET v = 2 WHERE id = 1")).results[0]?.row_count).toBe(1);
  const [later = 0n] = await versions();
  expect(later > c).toBe(true);
});

test("stream rows expire after their TTL", async () => {
  await root.rows("CREATE TABLE n.brief (id BIGINT) WITH (TYPE='STREAM', TTL_SECONDS=1)");
  await root.rows("INSERT INTO n.brief (id) VALUES (1)");
  const count = async (): Promise<unknown> => (await root.rows("SELECT count(*) FROM n.brief"))[0]?.[0];
  expect(await count()).toBe("1");
  await expect.poll(count, { timeout: 5000 }).toBe("0");
});

test("a truncated result says so", async () => {
  const said = async (sql: string): Promise<unknown> => {
    const [result] = (await root.sql(sql)).results;
    return [result?.row_count, result?.message];
  };
  expect(await said("SELECT * FROM generate_series(1, 50)")).toEqual([50, undefined]);
  expect(await said("SELECT * FROM generate_series(1, 51)")).toEqual([50, "limited to 50 rows"]);
  expect(await said("SELECT * FROM generate_series(1, 1000) LIMIT 5000")).toEqual([1000, undefined]);
  expect(await said("SELECT * FROM generate_series(1, 1001) LIMIT 5000")).toEqual([1000, "limited to 1000 rows"]);
});

test("a failed batch keeps its earlier statements, and a failed transaction nothing", async () => {
  await root.rows("CREATE TABLE n.batch (id BIGINT PRIMARY KEY)");
  const failed = await root.sql(
    "INSERT INTO n.batch (id) VALUES (1); INSERT INTO n.batch (id) VALUES (1); INSERT INTO n.batch (id) VALUES (2)",
  );
  expect(failed.message).toMatch(/^Statement 2 failed: .*value '1' already exists in column 'id'/);
  expect((await root.sql("INSERT INTO n.batch (id) VALUES (3); SELEC 1")).code).toBe("INVALID_SQL");
  for (const end of ["ROLLBACK", "INSERT INTO n.batch (id) VALUES (1); COMMIT", "SELECT 1"]) {
    await root.sql(`BEGIN; INSERT INTO n.batch (id) VALUES (4); ${end}`);
  }
  expect(await root.rows("SELECT id FROM n.batch")).toEqual([["1"]]);
  await root.rows("BEGIN; INSERT INTO n.batch (id) VALUES (4); COMMIT");
  expect(await root.rows("SELECT count(*) FROM n.batch")).toEqual([["2"]]);
});

test("five wrong passwords lock an account even for the right password, and no other account", async () => {
  for (const name of ["locked", "other"]) await root.rows(`CREATE USER '${name}' WITH PASSWORD 'Right-1234' ROLE user`);
  const tried = async (user: string, password: string): Promise<string> => {
    const { error } = (await (await logIn(sandbox.url, user, password)).json()) as { error?: string };
    return error ?? "in";
  };
  for (let n = 0; n < 5; n += 1) expect(await tried("locked", `wrong-${n}`)).toBe("unauthorized");
  expect(await tried("locked", "Right-1234")).toBe("account_locked");
  expect(await tried("nobody", "Right-1234")).toBe("unauthorized");
  expect(await tried("other", "Right-1234")).toBe("in");
});

test("a statement that runs too long is aborted, and the next one is answered", async () => {
  // A separate sandbox: on a busy machine, so short a limit would abort statements of other tests.
  const hasty = await startSandbox({ changes: { "execution.handler_timeout_seconds": 4 } });
  try {
    const client = await signIn(hasty.url, "root", hasty.rootPassword);
    await client.rows("CREATE NAMESPACE n; CREATE TABLE n.kept (id BIGINT PRIMARY KEY)");
    await client.rows("INSERT INTO n.kept (id) VALUES (1)");
    expect((await client.sql("SELECT count(*) FROM generate_series(1, 1000000000000)")).status).toBe(503);
    expect(await client.rows("SELECT count(*) FROM n.kept")).toEqual([["1"]]);
  } finally {
    await hasty.stop();
  }
});

test("a statement that breaks the parser affects no other request", async () => {
  const [broken, fine] = await Promise.all([root.sql(`SELECT ${"1+".repeat(300_000)}1`), root.rows("SELECT 1")]);
  expect(broken.status).toBe(503);
  expect(fine).toEqual([["1"]]);
});

test("jobs are queued, run and complete, and a flush records new rows in a segment", async () => {
  await root.rows("CREATE TABLE n.flushed (id BIGINT PRIMARY KEY, v TEXT)");
  const flush = async (): Promise<string> => {
    const message = (await root.sql("STORAGE FLUSH TABLE n.flushed")).results[0]?.message ?? "";
    const job = /Job ID: (\S+)/.exec(message)?.[1];
    if (job === undefined) return message;
    const state = async (): Promise<unknown> =>
      (await root.rows(`SELECT status FROM system.jobs WHERE job_id = '${job}'`))[0]?.[0];
    await expect.poll(state, { timeout: 5000 }).toBe("completed");
    return String((await root.rows(`SELECT message FROM system.jobs WHERE job_id = '${job}'`))[0]?.[0]);
  };
  expect(await flush()).toContain("no pending writes");
  await root.rows("INSERT INTO n.flushed (id) VALUES (1), (2)");
  expect(await flush()).toContain("(2 rows, 1 files)");
  expect(await flush()).toContain("no pending writes");
  await root.sql("UPDATE n.flushed SET v = 'x' WHERE id = 99");
  expect(await flush()).toContain("no pending writes");
  await root.sql("UPDATE n.flushed SET v = 'x' WHERE id = 1");
  expect(await flush()).toContain("(1 rows, 1 files)");
  await root.sql("DELETE FROM n.flushed WHERE id = 2");
  expect(await flush()).toContain("(0 rows, 0 files)");
  expect((await root.rows("SHOW STATS FOR TABLE n.flushed"))[0]?.slice(0, 5)).toEqual(["flushed", "n", "1", "1", "2"]);
});

test("too large requests are refused with their codes, and far larger ones close the connection", async () => {
  const token = await tokenOf("root");
  const said = async (length: number): Promise<string | undefined> => {
    const body = JSON.stringify({ sql: `SELECT '${"x".repeat(length)}'` });
    return codeOrCut(async () => await post(sandbox.url, "/v1/api/sql", body, token));
  };
  expect(await said(1024 * 1024)).toBe("INVALID_SQL");
  expect(await said(2 * 1024 * 1024)).toBe("INVALID_INPUT");
  expect(await said(11 * 1024 * 1024)).toBe("cut");
  // PostgreSQL would take NUL for the end of the statement.
  expect((await root.sql("SELECT 1\u0000; DROP TABLE x")).code).toBe("INVALID_SQL");
});

async function codeOrCut(send: () => Promise<Response>): Promise<string | undefined> {
  try {
    return ((await (await send()).json()) as { error?: { code: string } }).error?.code;
  } catch {
    return "cut";
  }
}
