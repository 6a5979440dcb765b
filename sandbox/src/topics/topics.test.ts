import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { OwnServer } from "../../../src/control/process.ts";
import { startSandbox } from "../../../test/sandbox.ts";
import { post, signIn, type Client } from "../client.ts";

/** They wait for a process of its own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 30_000 });

let sandbox: OwnServer;
let root: Client;
let plain: Client;

beforeAll(async () => {
  sandbox = await startSandbox({
    changes: { "rate_limit.max_queries_per_sec": 1000, "topics.visibility_timeout_secs": 600 },
  });
  root = await signIn(sandbox.url, "root", sandbox.rootPassword);
  await root.rows("CREATE USER 'plain' WITH PASSWORD 'Right-1234' ROLE user");
  plain = await signIn(sandbox.url, "plain", "Right-1234");
  await root.rows("CREATE NAMESPACE n");
});

afterAll(async () => {
  await sandbox.stop();
});

/** A shared table with a topic that has its inserts, under this name. */
async function makeTopic(name: string, more = ""): Promise<void> {
  await root.rows(
    `CREATE TABLE n.${name} (id BIGINT PRIMARY KEY, v TEXT, i INT, d DOUBLE, b BYTES) WITH (TYPE='SHARED')`,
  );
  await root.rows(`CREATE TOPIC n.${name}_topic ${more}`);
  await root.rows(`ALTER TOPIC n.${name}_topic ADD SOURCE n.${name} ON INSERT`);
}

interface Polled {
  readonly messages: readonly {
    readonly offset: number;
    readonly key: string | null;
    readonly payload: string;
    readonly op: string;
    readonly user?: string;
  }[];
  readonly next_offset: number;
  readonly has_more: boolean;
  readonly code?: string;
}

async function poll(topic: string, group: string, more: Readonly<Record<string, unknown>> = {}): Promise<Polled> {
  const body = { topic_id: topic, group_id: group, start: "Earliest", ...more };
  return (await (await post(sandbox.url, "/v1/api/topics/consume", body, root.token)).json()) as Polled;
}

async function acknowledge(topic: string, group: string, upTo: number): Promise<number> {
  const body = { topic_id: topic, group_id: group, upto_offset: upTo };
  return (await post(sandbox.url, "/v1/api/topics/ack", body, root.token)).status;
}

const contents = ({ messages }: Polled): unknown[] =>
  messages.map(({ payload }) => JSON.parse(Buffer.from(payload, "base64").toString()) as unknown);
const keys = ({ messages }: Polled): (string | null)[] => messages.map(({ key }) => key);

test("a message has the row as clients see it", async () => {
  await makeTopic("whole");
  await root.rows("INSERT INTO n.whole (id, v, i, d, b) VALUES (9007199254740993, 'é 😀', -1, 0.5, X'00ff')");
  const polled = await poll("n.whole_topic", "g");
  expect(contents(polled)).toEqual([
    {
      id: "9007199254740993",
      v: "é 😀",
      i: -1,
      d: 0.5,
      b: [0, 255],
      _seq: expect.stringMatching(/^\d{18}$/),
      _deleted: false,
      _commit_seq: expect.stringMatching(/^\d+$/),
      _table: "n:whole",
    },
  ]);
  expect(polled.messages[0]).toMatchObject({ offset: 0, key: "9007199254740993", op: "Insert" });
  expect(polled.messages[0]).not.toHaveProperty("user");
});

test("changes from the time of the source are messages: each kind that has one, in the order of the commits", async () => {
  await root.rows("CREATE TABLE n.kinds (id BIGINT PRIMARY KEY, v TEXT)");
  await root.rows("INSERT INTO n.kinds (id, v) VALUES (1, 'before')");
  await root.rows("CREATE TOPIC n.kinds_topic");
  for (const [op, payload] of [
    ["INSERT", "full"],
    ["DELETE", "key"],
  ])
    await root.rows(`ALTER TOPIC n.kinds_topic ADD SOURCE n.kinds ON ${op} WITH (payload = '${payload}')`);
  await root.rows("INSERT INTO n.kinds (id, v) VALUES (2, 'a'), (3, 'b')");
  await root.rows("UPDATE n.kinds SET v = 'c' WHERE id = 2");
  await root.rows("DELETE FROM n.kinds WHERE id = 2");
  await root.sql("BEGIN; INSERT INTO n.kinds (id, v) VALUES (4, 'd'); ROLLBACK");
  await root.rows(
    "BEGIN; INSERT INTO n.kinds (id, v) VALUES (5, 'e'); INSERT INTO n.kinds (id, v) VALUES (6, 'f'); COMMIT",
  );
  const polled = await poll("n.kinds_topic", "g");
  expect(polled.messages.map(({ offset, key, op }) => [offset, key, op])).toEqual([
    [0, "2", "Insert"],
    [1, "3", "Insert"],
    [2, "2", "Delete"],
    [3, "5", "Insert"],
    [4, "6", "Insert"],
  ]);
  expect(contents(polled)[2]).toEqual({ id: "2" });
});

