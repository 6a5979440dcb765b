import { expect, test } from "vitest";
import { cellText } from "../../../src/server/target.ts";
import { observed, scripted, type Reply } from "../../../test/scripted.ts";
import { scriptedLive, type LiveScript } from "../../../test/scripted-live.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { burstReachesAll } from "./index.ts";

type Delivers = NonNullable<LiveScript["delivers"]>;

interface Server extends LiveScript {
  readonly change?: (sql: string) => Reply;
  /** Rows less that are in the table. */
  readonly lacks?: number;
}

async function verdictOn({ change, lacks = 0, ...script }: Server): Promise<string[]> {
  const lives = scriptedLive(script);
  const server = scripted(
    (sql) => {
      const said = change?.(sql);
      if (said !== undefined) return said;
      for (const [, id = "", mark = ""] of sql.matchAll(/\((-?\d+), '([^']*)'\)/g)) lives.publish({ id, mark });
      for (const [, mark = ""] of sql.matchAll(/SET mark = '(\w+)'/g))
        for (let id = 1_000; id < 1_040; id += 1) lives.publish({ id: String(id), mark });
      const rows = sql.includes("twice") ? 40 : sql.includes("2500") ? 500 : 100;
      return sql.startsWith("SELECT COUNT") ? { columns: ["n"], rows: [[String(rows - lacks)]] } : undefined;
    },
    { live: lives.live },
  );
  return judged(burstReachesAll, await observed(burstReachesAll, server));
}

test("all of three bursts reach five subscribers", async () => {
  expect(await verdictOn({})).toEqual([
    "pass: 100 rows in one statement (100 changes), 500 rows in one statement (500 changes), two updates of each of 40 rows (80 changes): all received by 5 subscribers",
  ]);
});

test.each([
  ["1000", "row 1000", "100 rows in one statement", 100],
  ["2499", "row 2499", "500 rows in one statement", 500],
  ["1039", "once", "two updates of each of 40 rows", 80],
])("a lost change (%s %s) is found, for each subscriber", async (id, mark, burst, changes) => {
  for (const lost of [0, 4]) {
    const delivers: Delivers = ({ connection }, row) => connection !== lost || row["id"] !== id || row["mark"] !== mark;
    expect(await verdictOn({ delivers })).toEqual([
      `lostChanges: ${burst}: ${JSON.stringify({ burst, subscribers: 1, of: 5, got: changes - 1, changes, first: [`${id} ${mark}`] })}`,
    ]);
  }
});

test("a fence that is lost is followed by two more; without any, changes may still come", async () => {
  const lacks =
    (fences: readonly string[]): Delivers =>
    ({ connection }, row) =>
      connection !== 3 || (row["id"] !== "1005" && !fences.includes(cellText(row["mark"])));
  expect(await verdictOn({ delivers: lacks(["fence 1", "fence 2"]) })).toEqual(
    Array.from({ length: 2 }, () => expect.stringMatching(/^lostChanges: /)),
  );
  const [first, ...others] = await verdictOn({ delivers: lacks(["fence 1", "fence 2", "fence 3"]) });
  expect(first).toMatch(/^lostChanges: two updates/);
  expect(others).toEqual([]);
  const none: Delivers = ({ connection }, row) => connection !== 3 || !cellText(row["mark"]).startsWith("fence");
  expect(await verdictOn({ delivers: none })).toEqual([
    expect.stringMatching(/^unknown: 100 rows in one statement: the rows written after it did not arrive/),
  ]);
});

test("what was not acknowledged, stored or subscribed shows nothing", async () => {
  for (const said of ["lost", "refused"] as const)
    expect(await verdictOn({ change: (sql) => (sql.includes("(2000, ") ? said : undefined) })).toEqual([
      `unknown: 500 rows in one statement: not acknowledged: ${said === "lost" ? "no answer" : "no"}`,
    ]);
  expect(await verdictOn({ lacks: 1 })).toEqual(["unknown: 100 rows in one statement: the table has 99 of 100 rows"]);
  expect(await verdictOn({ change: (sql) => (sql.startsWith("SELECT COUNT") ? "lost" : undefined) })).toEqual([
    "unknown: 100 rows in one statement: the table has ? of 100 rows",
  ]);
  await expect(verdictOn({ refuses: (connection) => connection === 4 })).rejects.toThrow("a subscriber could not");
});
