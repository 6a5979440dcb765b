import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { OwnServer } from "../../../src/control/process.ts";
import { startSandbox } from "../../../test/sandbox.ts";
import { signIn, type Client } from "../client.ts";
import { applyFrames, lastVersion, Listener, type Row } from "./listener.ts";

/** They wait for a process of its own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 30_000 });

const password = "Pass-word-1234";
let sandbox: OwnServer;
let root: Client;
let alice: Client;
let bob: Client;

beforeAll(async () => {
  // Rate limits are tested elsewhere.
  const changes = {
    "rate_limit.max_queries_per_sec": 100_000,
    "rate_limit.max_messages_per_sec": 100_000,
    "rate_limit.max_subscriptions_per_user": 1000,
  };
  sandbox = await startSandbox({ changes });
  root = await signIn(sandbox.url, "root", sandbox.rootPassword);
  await root.rows("CREATE NAMESPACE n");
  for (const name of ["alice", "bob"]) await root.rows(`CREATE USER '${name}' WITH PASSWORD '${password}' ROLE user`);
  [alice, bob] = await Promise.all([signIn(sandbox.url, "alice", password), signIn(sandbox.url, "bob", password)]);
});

afterAll(async () => {
  await sandbox.stop();
});

const make = async (name: string, more = "", type = "USER"): Promise<unknown> =>
  await root.rows(`CREATE TABLE n.${name} (id BIGINT PRIMARY KEY, v TEXT, n INT${more}) WITH (TYPE='${type}')`);

/** Change frames without versions. */
const changesOf = (listener: Listener, id: string): unknown[] =>
  listener.changes(id).map(({ change_type: kind, rows, old_values: old }) => {
    const plain = (some?: readonly Row[]): unknown => some?.map(({ _seq, ...row }) => row);
    return [kind, plain(rows), plain(old)];
  });