test("the owner of a user table's row is named", async () => {
  await root.rows("CREATE USER TABLE n.own (id BIGINT PRIMARY KEY)");
  await root.rows("CREATE TOPIC n.own_topic");
  await root.rows("ALTER TOPIC n.own_topic ADD SOURCE n.own ON INSERT");
  await plain.rows("INSERT INTO n.own (id) VALUES (1)");
  expect((await poll("n.own_topic", "g")).messages[0]?.user).toBe("plain");
});

test("a group shares messages, continues after what it acknowledged, and another group has its own place", async () => {
  await makeTopic("shared");
  await root.rows(`INSERT INTO n.shared (id) VALUES ${[1, 2, 3, 4, 5, 6].map((id) => `(${id})`).join(", ")}`);
  const topic = "n.shared_topic";
  const first = await poll(topic, "g", { limit: 2 });
  expect([keys(first), first.next_offset, first.has_more]).toEqual([["1", "2"], 2, true]);
  expect(keys(await poll(topic, "g", { limit: 2 }))).toEqual(["3", "4"]);
  expect(keys(await poll(topic, "other", { limit: 2 }))).toEqual(["1", "2"]);
  expect(await acknowledge(topic, "g", 3)).toBe(200);
  expect(await acknowledge(topic, "g", 1)).toBe(200);
  expect(
    await root.rows(
      `SELECT group_id, partition_id, last_acked_offset FROM system.topic_offsets WHERE topic_id = '${topic}'`,
    ),
  ).toEqual([["g", 0, "3"]]);
  // The position counts only for a group without a place.
  const rest = await poll(topic, "g", { start: { Offset: 0 } });
  expect([keys(rest), rest.has_more]).toEqual([["5", "6"], false]);
  expect(keys(await poll(topic, "g"))).toEqual([]);
  expect(keys(await poll(topic, "late", { start: "Latest" }))).toEqual([]);
  await root.rows("INSERT INTO n.shared (id) VALUES (7)");
  expect(keys(await poll(topic, "late", { start: "Latest" }))).toEqual(["7"]);
  expect(keys(await poll(topic, "middle", { start: { Offset: 4 } }))).toEqual(["5", "6", "7"]);
});

test("CONSUME acknowledges for its group, and without a group claims nothing", async () => {
  await makeTopic("bysql");
  await root.rows("INSERT INTO n.bysql (id) VALUES (1), (2), (3)");
  const consume = async (more: string): Promise<unknown[]> =>
    (await root.rows(`CONSUME FROM n.bysql_topic ${more}`)).map((row) => row[3]);
  expect(await consume("FROM EARLIEST LIMIT 2")).toEqual(["1", "2"]);
  expect(await consume("FROM 1")).toEqual(["2", "3"]);
  expect(await consume("")).toEqual([]);
  expect(await consume("GROUP 'g' FROM EARLIEST LIMIT 2")).toEqual(["1", "2"]);
  expect(await consume("GROUP 'g' FROM EARLIEST")).toEqual(["3"]);
  expect(await root.rows("ACK n.bysql_topic GROUP 'h' UPTO OFFSET 1")).toEqual([["n.bysql_topic", "h", 0, "1"]]);
  expect(await consume("GROUP 'h' FROM EARLIEST")).toEqual(["3"]);
});

test("each key has its partition, and offsets count within it", async () => {
  await makeTopic("parts", "PARTITIONS 3");
  const ids = Array.from({ length: 30 }, (_, at) => at);
  await root.rows(`INSERT INTO n.parts (id) VALUES ${ids.map((id) => `(${id})`).join(", ")}`);
  const parts = await Promise.all(
    [0, 1, 2].map(async (partition) => await poll("n.parts_topic", "g", { partition_id: partition, limit: 100 })),
  );
  for (const { messages } of parts) {
    expect(messages.length).toBeGreaterThan(0);
    expect(messages.map(({ offset }) => offset)).toEqual(messages.map((_, at) => at));
  }
  expect(
    parts
      .flatMap(keys)
      .map(Number)
      .toSorted((a, b) => a - b),
  ).toEqual(ids);
});

