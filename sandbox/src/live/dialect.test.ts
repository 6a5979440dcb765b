import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { OwnServer } from "../../../src/control/process.ts";
import { startSandbox } from "../../../test/sandbox.ts";
import { signIn, type Client } from "../client.ts";
import { applyFrames, lastVersion, Listener, type Row } from "./listener.ts";

/** They wait for a process of its own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 30_000 });

let sandbox: OwnServer;
let root: Client;
let alice: Client;
const listeners: Listener[] = [];

beforeAll(async () => {
  sandbox = await startSandbox({
    environment: { KALAM_SANDBOX_DIALECT: "0.8" },
    changes: { "rate_limit.max_queries_per_sec": 1000, "auth.local.bcrypt_cost": 4 },
  });
  root = await signIn(sandbox.url, "root", sandbox.rootPassword);
  await root.rows("CREATE SCHEMA v");
  await root.rows("CREATE USER alice WITH PASSWORD 'Passw0rd!x' ROLE user");
  alice = await signIn(sandbox.url, "alice", "Passw0rd!x");
});

afterEach(() => {
  for (const listener of listeners.splice(0)) listener.socket.terminate();
});

afterAll(async () => {
  await sandbox.stop();
});

async function listen(client: Client): Promise<Listener> {
  const listener = await Listener.logIn(sandbox.url, client);
  listeners.push(listener);
  return listener;
}

async function makeShared(name: string): Promise<string> {
  await root.rows(
    `CREATE TABLE v.${name} (id BIGINT PRIMARY KEY, owner TEXT, v INT) WITH (TYPE = 'SHARED');
     CREATE POLICY mine ON v.${name} FOR SELECT TO user USING (owner = CURRENT_USER)`,
  );
  return `v.${name}`;
}

const shown = (listener: Listener, id: string): unknown[] =>
  listener
    .changes(id)
    .map(({ change_type: kind, rows, old_values: old }) => [
      kind,
      (rows ?? old)?.[0]?.["id"],
      (rows ?? old)?.[0]?.["v"],
    ]);

test("a live query shows the rows that its policies show, also as they come and go", async () => {
  const table = await makeShared("rows");
  await root.rows(`INSERT INTO ${table} (id, owner, v) VALUES (1, 'alice', 1), (2, 'bob', 2)`);
  const listener = await listen(alice);
  await listener.subscribe("a", `SELECT * FROM ${table}`, {});
  await root.rows(`INSERT INTO ${table} (id, owner, v) VALUES (3, 'bob', 3), (4, 'alice', 4)`);
  await root.rows(`UPDATE ${table} SET v = 22 WHERE id = 2`);
  await root.rows(`UPDATE ${table} SET owner = 'alice' WHERE id = 2`);
  await root.rows(`UPDATE ${table} SET owner = 'bob', v = 11 WHERE id = 1`);
  await root.rows(`DELETE FROM ${table} WHERE id IN (1, 4)`);
  await listener.fence();
  expect([...applyFrames(listener.of("a").slice(0, 2)).keys()]).toEqual(["1"]);
  // The row that comes is new to alice: its old values are not hers to see. The one that goes is told as she last saw it.
  expect(shown(listener, "a")).toEqual([
    ["insert", "4", 4],
    ["insert", "2", 22],
    ["delete", "1", 1],
    ["delete", "4", 4],
  ]);
  expect(JSON.stringify(listener.frames)).not.toContain("bob");
});

test("without a policy a live query opens and stays empty; administrators see all", async () => {
  await root.rows("CREATE TABLE v.none (id BIGINT PRIMARY KEY) WITH (TYPE = 'SHARED')");
  const [hers, all] = [await listen(alice), await listen(root)];
  for (const listener of [hers, all]) await listener.subscribe("a", "SELECT * FROM v.none", {});
  await root.rows("INSERT INTO v.none (id) VALUES (1)");
  for (const listener of [hers, all]) await listener.fence();
  expect([hers.changes("a").length, all.changes("a").length]).toEqual([0, 1]);
});

test("a condition is not tried on rows that the account may not see", async () => {
  const table = await makeShared("secret");
  const listener = await listen(alice);
  await listener.subscribe("a", `SELECT * FROM ${table} WHERE 1 / (v - 7) > -2`, {});
  await root.rows(`INSERT INTO ${table} (id, owner, v) VALUES (1, 'bob', 7), (2, 'alice', 8)`);
  await listener.fence();
  expect(shown(listener, "a")).toEqual([["insert", "2", 8]]);
});

test.for([
  ["a policy is dropped", "DROP POLICY mine ON "],
  ["a policy is added", "CREATE POLICY more ON "],
])("a live query ends when %s", async ([, statement]) => {
  const table = await makeShared(statement?.startsWith("DROP") === true ? "dropped" : "added");
  const listener = await listen(alice);
  await listener.subscribe("a", `SELECT * FROM ${table}`, {});
  await root.rows(
    `${statement}${table}${statement?.startsWith("DROP") === true ? "" : " FOR SELECT TO user USING (v = 1)"}`,
  );
  await root.rows(`INSERT INTO ${table} (id, owner, v) VALUES (1, 'bob', 1)`);
  expect((await listener.until(() => listener.of("a").find(({ type }) => type === "error"))).code).toBe(
    "POLICY_CHANGED",
  );
  await listener.fence();
  expect(listener.changes("a")).toEqual([]);
});

test("versions are text, and the history stands in batch_control of SHARED tables", async () => {
  const table = await makeShared("texts");
  await root.rows("CREATE TABLE v.own (id BIGINT PRIMARY KEY) WITH (TYPE = 'USER')");
  await root.rows(`INSERT INTO ${table} (id) VALUES (1); INSERT INTO v.own (id) VALUES (1)`);
  const listener = await listen(root);
  const ack = await listener.subscribe("a", `SELECT * FROM ${table}`, {});
  expect(ack.batch_control?.version_domain).toEqual({
    history_incarnation: expect.stringMatching(/^\d+-\d+$/) as string,
    table_id: table,
    scope_id: 0,
    partition_id: null,
  });
  await listener.fence();
  expect(ack.text).toMatch(/"last_seq_id":"\d+"/);
  expect(listener.of("a")[1]?.rows?.[0]?.["_version"]).toMatch(/^\d+$/);
  expect((await listener.subscribe("b", "SELECT * FROM v.own", {})).batch_control?.version_domain).toBeUndefined();
});

test.for([7, "0", "-1", "x", "", "9223372036854775808"])(
  "a cursor that is no version closes the connection: %j",
  async (from) => {
    const listener = await listen(root);
    listener.send({ type: "subscribe", subscription: { id: "c", sql: "SELECT * FROM v.own", options: { from } } });
    expect((await listener.closed)[0]).toBe(1011);
  },
);

/** What a client knows that was away: the cursor, its history, the rows. */
interface Kept {
  readonly from: string;
  readonly domain: Row | undefined;
}