test("each change is delivered once, in order, with the old and the new row", async () => {
  await make("content", ", at TIMESTAMP, big BIGINT");
  const listener = await Listener.logIn(sandbox.url, alice);
  expect((await listener.subscribe("all", "SELECT * FROM n.content")).schema?.map(({ name }) => name)).toEqual([
    "id",
    "v",
    "n",
    "at",
    "big",
    "_seq",
    "_deleted",
  ]);
  await listener.subscribe("some", "SELECT n FROM n.content");
  for (const sql of [
    "INSERT INTO n.content (id, v, n, at, big) VALUES (1, 'é 😀', 1, '2026-01-02 03:04:05.123456', 9007199254740993), (2, NULL, 2, NULL, 1)",
    "UPDATE n.content SET n = 2 WHERE id = 1",
    "UPDATE n.content SET n = 2 WHERE id = 1",
    "UPDATE n.content SET v = NULL WHERE id = 1",
    "DELETE FROM n.content WHERE id = 1",
    "BEGIN; INSERT INTO n.content (id) VALUES (3); UPDATE n.content SET n = 3 WHERE id = 3; COMMIT",
    "BEGIN; INSERT INTO n.content (id) VALUES (4); ROLLBACK",
    "INSERT INTO n.content (id) VALUES (5); INSERT INTO n.content (id) VALUES (5)",
  ])
    await alice.sql(sql);
  await listener.fence();
  const at = 1767323045123456;
  const first = { id: "1", v: "é 😀", n: 1, at, big: "9007199254740993" };
  const empty = { v: null, n: null, at: null, big: null, _deleted: false };
  expect(changesOf(listener, "all")).toEqual([
    ["insert", [{ ...first, _deleted: false }], undefined],
    ["insert", [{ ...empty, id: "2", n: 2, big: "1" }], undefined],
    ["update", [{ ...first, n: 2 }], [{ id: "1", n: 1 }]],
    ["update", [{ id: "1", n: 2, at, big: "9007199254740993" }], [{ id: "1", v: "é 😀" }]],
    ["delete", undefined, [{ ...first, v: null, n: 2, _deleted: true }]],
    ["insert", [{ ...empty, id: "3" }], undefined],
    ["update", [{ id: "3", n: 3 }], [{ id: "3", n: null }]],
    ["insert", [{ ...empty, id: "5" }], undefined],
  ]);
  expect(changesOf(listener, "some").slice(2, 5)).toEqual([
    ["update", [{ id: "1", n: 2 }], [{ id: "1", n: 1 }]],
    ["update", [{ id: "1", n: 2 }], [{ id: "1" }]],
    ["delete", undefined, [{ n: 2 }]],
  ]);
  const versions = listener.changes("all").map((frame) => BigInt(lastVersion([frame])));
  expect(versions.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(versions);
  expect(new Set(versions).size).toBe(versions.length);
});

test("an acknowledged change was delivered, and is readable on delivery", async () => {
  await make("readable");
  const listener = await Listener.logIn(sandbox.url, alice);
  await listener.subscribe("r", "SELECT * FROM n.readable");
  const seen: unknown[] = [];
  listener.socket.on(
    "message",
    () => void alice.rows("SELECT count(*) FROM n.readable").then((rows) => seen.push(rows)),
  );
  await alice.rows("BEGIN; INSERT INTO n.readable (id) VALUES (1); INSERT INTO n.readable (id) VALUES (2); COMMIT");
  await expect.poll(() => seen.length).toBe(2);
  expect(seen).toEqual([[["2"]], [["2"]]]);
});

test.for(["USER", "STREAM"])("a live query on a %s table delivers only the user's own rows", async (type) => {
  const table = `n.own_${type}`;
  await root.rows(
    `CREATE TABLE ${table} (id BIGINT ${type === "USER" ? "PRIMARY KEY" : ""}, v TEXT) WITH (TYPE='${type}'${type === "USER" ? "" : ", TTL_SECONDS=60"})`,
  );
  const listeners = await Promise.all([alice, bob, root].map(async (who) => await Listener.logIn(sandbox.url, who)));
  for (const listener of listeners) await listener.subscribe("x", `SELECT * FROM ${table}`, {});
  const canary = (who: string, n: number): string => `INSERT INTO ${table} (id, v) VALUES (${n}, '${who}')`;
  await Promise.all([
    ...Array.from({ length: 20 }, async (_, n) => await alice.rows(canary("alice", n))),
    ...Array.from({ length: 20 }, async (_, n) => await bob.rows(canary("bob", n))),
    root.rows(`EXECUTE AS USER 'alice' (${canary("alice", 20)})`),
  ]);
  await Promise.all(listeners.map(async (listener) => await listener.fence()));
  const heard = listeners.map((listener) => listener.changes("x").map(({ rows }) => rows?.[0]?.["v"]));
  expect(heard).toEqual([Array(21).fill("alice"), Array(20).fill("bob"), []]);
  // Nor in the initial rows, nor after resuming.
  await listeners[0]?.subscribe("again", `SELECT * FROM ${table}`, {});
  await listeners[0]?.resume("back", `SELECT * FROM ${table}`, "1");
  await listeners[0]?.fence();
  expect(listeners[0]?.frames.map(({ text }) => text).join("")).not.toContain('"bob"');
});

test("every filter means the same as in a SELECT, also for rows that start or stop matching", async () => {
  await make("filtered", ", at TIMESTAMP, d DECIMAL(10,2), j JSON, b BOOLEAN, u UUID, r DOUBLE");
  const filters = [
    "v = 'error'",
    "v <> 'error'",
    "n < 3",
    "v LIKE 'err%' AND n > 1",
    "v ILIKE 'ERR%' OR n = 1",
    "NOT (v = 'error')",
    "v IN ('error', 'it''s')",
    "n NOT IN (1, 2)",
    "n BETWEEN 1 AND 3",
    "v IS NULL",
    "v IS NOT NULL AND n IS NULL",
    "LOWER(v) = 'error'",
    "length(v) > 4 -- not ) this",
    "n + 1 = 3",
    "v > 'f'",
    "filtered.n % 2 = 0",
    "CASE WHEN n > 2 THEN v = 'x' ELSE b END",
    "d > 1.5",
    "at < '2026-01-02'",
    "j LIKE '%\"a\"%'",
    "b",
    "b IS NOT TRUE",
    "u = '550e8400-e29b-41d4-a716-446655440000'",
    "r > 0.1 AND r < 1e300",
    "_deleted = false",
    "v = CURRENT_USER()",
    "COALESCE(v, 'none') = 'none'",
  ];
  const listener = await Listener.logIn(sandbox.url, alice);
  await alice.rows("INSERT INTO n.filtered (id, v, n) VALUES (100, 'error', 1), (101, NULL, NULL)");
  for (const [index, filter] of filters.entries())
    expect(
      await listener.subscribe(`f${index}`, `SELECT id FROM n.filtered WHERE ${filter}`, {}),
      `WHERE ${filter}`,
    ).toMatchObject({
      type: "subscription_ack",
    });
  const texts = ["'error'", "'ERROR'", "'info'", "'it''s'", "NULL", "'x'", "'alice'"];
  for (let id = 0; id < 14; id += 1) {
    const [at, uuid] = [`'2026-01-0${1 + (id % 3)}'`, id % 3 === 0 ? "'550e8400-e29b-41d4-a716-446655440000'" : "NULL"];
    const values = [
      texts[id % 7],
      id % 5 === 4 ? "NULL" : id % 5,
      at,
      id / 4,
      `'{"${id % 2 ? "a" : "b"}":1}'`,
      id % 3 === 1,
      uuid,
      id / 10,
    ];
    await alice.rows(`INSERT INTO n.filtered (id, v, n, at, d, j, b, u, r) VALUES (${id}, ${values.join(", ")})`);
  }
  for (let id = 0; id < 14; id += 1)
    await alice.rows(
      `UPDATE n.filtered SET v = ${texts[(id * 3 + 1) % 7]}, n = ${id % 4}, b = NOT b, d = d + 1 WHERE id = ${id}`,
    );
  await alice.rows("DELETE FROM n.filtered WHERE id > 10 AND id <= 100");
  await listener.fence();
  for (const [index, filter] of filters.entries()) {
    const rows = await alice.rows(`SELECT id FROM n.filtered WHERE ${filter}\n ORDER BY id LIMIT 100`);
    const live = [...applyFrames(listener.of(`f${index}`)).keys()];
    expect(
      live.map(Number).toSorted((a, b) => a - b),
      `WHERE ${filter}`,
    ).toEqual(rows.map(([id]) => Number(id)));
  }
});

test("compressed frames have the same content; small ones, and all for clients without compression, are text", async () => {
  await make("packed");
  const [packed, plain] = await Promise.all([
    Listener.logIn(sandbox.url, alice, "gzip"),
    Listener.logIn(sandbox.url, alice),
  ]);
  for (const listener of [packed, plain]) await listener.subscribe("p", "SELECT id, v FROM n.packed", {});
  for (const [id, length] of [10, 500, 5000, 60_000].entries())
    await alice.rows(`INSERT INTO n.packed (id, v) VALUES (${id}, '${"ü".repeat(length)}')`);
  await Promise.all([packed.fence(), plain.fence()]);
  expect(packed.changes("p").map(({ text }) => text)).toEqual(plain.changes("p").map(({ text }) => text));
  expect(packed.changes("p").map(({ isBinary }) => isBinary)).toEqual([false, true, true, true]);
  expect(plain.frames.some(({ isBinary }) => isBinary)).toBe(false);
  expect(applyFrames(packed.of("p")).get("3")).toEqual({ id: "3", v: "ü".repeat(60_000) });
});

describe("the initial rows", () => {
  beforeAll(async () => {
    await make("pages");
    const values = Array.from({ length: 1000 }, (_, index) => `(${1000 - index}, 'v', ${index})`);
    await alice.rows(`INSERT INTO n.pages (id, v, n) VALUES ${values.join(", ")}`);
  });

  const ids = (listener: Listener, id: string): unknown[] =>
    listener
      .of(id)
      .flatMap(({ type, rows = [] }) => (type === "initial_data_batch" ? rows.map((row) => row["id"]) : []));

  test("come in pages, each row once, with cursors that a number would round", async () => {
    const listener = await Listener.logIn(sandbox.url, alice);
    await listener.subscribe("p", "SELECT id FROM n.pages", { batch_size: 10 });
    await listener.readOn("p");
    expect(ids(listener, "p")).toEqual(Array.from({ length: 1000 }, (_, index) => String(1000 - index)));
    const pages = listener.of("p").slice(1);
    expect(pages.map(({ batch_control: control }) => control?.batch_num)).toEqual(pages.map((_, index) => index));
    expect(pages.map(({ batch_control: control }) => control?.status)).toEqual([
      "loading",
      ...Array<string>(98).fill("loading_batch"),
      "ready",
    ]);
    for (const page of pages) expect(page.batch_control?.last_seq_id).toBe(lastVersion([page]));
    // On the wire the cursor is a number with all its digits.
    expect(pages[0]?.text).toMatch(/"last_seq_id":3\d{17}\}/);
  });

  test("follow the options", async () => {
    const listener = await Listener.logIn(sandbox.url, alice);
    await listener.subscribe("none", "SELECT id FROM n.pages");
    await listener.subscribe("last", "SELECT id FROM n.pages WHERE n < 500", { last_rows: 3 });
    await listener.subscribe("more", "SELECT id FROM n.pages", { last_rows: 5, batch_size: 5 });
    await listener.subscribe("all", "SELECT id FROM n.pages", { batch_size: 5000 });
    await listener.resume("from", "SELECT id FROM n.pages", lastVersion(listener.of("last")));
    await listener.fence();
    const counts = ["none", "last", "more", "all", "from"].map((id) => ids(listener, id).length);
    expect(counts).toEqual([0, 3, 5, 1000, 500]);
    expect(ids(listener, "last")).toEqual(["501", "502", "503"]);
    expect((await listener.subscribe("x", "SELECT id FROM n.pages", { last_rows: 6, batch_size: 5 })).code).toBe(
      "UNSUPPORTED",
    );
    expect((await listener.subscribe("y", "SELECT id FROM n.pages", { lastrows: 6 })).message).toContain("'lastrows'");
  });
});

