import { expect, test } from "vitest";
import type { Begun } from "../../../../src/server/feed.ts";
import type { Row, Target } from "../../../../src/server/target.ts";
import { scripted, type Reply } from "../../../../test/scripted.ts";
import { alterUnder } from "./altering.ts";
import { cases } from "./cases.ts";

interface Server {
  readonly reply?: (sql: string) => Reply;
  /** What the live query is told, and whether the fence arrives. */
  readonly told?: readonly Row[];
  readonly fence?: boolean;
  readonly notices?: readonly object[];
  readonly closed?: object;
  /** Of the live query that is opened again. */
  readonly again?: Begun;
}
const rows: readonly Row[] = ["1", "2"].map((id) => ({ id, v: "x" }));
const shown: Reply = {
  columns: ["id", "v"],
  rows: [
    ["1", "x"],
    ["2", "x"],
    ["4", "x"],
  ],
};
const select = /^SELECT .* id > 0 ORDER BY id LIMIT 100$/;

async function altered({ reply, told = rows, fence = true, notices = [], closed, again }: Server, at = 0) {
  let connections = 0;
  const live = async (): Promise<unknown> => {
    const number = (connections += 1);
    const subscribe = async (sql: string): Promise<unknown> => {
      const list: readonly Row[] = sql.endsWith(".calm") ? (fence ? [{ v: "fence 3" }] : []) : told;
      const changes = list.map((row) => ({ kind: "insert", row, old: null, at: 1 }));
      const ready: Begun = { kind: "ready", rows: [], pages: [[...rows]], at: 1 } as unknown as Begun;
      return await Promise.resolve({
        changes,
        notices: number === 1 ? notices : [],
        exchange: 70 + number,
        schema: [{ name: "id" }, { name: "v" }, { name: "_seq" }],
        begin: async () => await Promise.resolve(number === 1 ? ready : (again ?? ready)),
        untilChange: async (holds: (change: object) => boolean) => await Promise.resolve(changes.find(holds)),
      });
    };
    const isOpen = { login: { kind: "in" }, openedAt: 0, closed: () => (number === 1 ? closed : undefined) };
    return await Promise.resolve({ ...isOpen, subscribe, close: () => undefined });
  };
  const answers = (sql: string): Reply => reply?.(sql) ?? (select.test(sql) ? shown : undefined);
  const { target, context, sent } = scripted(answers, { live } as unknown as Partial<Target>);
  const [op, user, service] = [
    await target.account("dba"),
    await target.account("user"),
    await target.account("service"),
  ];
  const one = cases[at];
  if (one === undefined) throw new Error("no such case");
  const place = { kind: "USER", table: "s.t", one, number: 3 } as const;
  return { seen: await alterUnder(target, context, { op, user, service, calm: "s.calm" }, place), sent };
}

test("a table is filled, changed under a live query, and written again", async () => {
  const { seen, sent } = await altered({});
  expect(sent.slice(1)).toEqual([
    "INSERT INTO s.t (id, v, n) VALUES (1, 'was', 1), (4, 'stays', 4)",
    "ALTER TABLE s.t ADD COLUMN w TEXT",
    "INSERT INTO s.t (id, v, n, w) VALUES (2, 'new', 2, 'added')",
    "UPDATE s.t SET w = 'added later' WHERE id = 1",
    "SELECT * FROM s.t WHERE id > 0 ORDER BY id LIMIT 100",
    "INSERT INTO s.calm (id, v) VALUES (3, 'fence 3')",
  ]);
  expect(seen).toMatchObject({ table: "USER", case: "a column added", isOutdated: false, fenced: true, exchange: 71 });
  expect([seen.alter, seen.write, seen.select].map(({ kind }) => kind)).toEqual(["ok", "ok", "ok"]);
  expect(seen.told.map(({ key }) => key)).toEqual(["1", "2"]);
  expect([Object.keys(seen.rows), seen.columns, seen.keys, seen.ended]).toEqual([
    ["1", "2", "4"],
    ["id", "v"],
    null,
    [],
  ]);
  expect([seen.again?.columns, Object.keys(seen.again?.rows ?? {})]).toEqual([
    ["id", "v"],
    ["1", "2"],
  ]);
});

test("what is refused is kept, and nothing is written after it", async () => {
  const refusing = async (pattern: RegExp, at = 0) =>
    await altered({ reply: (sql) => (pattern.test(sql) ? "refused" : undefined) }, at);
  const alter = await refusing(/^ALTER/);
  expect([alter.seen.alter.kind, alter.seen.write.kind]).toEqual(["refused", "refused"]);
  expect(alter.sent.filter((sql) => sql.includes("'added"))).toEqual([]);
  const write = await refusing(/'new'/);
  expect([write.seen.alter.kind, write.seen.write.kind]).toEqual(["ok", "refused"]);
  expect(write.sent.filter((sql) => sql.includes("'added later'"))).toEqual([]);
  const update = await refusing(/^UPDATE/);
  expect([update.seen.alter.kind, update.seen.write.kind]).toEqual(["ok", "refused"]);
  const again = await refusing(/^CREATE TABLE .* z INT/, 2);
  expect(again.seen.alter.kind).toBe("refused");
});

test("where its SELECT is refused, the keys are read, and it is not opened again", async () => {
  const reply = (sql: string): Reply =>
    select.test(sql)
      ? "refused"
      : sql.startsWith("SELECT id FROM")
        ? { columns: ["id"], rows: [["1"], ["4"]] }
        : undefined;
  const { seen, sent } = await altered({ reply }, 3);
  expect([seen.isOutdated, seen.select.kind, seen.keys, seen.again]).toEqual([true, "refused", ["1", "4"], null]);
  expect(sent).toContain("SELECT id, v FROM s.t WHERE n > 0 AND id > 0 ORDER BY id LIMIT 100");
  const unread = await altered({ reply: (sql) => (sql.startsWith("SELECT id") ? "lost" : undefined) }, 3);
  expect([unread.seen.select.kind, unread.seen.keys]).toEqual(["unsure", null]);
});

test("how it ends, and that nothing more came, is kept", async () => {
  const closed = { code: 1001, reason: "changed", at: 2_000 };
  const notices = [{ code: "TABLE_CHANGED", message: "subscribe again" }];
  expect((await altered({ closed, notices, told: [] })).seen).toMatchObject({
    ended: ["TABLE_CHANGED subscribe again", "closed 1001 changed at an age of 2 s"],
    fenced: false,
    told: [],
  });
  expect((await altered({ fence: false })).seen).toMatchObject({ ended: [], fenced: false });
  const again: Begun = { kind: "refused", code: "SUBSCRIPTION_FAILED", message: "Schema mismatch" };
  expect((await altered({ again })).seen.again).toMatchObject({ opening: { kind: "refused" }, rows: {} });
});
