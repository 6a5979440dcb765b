import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { OwnServer } from "../../../src/control/process.ts";
import { startSandbox } from "../../../test/sandbox.ts";
import { signIn, type Client } from "../client.ts";
import { Listener } from "./listener.ts";

/** They wait for a process of its own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 30_000 });

const password = "Pass-word-1234";
let sandbox: OwnServer;
let root: Client;
/** A new user for each test, so that none sees what an earlier one left open. */
let alice: Client;
let name: string;
let listener: Listener;
let tests = 0;

beforeAll(async () => {
  sandbox = await startSandbox({
    changes: {
      "rate_limit.max_queries_per_sec": 100_000,
      "stream.eviction_interval_seconds": 1,
      "execution.handler_timeout_seconds": 5,
    },
  });
  root = await signIn(sandbox.url, "root", sandbox.rootPassword);
  await root.rows("CREATE NAMESPACE n");
});

afterAll(async () => {
  await sandbox.stop();
});

beforeEach(async () => {
  tests += 1;
  name = `alice${tests}`;
  alice = await account(name, "user");
  listener = await Listener.logIn(sandbox.url, alice);
});

async function account(user: string, role: string): Promise<Client> {
  await root.rows(`CREATE USER '${user}' WITH PASSWORD '${password}' ROLE ${role}`);
  return await signIn(sandbox.url, user, password);
}

const make = async (table: string, type: string): Promise<unknown> =>
  await root.rows(`CREATE TABLE n.${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='${type}')`);

/** The rows of `system.live` for this account. */
const listed = async (): Promise<readonly (readonly unknown[])[]> =>
  await root.rows(
    `SELECT subscription_id, table_name, query, options, status, changes FROM system.live WHERE user_id = '${name}' ORDER BY 1`,
  );

const liveId = async (id: string): Promise<unknown> =>
  (await root.rows(`SELECT live_id FROM system.live WHERE user_id = '${name}' AND subscription_id = '${id}'`))[0]?.[0];

test("open live queries are listed and counted until they end", async () => {
  await make("listed", "USER");
  const figures = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await root.rows("SELECT metric_name, metric_value FROM system.stats LIMIT 100")) as [string, string][],
    );
  await listener.subscribe("a", "SELECT * FROM n.listed WHERE id > 1", { last_rows: 2 });
  await listener.subscribe("b", "SELECT id FROM n.listed");
  await listener.resume("c", "SELECT id FROM n.listed", "382916957120073729");
  await alice.rows("INSERT INTO n.listed (id) VALUES (1), (2)");
  expect(await listed()).toEqual([
    ["a", "listed", "SELECT * FROM n.listed WHERE id > 1", '{"last_rows":2}', "active", "1"],
    ["b", "listed", "SELECT id FROM n.listed", null, "active", "2"],
    ["c", "listed", "SELECT id FROM n.listed", '{"from":382916957120073729}', "active", "2"],
  ]);
  const open = { active_subscriptions: "3", total_live_queries: "3", active_connections: "1", websocket_sessions: "1" };
  expect(await figures()).toMatchObject(open);
  const [[heard, created] = []] = await root.rows("SELECT last_ping_at, created_at FROM system.live LIMIT 1");
  expect(Number(heard)).toBeGreaterThanOrEqual(Number(created));
  listener.send({ type: "unsubscribe", subscription_id: "a" });
  await listener.fence();
  expect((await listed()).map(([id]) => id)).toEqual(["b", "c"]);
  // Cut, without a close frame.
  listener.socket.terminate();
  await expect.poll(listed).toEqual([]);
  const none = { active_subscriptions: "0", active_subscriptions_peak: "3", active_connections: "0" };
  expect(await figures()).toMatchObject(none);
});

test("an unsubscribed live query delivers nothing more, and its id can be reused", async () => {
  await make("silent", "USER");
  await listener.subscribe("s", "SELECT id FROM n.silent");
  expect(await listener.subscribe("s", "SELECT id FROM n.silent")).toMatchObject({ code: "INVALID_SUBSCRIPTION_ID" });
  listener.send({ type: "unsubscribe", subscription_id: "s" });
  await listener.fence();
  await alice.rows("INSERT INTO n.silent (id) VALUES (1)");
  expect((await listener.subscribe("s", "SELECT id FROM n.silent")).type).toBe("subscription_ack");
  await alice.rows("INSERT INTO n.silent (id) VALUES (2)");
  await listener.fence();
  expect(listener.changes("s").map(({ rows }) => rows?.[0]?.["id"])).toEqual(["2"]);
});