test("no change is lost or duplicated between the initial rows and the changes, under concurrent writes", async () => {
  await make("handover", "", "SHARED', ACCESS_LEVEL='PUBLIC");
  const writers = 4;
  let isOver = false;
  const write = async (writer: number): Promise<number> => {
    let n = 0;
    for (; !isOver; n += 1) {
      const id = writer * 1_000_000 + n;
      const many =
        n % 10 === 0 ? Array.from({ length: 40 }, (_, more) => `, (${id + 500_000 + more * 10_000}, 'x', 0)`) : [];
      await root.rows(`INSERT INTO n.handover (id, v, n) VALUES (${id}, 'new', ${n})${many.join("")}`);
      if (n % 3 === 1) await root.rows(`UPDATE n.handover SET v = 'changed ${n}', n = NULL WHERE id = ${id - 1}`);
      if (n % 3 === 2) await root.rows(`DELETE FROM n.handover WHERE id = ${id - 2}`);
    }
    return n;
  };
  const writing = Array.from({ length: writers }, async (_, writer) => await write(writer));
  const listeners = await Promise.all(Array.from({ length: 5 }, async () => await Listener.logIn(sandbox.url, alice)));
  for (let round = 0; round < 10; round += 1) {
    await Promise.all(
      listeners.map(async (listener) => {
        await listener.subscribe(`s${round}`, "SELECT * FROM n.handover", { batch_size: 20 + round * 20 });
        await listener.readOn(`s${round}`);
      }),
    );
  }
  isOver = true;
  expect(Math.min(...(await Promise.all(writing)))).toBeGreaterThan(3);
  const table = new Map<unknown, Row>();
  for (let from = "-1"; ;) {
    const page = await root.rows("SELECT id, v, n FROM n.handover WHERE id > $1 ORDER BY id LIMIT 1000", [from]);
    for (const [id, v, n] of page) table.set(id, n === null ? { id, v } : { id, v, n });
    if (page.length < 1000) break;
    from = String(page.at(-1)?.[0]);
  }
  let concurrent = 0;
  for (const listener of listeners) {
    await listener.fence();
    for (let round = 0; round < 10; round += 1) {
      const frames = listener.of(`s${round}`);
      const seen = frames.flatMap(({ rows = [], old_values: old = [], change_type: kind }) =>
        (kind === "delete" ? old : rows).map((row) => row["_seq"]),
      );
      expect(new Set(seen).size, "a version twice").toBe(seen.length);
      const pages = frames.filter(({ type }) => type === "initial_data_batch");
      if (pages.length > 1 && frames.length > pages.length + 1) concurrent += 1;
      const known = applyFrames(frames);
      for (const row of known.values()) if (row["n"] === null) delete (row as Record<string, unknown>)["n"];
      expect(known).toEqual(table);
    }
  }
  // Most had several pages and changes waiting behind them, where a change could be lost.
  expect(concurrent).toBeGreaterThan(25);
});

