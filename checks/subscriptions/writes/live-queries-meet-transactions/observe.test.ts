import { expect, test } from "vitest";
import type { Change, Subscription } from "../../../../src/server/target.ts";
import { scripted, type Reply } from "../../../../test/scripted.ts";
import { runBatches, ways } from "./batches.ts";
import { meetEarly, type Meeting } from "./early.ts";

/** Has been told of these rows. */
function told(...rows: readonly (readonly [id: number, v: string])[]): Subscription {
  const changes = rows.map(([id, v]) => ({ kind: "insert", row: { id: String(id), v }, old: null, at: 1 }));
  const untilChange = async (holds: (change: Change) => boolean) => await Promise.resolve(changes.find(holds));
  return { changes, notices: [], exchange: 9, untilChange } as unknown as Subscription;
}
async function parties(reply: (sql: string, as: string) => Reply) {
  const server = scripted((sql, _, as) => reply(sql, as));
  const [writer, reader] = [await server.target.account("service"), await server.target.account("user")];
  return { ...server, writer, reader };
}
const rowsIn = (...rows: readonly (readonly [id: string, v: string])[]): Reply => ({ columns: ["id", "v"], rows });

test("whether a row is delivered, and shown, is asked of each, by the reader", async () => {
  const asked: string[] = [];
  const { target, writer, reader, sent } = await parties((sql, as) => {
    const [, key = ""] = /WHERE id = (\d+)/.exec(sql) ?? [];
    if (key !== "") {
      asked.push(`${as} ${key}`);
      return { 900_001: rowsIn(["900001", ""]), 900_002: rowsIn() }[key] ?? "lost";
    }
    return sql.includes("(900004,") ? "refused" : "done";
  });
  const subscription = told([900_001, "held"], [900_003, "held"]);
  const places = { table: "t", kind: "SHARED", writer, reader, subscription } as const;
  const met = await meetEarly(target, places, 2);
  const short = ({ table, way, said, delivered, shown }: Meeting) => [table, way, said.kind, delivered, shown];
  expect(met.map(short)).toEqual([
    ["SHARED", "held", "ok", true, true],
    ["SHARED", "plain", "ok", false, false],
    ["SHARED", "held", "ok", true, null],
    ["SHARED", "plain", "refused", false, null],
  ]);
  expect(asked).toEqual([900_001, 900_002, 900_003, 900_004].map((key) => `user ${key}`));
  const inserts = sent.filter((sql) => sql.includes("INSERT"));
  expect(inserts.map((sql) => /^BEGIN; INSERT .*(; SELECT COUNT\(\*\) FROM t){10}; COMMIT$/.test(sql))).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

test("each batch has its own answer, its rows before and after, and its events", async () => {
  let reads = 0;
  const { target, context, writer } = await parties((sql) => {
    if (sql.endsWith("; ROLLBACK")) return "refused";
    if (!sql.startsWith("SELECT id, v FROM t ")) return "done";
    reads += 1;
    return rowsIn(["101", reads === 1 ? "was" : "changed"], ["800", "of round two"]);
  });
  const subscription = told([101, "changed"], [200, "first"], [299, "last"], [99, "fence"]);
  const { steps, fenced, exchange } = await runBatches(
    target,
    context,
    { table: "t", kind: "USER", writer, subscription },
    2,
  );
  expect([fenced, exchange]).toEqual([true, 9]);
  expect(steps.map(({ table, way }) => `${table} ${way}`)).toEqual(
    [...ways, ...ways].map(({ name }) => `USER ${name}`),
  );
  expect(steps.flatMap(({ said }, at) => (said.kind === "ok" ? [] : [at]))).toEqual([1, 8]);
  const [first, second, ...others] = steps;
  const row = (id: string, v: string) => ({ id: `"${id}"`, v: `"${v}"` });
  expect(first).toMatchObject({
    plan: { 101: 1, 102: 1, 111: 1, 112: 1, 113: 2 },
    before: { 101: row("101", "was") },
    after: { 101: row("101", "changed") },
    told: [{ key: "101", row: row("101", "changed") }],
  });
  expect(second?.told.map(({ key }) => key)).toEqual(["200", "299"]);
  expect([second?.before, second?.after]).toEqual([{}, {}]);
  expect(others.map(({ after }) => Object.keys(after).join())).toEqual([
    "",
    "",
    "",
    "",
    "",
    "800",
    ...Array(6).fill(""),
  ]);
});

test("without the last row nothing is awaited, and a table that cannot be read ends it", async () => {
  const last = async (isThere: boolean): Promise<unknown> => {
    const { target, context, writer, sent } = await parties((sql) =>
      sql.startsWith("SELECT id, v") ? (isThere ? rowsIn() : "lost") : "done",
    );
    const places = { table: "t", kind: "USER", writer, subscription: told() } as const;
    const { fenced } = await runBatches(target, context, places, 1);
    return [fenced, sent.filter((sql) => sql.startsWith("SELECT id, v")).length];
  };
  expect(await last(true)).toEqual([false, 2]);
  await expect(last(false)).rejects.toThrow("t could not be read before the batches");
});