test("messages, acknowledgements and sources survive a crash of the database thread; claims do not", async () => {
  await makeTopic("kept");
  await root.rows("INSERT INTO n.kept (id) VALUES (1), (2), (3)");
  const next = async (): Promise<unknown> => keys(await poll("n.kept_topic", "g", { limit: 1 }));
  expect(await next()).toEqual(["1"]);
  await acknowledge("n.kept_topic", "g", 0);
  expect(await next()).toEqual(["2"]);
  expect((await root.sql(`SELECT ${"1+".repeat(300_000)}1`)).status).toBe(503);
  expect(await next()).toEqual(["2"]);
  await root.rows("INSERT INTO n.kept (id) VALUES (4)");
  expect([await next(), await next(), await next()]).toEqual([["3"], ["4"], []]);
});

test("a dropped topic leaves nothing, nor does one of a dropped namespace", async () => {
  await root.rows("CREATE NAMESPACE gone");
  await root.rows("CREATE TABLE gone.t (id BIGINT PRIMARY KEY)");
  const make = async (): Promise<void> => {
    await root.rows("CREATE TOPIC gone.topic");
    await root.rows("ALTER TOPIC gone.topic ADD SOURCE gone.t ON INSERT");
  };
  await make();
  await root.rows("INSERT INTO gone.t (id) VALUES (1)");
  expect(keys(await poll("gone.topic", "g"))).toEqual(["1"]);
  await acknowledge("gone.topic", "g", 0);
  await root.rows("DROP TOPIC gone.topic");
  expect((await poll("gone.topic", "g")).code).toBe("NOT_FOUND");
  await make();
  expect(keys(await poll("gone.topic", "g"))).toEqual([]);
  await root.rows("INSERT INTO gone.t (id) VALUES (2)");
  expect((await poll("gone.topic", "g")).messages[0]).toMatchObject({ offset: 0, key: "2" });
  await root.rows("DROP NAMESPACE gone CASCADE");
  expect(await root.rows("SELECT topic_id FROM system.topics WHERE topic_id = 'gone.topic'")).toEqual([]);
  expect(await root.rows("SELECT topic_id FROM system.topic_offsets WHERE topic_id = 'gone.topic'")).toEqual([]);
});

test("what cannot be is refused", async () => {
  await makeTopic("refused");
  const said = async (sql: string, client = root): Promise<string> => {
    const { status, message } = await client.sql(sql);
    return `${status} ${message}`;
  };
  expect(await said("CREATE TOPIC n.refused_topic")).toMatch(/^400 .*already exists/);
  expect(await said("CREATE TOPIC nowhere.t")).toMatch(/^400 .*Namespace 'nowhere' does not exist/);
  expect(await said("CREATE TOPIC n.zero PARTITIONS 0")).toMatch(/^400 /);
  expect(await said("ALTER TOPIC n.refused_topic ADD SOURCE n.refused ON INSERT")).toMatch(/^400 .*already exists/);
  expect(await said("ALTER TOPIC n.refused_topic ADD SOURCE n.missing ON INSERT")).toMatch(/^400 .*not found/);
  expect(await said("ALTER TOPIC n.refused_topic ADD SOURCE n.refused ON SELECT")).toMatch(/^400 /);
  expect(await said("ALTER TOPIC n.refused_topic ADD SOURCE n.refused ON UPDATE WITH (payload='half')")).toMatch(
    /^400 /,
  );
  expect(await said("CONSUME FROM n.nowhere")).toMatch(/^400 .*does not exist/);
  for (const sql of [
    "CREATE TOPIC n.mine",
    "DROP TOPIC n.refused_topic",
    "CONSUME FROM n.refused_topic",
    "ACK n.refused_topic GROUP 'g' UPTO OFFSET 0",
  ])
    expect([sql, await said(sql, plain)]).toEqual([sql, expect.stringMatching(/^403 /)]);
  const answered = async (path: string, body: unknown, token?: string): Promise<string> => {
    const response = await post(sandbox.url, `/v1/api/topics/${path}`, body, token);
    return `${response.status} ${await response.text()}`;
  };
  const group = { topic_id: "n.refused_topic", group_id: "g" };
  expect(await answered("consume", group)).toMatch(/^401 /);
  expect(await answered("ack", { ...group, upto_offset: 1 }, plain.token)).toMatch(/^403 /);
  expect(await answered("ack", group, root.token)).toMatch(/^400 .*missing field `upto_offset`/);
  expect(await answered("consume", { ...group, start: "Middle" }, root.token)).toMatch(/^400 .*Invalid start position/);
  expect(await answered("consume", { ...group, limit: -1 }, root.token)).toMatch(/^400 /);
  expect(await answered("elsewhere", group, root.token)).toMatch(/^404 /);
});