async function keep(table: string, id = "before"): Promise<Kept> {
  const listener = await listen(root);
  const ack = await listener.subscribe(id, `SELECT * FROM ${table}`, {});
  await listener.fence();
  return { from: lastVersion(listener.of(id)), domain: ack.batch_control?.version_domain };
}

test("a SHARED table is resumed completely with its history, and not without it", async () => {
  const table = await makeShared("resumed");
  const other = await makeShared("other");
  await root.rows(`INSERT INTO ${table} (id, v) VALUES (1, 1), (2, 2), (3, 3); INSERT INTO ${other} (id) VALUES (1)`);
  const { from, domain } = await keep(table);
  const { domain: another } = await keep(other);
  await root.rows(
    `UPDATE ${table} SET v = 22 WHERE id = 2; DELETE FROM ${table} WHERE id = 3; INSERT INTO ${table} (id) VALUES (4)`,
  );
  const listener = await listen(root);
  const resume = async (id: string, options: Row): Promise<string | undefined> =>
    (await listener.subscribe(id, `SELECT * FROM ${table}`, { from, ...options })).code;
  expect(await resume("none", {})).toBe("CURSOR_REJECTED");
  expect(await resume("another", { version_domain: another })).toBe("CURSOR_REJECTED");
  expect(await resume("scope", { version_domain: { ...domain, scope_id: 1 } })).toBe("CURSOR_REJECTED");
  expect(await resume("right", { version_domain: domain })).toBeUndefined();
  await listener.fence();
  const known = new Map<unknown, Row>([1, 2, 3].map((id) => [String(id), { id: String(id), owner: null, v: id }]));
  expect([...applyFrames(listener.of("right"), known)].map(([id, row]) => [id, row["v"]])).toEqual([
    ["1", 1],
    ["2", 22],
    ["4", null],
  ]);
  await root.rows(`DROP TABLE ${table}`);
  await makeShared("resumed");
  expect(await resume("again", { version_domain: domain })).toBe("CURSOR_REJECTED");
});

test("a cursor behind more changes than are kept has expired", async () => {
  const table = await makeShared("old");
  await root.rows(`INSERT INTO ${table} (id) VALUES (0)`);
  const { from, domain } = await keep(table);
  const resume = async (): Promise<string | undefined> => {
    const listener = await listen(root);
    return (await listener.subscribe("a", `SELECT * FROM ${table}`, { from, version_domain: domain })).code;
  };
  const insert = async (first: number, count: number): Promise<unknown> =>
    await root.rows(
      `INSERT INTO ${table} (id) VALUES ${Array.from({ length: count }, (_, at) => `(${first + at})`).join(", ")}`,
    );
  await insert(1, 1_024);
  expect(await resume()).toBeUndefined();
  await insert(5_000, 1);
  expect(await resume()).toBe("CURSOR_EXPIRED");
});

test("a page has at most 1,000 rows", async () => {
  const table = await makeShared("pages");
  await root.rows(`INSERT INTO ${table} (id) VALUES ${Array.from({ length: 1_200 }, (_, at) => `(${at})`).join(", ")}`);
  const listener = await listen(root);
  await listener.subscribe("a", `SELECT * FROM ${table}`, { batch_size: 5_000 });
  await listener.readOn("a");
  const pages = listener.of("a").filter(({ type }) => type === "initial_data_batch");
  expect(pages.map(({ rows }) => rows?.length)).toEqual([1_000, 200]);
});

test("a table without a key has rows that can be told apart", async () => {
  await root.rows("CREATE TABLE v.keyless (t TEXT) WITH (TYPE = 'USER')");
  const listener = await listen(root);
  await listener.subscribe("a", "SELECT * FROM v.keyless", {});
  await root.rows("INSERT INTO v.keyless VALUES ('x'), ('x')");
  await root.rows("UPDATE v.keyless SET t = 'y' WHERE t = 'x'");
  await root.rows("DELETE FROM v.keyless WHERE t = 'y'");
  await listener.fence();
  const changes = listener.changes("a");
  expect(changes.map(({ change_type: kind }) => kind)).toEqual(
    ["insert", "update", "delete"].flatMap((kind) => [kind, kind]),
  );
  expect(JSON.stringify(changes)).not.toContain("_row_id");
});
