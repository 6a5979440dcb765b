import { expect, test } from "vitest";
import { observed, scripted, type Reply } from "../../../test/scripted.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { rapidUpdatesExact } from "./index.ts";

/** The check against counters that count; `change` may answer a statement in another way, by its number among those of its kind. */
async function seenOn(change: (kind: string, number: number, sql: string) => Reply = () => undefined) {
  const counters = new Map<string, number>();
  const numbers = new Map<string, number>();
  const server = scripted((sql) => {
    const [, table = ""] = /kr_s\.(\w+)_counter/.exec(sql) ?? [];
    const kind = sql.startsWith("UPDATE")
      ? "update"
      : /COUNT/.test(sql)
        ? "count"
        : /^SELECT n .* WHERE/.test(sql)
          ? "byKey"
          : sql.startsWith("SELECT n ")
            ? "scan"
            : sql.slice(0, 6);
    const number = (numbers.get(`${table} ${kind}`) ?? 0) + 1;
    numbers.set(`${table} ${kind}`, number);
    const said = change(`${table} ${kind}`, number, sql);
    if (said !== undefined) return said;
    const n = counters.get(table) ?? 0;
    if (kind === "update") counters.set(table, n + 1);
    if (kind === "count") return { columns: ["n"], rows: [["1"]] };
    return kind === "byKey" || kind === "scan" ? { columns: ["n"], rows: [[String(n)]] } : undefined;
  });
  return await observed(rapidUpdatesExact, server);
}
const verdictOn = async (change?: Parameters<typeof seenOn>[0]): Promise<string[]> =>
  judged(rapidUpdatesExact, await seenOn(change));

test("twelve increments of each table, looked at four times", async () => {
  expect(await verdictOn()).toEqual([expect.stringMatching(/^pass: 24 increments on USER and SHARED tables/)]);
  const { tables } = await seenOn();
  for (const { looks } of tables)
    expect(looks.map(({ when, acknowledged }) => [when, acknowledged])).toEqual([
      ["before a flush", 6],
      ["after a flush", 6],
      ["with old versions in cold storage", 12],
      ["after a flush again", 12],
    ]);
});

test("what is read is what is judged, in each look", async () => {
  for (const at of [1, 2, 3, 4]) {
    const one = (kind: string, rows: readonly (readonly string[])[]) => async (): Promise<string[]> =>
      await verdictOn((which, number) =>
        which === `shared ${kind}` && number === at ? { columns: ["n"], rows } : undefined,
      );
    for (const kind of ["byKey", "scan"]) {
      expect(await one(kind, [["99"]])()).toEqual([expect.stringMatching(/^wrongValue: SHARED, .*"value":"99"/)]);
      expect(await one(kind, [])()).toEqual([expect.stringMatching(/^wrongValue: SHARED, .*"value":"missing"/)]);
    }
    expect(await one("count", [["2"]])()).toEqual([expect.stringMatching(/^extraVersions: SHARED, .*"way":"counted"/)]);
    for (const kind of ["byKey", "scan", "count"])
      for (const said of ["lost", "refused"] as const)
        expect(
          await verdictOn((which, number) => (which === `user ${kind}` && number === at ? said : undefined)),
        ).toEqual([expect.stringMatching(/^unknown: USER table: it could not be read/)]);
  }
});

test("only what was acknowledged counts; what got no answer may have been done", async () => {
  const seen = await seenOn((which, number) => (which === "user update" && number === 3 ? "lost" : undefined));
  expect(seen.tables[0]?.looks.map(({ acknowledged, unsure }) => [acknowledged, unsure])).toEqual([
    [5, 1],
    [5, 1],
    [11, 1],
    [11, 1],
  ]);
  expect(judged(rapidUpdatesExact, seen)).toEqual([expect.stringMatching(/^pass: 23 increments/)]);
  expect(await verdictOn((which, number) => (which === "user update" && number === 3 ? "refused" : undefined))).toEqual(
    ["unknown: USER table: an update was rejected: no"],
  );
  expect(await verdictOn((which, number) => (which === "user update" && number === 3 ? "done" : undefined))).toEqual(
    Array.from({ length: 8 }, () => expect.stringMatching(/^wrongValue: USER, /)),
  );
});

test("without a flush, or a first row, there is nothing to tell", async () => {
  for (const said of ["lost", "refused"] as const)
    expect(await verdictOn((_, __, sql) => (sql.startsWith("STORAGE FLUSH") ? said : undefined))).toEqual([
      expect.stringMatching(/^unknown: USER table: STORAGE FLUSH TABLE/),
    ]);
  const none = { columns: ["scope", "manifest_json"], rows: [] };
  expect(await verdictOn((_, __, sql) => (sql.includes("system.manifest") ? none : undefined))).toEqual([
    "unknown: USER table: no row is listed in cold storage",
  ]);
  await expect(verdictOn((which) => (which === "user INSERT" ? "lost" : undefined))).rejects.toThrow(
    "no row could be written",
  );
});
