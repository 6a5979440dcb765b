import { expect, test } from "vitest";
import type { Change, Subscription } from "../../../../src/server/target.ts";
import { scripted } from "../../../../test/scripted.ts";
import { baseOf, ways, waysInto } from "./ways.ts";
import { standBy, writeAll } from "./writing.ts";

/** Has been told of these rows. */
function told(...rows: readonly (readonly [id: number, v: string])[]): Subscription {
  const changes = rows.map(([id, v]) => ({ kind: "insert", row: { id: String(id), v }, old: null, at: 1 }));
  const untilChange = async (holds: (change: Change) => boolean) => await Promise.resolve(changes.find(holds));
  return { changes, notices: [], exchange: 9, untilChange } as unknown as Subscription;
}

test("what an account receives besides the row of its own", async () => {
  const { target, sent } = scripted(() => "done");
  const as = await target.account("user");
  const seen = async (...rows: readonly (readonly [number, string])[]) => {
    const { fenced, foreign, who } = await standBy(target, { who: "bob", as, table: "t", subscription: told(...rows) });
    return [who, fenced, foreign.map(({ key }) => key).join()];
  };
  expect(await seen([99, "bob"])).toEqual(["bob", true, ""]);
  expect(await seen([101, "was"])).toEqual(["bob", false, "101"]);
  expect(await seen([101, "was"], [99, "bob"], ...[1, 2, 3, 4, 5].map((n) => [n, ""] as const))).toEqual([
    "bob",
    true,
    "101,1,2,3,4",
  ]);
  expect(sent[0]).toBe("INSERT INTO t (id, v) VALUES (99, 'bob')");
});

test("each way has its own answer, its rows before and after, and its events", async () => {
  let reads = 0;
  const by: string[] = [];
  const { target, context } = scripted((sql, _, as) => {
    if (sql.startsWith("EXECUTE AS")) by.push(as);
    if (sql.includes("RETURNING")) return "refused";
    if (!sql.startsWith("SELECT id, v, n FROM t ")) return "done";
    reads += 1;
    const rows =
      reads === 1
        ? [["201", "was", 1]]
        : [
            ["201", "changed", 1],
            ["111", "new", null],
          ];
    return { columns: ["id", "v", "n"], rows };
  });
  const [writer, service] = [await target.account("user"), await target.account("service")];
  const place = { table: "t", namespace: "s", name: "t", source: "s.source", user: "alice" };
  const subscription = told([111, "new"], [201, "changed"], [99, "fence"]);
  const parties = { kind: "USER", place, writer, service, subscription } as const;
  const { steps, fenced } = await writeAll(target, context, parties, waysInto("USER"));
  expect(fenced).toBe(true);
  expect(steps.map(({ way }) => way)).toEqual(ways.map(({ name }) => name));
  expect(steps.filter(({ said }) => said.kind !== "ok").map(({ way }) => way)).toEqual(["INSERT … RETURNING"]);
  expect(steps.filter(({ isOptional }) => isOptional)).toHaveLength(3);
  expect(by).toEqual(["service", "service", "service"]);
  expect(
    steps.slice(0, 3).map(({ before, after, told: events }) => [before, after, events.map(({ key }) => key)]),
  ).toEqual([
    [{}, { 111: { id: '"111"', v: '"new"' } }, ["111"]],
    [{ 201: { id: '"201"', v: '"was"', n: "1" } }, { 201: { id: '"201"', v: '"changed"', n: "1" } }, ["201"]],
    [{}, {}, []],
  ]);
  expect(steps[11]?.plan).toEqual({ 1201: 1, 1202: 1, 1211: 2 });
  expect(ways.map(baseOf).slice(0, 2)).toEqual([100, 200]);
});