test("a resumed live query catches up completely, deletes included", async () => {
  await make("resumed");
  const sql = "SELECT * FROM n.resumed WHERE n < 100";
  const first = await Listener.logIn(sandbox.url, alice);
  await alice.rows(
    `INSERT INTO n.resumed (id, n) VALUES ${Array.from({ length: 10 }, (_, id) => `(${id}, ${id})`).join(", ")}`,
  );
  await first.subscribe("r", sql, {});
  await alice.rows("DELETE FROM n.resumed WHERE id = 9");
  await first.fence();
  const [known, from] = [applyFrames(first.frames), lastVersion(first.of("r"))];
  first.socket.terminate();
  for (const change of [
    "DELETE FROM n.resumed WHERE id = 0",
    "UPDATE n.resumed SET v = 'changed' WHERE id = 1",
    "UPDATE n.resumed SET v = 'changed' WHERE id = 2",
    "DELETE FROM n.resumed WHERE id = 2",
    "DELETE FROM n.resumed WHERE id = 3",
    "INSERT INTO n.resumed (id, n, v) VALUES (3, 33, 'again')",
    "UPDATE n.resumed SET n = 100 WHERE id = 4",
    "INSERT INTO n.resumed (id, n) VALUES (20, 20), (21, 21), (22, 200)",
    "DELETE FROM n.resumed WHERE id = 21",
    "DELETE FROM n.resumed WHERE id = 22",
  ])
    await alice.rows(change);
  await bob.rows("INSERT INTO n.resumed (id, n) VALUES (5, 5), (50, 50); DELETE FROM n.resumed WHERE id = 5");
  const second = await Listener.logIn(sandbox.url, alice);
  await second.resume("r", sql, from);
  await second.fence();
  const rows = await alice.rows("SELECT id, v, n FROM n.resumed WHERE n < 100 ORDER BY id");
  expect(
    [...applyFrames(second.of("r"), known).values()].toSorted((a, b) => Number(a["id"]) - Number(b["id"])),
  ).toEqual(rows.map(([id, v, n]) => ({ id, v, n })));
  // Nothing that the client had already, and no row inserted and deleted meanwhile.
  const gone = second.changes("r").map(({ change_type: kind, old_values: old }) => [kind, old?.[0]?.["id"]]);
  expect(gone).toEqual(["0", "2", "4"].map((id) => ["delete", id]));
  expect(second.of("r").flatMap(({ rows: some = [] }) => some.map((row) => row["id"]))).toEqual(["1", "3", "20"]);
  // Resuming from the end brings nothing.
  await second.resume("again", sql, lastVersion(second.of("r")));
  await second.fence();
  expect(second.of("again").slice(1)).toMatchObject([{ rows: [], batch_control: { status: "ready" } }]);
});

test("many changes of one statement reach every subscriber", async () => {
  await make("burst", "", "SHARED', ACCESS_LEVEL='PUBLIC");
  const listeners = await Promise.all(
    [alice, bob, alice, bob, root].map(async (who) => await Listener.logIn(sandbox.url, who)),
  );
  for (const listener of listeners) await listener.subscribe("b", "SELECT id FROM n.burst");
  const ids = Array.from({ length: 1000 }, (_, id) => String(id));
  await root.rows(`INSERT INTO n.burst (id) VALUES ${ids.map((id) => `(${id})`).join(", ")}`);
  for (const listener of listeners) {
    await listener.fence();
    expect(listener.changes("b").map(({ rows }) => rows?.[0]?.["id"])).toEqual(ids);
  }
});