test("KILL LIVE QUERY ends a live query, notifies its client and frees the quota", async () => {
  await make("killed", "USER");
  for (let n = 0; n < 10; n += 1) await listener.subscribe(`k-${n}`, "SELECT id FROM n.killed");
  expect((await listener.subscribe("more", "SELECT id FROM n.killed")).code).toBe("SUBSCRIPTION_LIMIT_EXCEEDED");
  const [quoted, bare] = [String(await liveId("k-3")), String(await liveId("k-4"))];
  expect((await alice.sql(`KILL LIVE QUERY '${quoted}'`)).code).toBe("PERMISSION_DENIED");
  expect((await root.sql(`KILL LIVE QUERY '${quoted}'`)).results[0]?.message).toBe(`Live query killed: ${quoted}`);
  expect((await root.sql(`KILL LIVE QUERY ${bare}`)).status).toBe(200);
  expect((await root.sql(`KILL LIVE QUERY '${quoted}'`)).message).toContain("not found");
  expect((await root.sql("KILL LIVE QUERY 'x'")).code).toBe("INVALID_SQL");
  await alice.rows("INSERT INTO n.killed (id) VALUES (1)");
  await listener.fence();
  expect(listener.of("k-3").slice(1)).toMatchObject([{ type: "error", code: "LIVE_QUERY_KILLED" }]);
  expect(listener.changes("k-5")).toHaveLength(1);
  expect((await listener.subscribe("more", "SELECT id FROM n.killed")).type).toBe("subscription_ack");
});

describe("a live query that is no longer valid ends immediately, with the reason", () => {
  test("a table becomes private", async () => {
    await make("tight", "SHARED', ACCESS_LEVEL='PUBLIC");
    await listener.subscribe("t", "SELECT * FROM n.tight", {});
    await root.rows("INSERT INTO n.tight (id, v) VALUES (1, 'before'); ALTER TABLE n.tight SET ACCESS LEVEL private");
    await root.rows("INSERT INTO n.tight (id, v) VALUES (2, 'after')");
    await listener.fence();
    expect(listener.of("t").slice(2)).toMatchObject([
      { type: "change", rows: [{ id: "1", v: "before" }] },
      { type: "error", code: "UNAUTHORIZED", message: expect.stringContaining("'private'") as string },
    ]);
    expect(await listed()).toEqual([]);
    expect((await listener.subscribe("t", "SELECT * FROM n.tight")).code).toBe("UNAUTHORIZED");
  });

  test.for(["DROP TABLE", "DROP NAMESPACE"])("%s", async (verb) => {
    await root.rows(`CREATE NAMESPACE m`);
    const table = "CREATE TABLE m.dropped (id BIGINT PRIMARY KEY) WITH (TYPE='USER')";
    await root.rows(table);
    await listener.subscribe("d", "SELECT * FROM m.dropped");
    await alice.rows("INSERT INTO m.dropped (id) VALUES (1)");
    await root.rows(verb === "DROP TABLE" ? "DROP TABLE m.dropped" : "DROP NAMESPACE m CASCADE; CREATE NAMESPACE m");
    await root.rows(table);
    await alice.rows("INSERT INTO m.dropped (id) VALUES (2)");
    await listener.fence();
    expect(listener.of("d").slice(1)).toMatchObject([{ rows: [{ id: "1" }] }, { type: "error", code: "NOT_FOUND" }]);
    // The new table has neither rows nor changes of the old one.
    await listener.resume("e", "SELECT * FROM m.dropped", "1");
    await listener.fence();
    expect(listener.of("e").slice(1)).toMatchObject([{ rows: [{ id: "2" }] }]);
    await root.rows("DROP NAMESPACE m CASCADE");
  });

  test("a column is dropped; queries without it continue, with a new column too", async () => {
    await make("altered", "USER");
    await listener.subscribe("v", "SELECT id, v FROM n.altered");
    await listener.subscribe("if", "SELECT id FROM n.altered WHERE v = 'x'");
    await listener.subscribe("all", "SELECT * FROM n.altered");
    await root.rows("ALTER TABLE n.altered ADD COLUMN more INT DEFAULT 7; ALTER TABLE n.altered DROP COLUMN v");
    await alice.rows("INSERT INTO n.altered (id) VALUES (1)");
    await listener.fence();
    for (const id of ["v", "if"])
      expect(listener.of(id).slice(1)).toMatchObject([
        { code: "SUBSCRIPTION_FAILED", message: expect.stringContaining("No field named v") as string },
      ]);
    expect(listener.changes("all").map(({ rows }) => Object.keys(rows?.[0] ?? {}))).toEqual([
      ["id", "_seq", "_deleted", "more"],
    ]);
  });

  test("a user is dropped, or gets a lower role", async () => {
    await make("secret", "SHARED', ACCESS_LEVEL='PRIVATE");
    const [gone, lower] = [await account("gone", "service"), await account("lower", "service")];
    const [first, second, idle] = [
      await Listener.logIn(sandbox.url, gone),
      await Listener.logIn(sandbox.url, lower),
      await Listener.logIn(sandbox.url, gone),
    ];
    for (const one of [first, second]) await one.subscribe("s", "SELECT * FROM n.secret");
    await root.rows("DROP USER 'gone'; ALTER USER 'lower' SET ROLE user; INSERT INTO n.secret (id) VALUES (1)");
    await second.fence();
    expect(await first.closed).toEqual([1008, "The account is gone"]);
    expect(first.of("s").slice(1)).toMatchObject([{ type: "error", code: "UNAUTHORIZED" }]);
    expect(second.of("s").slice(1)).toMatchObject([{ type: "error", code: "UNAUTHORIZED" }]);
    idle.send({ type: "subscribe", subscription: { id: "s", sql: "SELECT * FROM n.secret" } });
    expect(await idle.closed).toEqual([1008, "The account is gone"]);
  });

  test("a condition fails on a row; the writer and other queries are unaffected", async () => {
    await make("broken", "USER");
    await listener.subscribe("b", "SELECT id FROM n.broken WHERE 1 / (id - 5) > 0");
    await listener.subscribe("fine", "SELECT id FROM n.broken");
    expect((await alice.sql("INSERT INTO n.broken (id) VALUES (5)")).status).toBe(200);
    await listener.fence();
    expect(listener.of("b").slice(1)).toMatchObject([{ type: "error", code: "SUBSCRIPTION_FAILED" }]);
    expect(listener.changes("fine")).toHaveLength(1);
  });
});

test("expired stream rows can no longer be read, and are not delivered as deletes", async () => {
  await root.rows("CREATE TABLE n.brief (id BIGINT, v TEXT) WITH (TYPE='STREAM', TTL_SECONDS=1)");
  await listener.subscribe("e", "SELECT id FROM n.brief", {});
  await alice.rows("INSERT INTO n.brief (id) VALUES (1), (2)");
  await alice.rows("DELETE FROM n.brief WHERE id = 2");
  const stored = async (): Promise<unknown> => (await root.rows("SHOW STATS FOR TABLE n.brief"))[0]?.[3];
  expect(await stored()).toBe("1");
  await expect.poll(stored).toBe("0");
  expect(await alice.rows("SELECT id FROM n.brief")).toEqual([]);
  await alice.rows("INSERT INTO n.brief (id) VALUES (3)");
  await listener.fence();
  expect(listener.changes("e").map((frame) => frame.change_type)).toEqual(["insert", "insert", "delete", "insert"]);
  expect((await listener.subscribe("f", "SELECT id FROM n.brief WHERE id < 3", {})).type).toBe("subscription_ack");
  await listener.fence();
  expect(listener.of("f")[1]?.rows).toEqual([]);
});

test("live queries survive a crash of the database thread without lost or duplicate changes", async () => {
  await make("survives", "USER");
  await listener.subscribe("s", "SELECT id FROM n.survives", { batch_size: 1 });
  await alice.rows("INSERT INTO n.survives (id) VALUES (1)");
  const [broken] = await Promise.all([
    root.sql(`SELECT ${"1+".repeat(300_000)}1`),
    alice.rows("INSERT INTO n.survives (id) VALUES (2)"),
    alice.rows("INSERT INTO n.survives (id) VALUES (3)"),
  ]);
  expect(broken.status).toBe(503);
  await listener.fence();
  expect(
    listener
      .changes("s")
      .map(({ rows }) => String(rows?.[0]?.["id"]))
      .toSorted(),
  ).toEqual(["1", "2", "3"]);
  expect((await listed()).map(([id]) => id)).toEqual(["s"]);
});
