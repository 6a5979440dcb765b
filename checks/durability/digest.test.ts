import { expect, test } from "vitest";
import { need } from "../../src/server/need.ts";
import type { Answer } from "../../src/server/target.ts";
import {
  askLine,
  change,
  differencesFrom,
  digest,
  digestQueries,
  fill,
  refusedColumns,
  sayDifference,
  typesOf,
  whyUnanswered,
  type Column,
} from "./digest.ts";
import { lineOf } from "./evidence.ts";

const at = { exchange: 7, sentAt: 1.4, doneAt: 2.2 };
const ok = (columns: readonly string[] = [], ...rows: readonly (readonly string[])[]): Answer => ({
  kind: "ok",
  status: 200,
  results: [{ columns: columns.map((name) => ({ name, type: "Text", flags: [] })), rows, rowCount: rows.length }],
  tookMs: 1,
  ...at,
});
const refused = (cause: "missing" | "type"): Answer => ({
  kind: "refused",
  status: 400,
  code: "X",
  message: `${cause}!`,
  cause,
  ...at,
});
const unsure = (because: "timeout" | "unrecognised"): Answer => ({ kind: "unsure", because, message: because, ...at });
const context = { need };
/** Sends what is asked to `answer`, and remembers it. */
function asking(answer: (sql: string, turn: number) => Answer) {
  const asked: string[] = [];
  return { asked, ask: async (sql: string) => await Promise.resolve(answer(sql, asked.push(sql))) };
}

const rows = (...lines: readonly string[]) => lineOf("rows 1 to 25", lines);
test.each([
  [["1", "2"], ["1"], "rows 1 to 25: 2 is gone (1 rows instead of 2)"],
  [["1", "2"], ["1", "2", "3"], "rows 1 to 25: 3 is there and was not before (3 rows instead of 2)"],
  [["1", "2"], ["1", "2", "2"], "rows 1 to 25: 2 is there and was not before (3 rows instead of 2)"],
  [["1", "1"], ["1"], "rows 1 to 25: 1 is gone (1 rows instead of 2)"],
  [["1", "2"], ["1", "3"], "rows 1 to 25: 2 became 3"],
  [["1", "2"], ["2", "1"], "rows 1 to 25: the order changed"],
  [["1", "2"], ["3"], "rows 1 to 25: 1 became 3 (1 rows instead of 2)"],
])("%j and then %j: %s", (before, now, expected) => {
  const [difference] = differencesFrom([rows(...before)], [rows(...now)]);
  expect(difference && sayDifference(difference)).toBe(expected);
});

test("differences of rows come first, and what was not answered or not asked before is none", () => {
  const count = (lines: readonly string[] | null) => lineOf("the number of rows", lines);
  const found = differencesFrom([count(["2"]), rows("1", "2")], [count(["1"]), rows("1")]);
  expect(found.map(({ query }) => query)).toEqual(["rows 1 to 25", "the number of rows"]);
  expect(found[0]).toMatchObject({ gone: "2", added: null, rows: [2, 1], exchange: 7 });
  expect(differencesFrom([count(["2"])], [count(["2"])])).toEqual([]);
  expect(differencesFrom([count(null)], [count(["2"])])).toEqual([]);
  expect(differencesFrom([count(["2"])], [count(null)])).toEqual([]);
  expect(differencesFrom([], [count(["2"])])).toEqual([]);
  expect(whyUnanswered([rows("1"), count(null), lineOf("sums", null)])).toBe("the number of rows: connection reset");
  expect(whyUnanswered([rows("1")])).toBeUndefined();
});

test("a row is shown with its first 120 characters", () => {
  const [difference] = differencesFrom(
    [rows("x".repeat(120), "y".repeat(121))],
    [rows("x".repeat(119), "y".repeat(121))],
  );
  expect(difference?.gone).toBe("x".repeat(120));
  const [longer] = differencesFrom([rows("y".repeat(121))], [rows()]);
  expect(longer?.gone).not.toContain("y".repeat(121));
  expect(longer?.gone).toContain("y".repeat(119));
});

test("types are named in the order of the columns", () => {
  expect(typesOf(["doc", "n"])).toBe("JSON, INT");
});

test("a query that gets no answer is asked three times", async () => {
  const tries = async (answer: (sql: string, turn: number) => Answer) => {
    const { asked, ask } = asking(answer);
    return { line: await askLine(ask, "sums", "SELECT"), tries: asked.length };
  };
  const shown = ok(["a", "b"], ["1", "x"], ["2", "y"]);
  expect(await tries(() => shown)).toEqual({
    line: { query: "sums", lines: ["1 | x", "2 | y"], why: null, missing: false, exchange: 7, sentAt: 1, doneAt: 3 },
    tries: 1,
  });
  expect(await tries((_, turn) => (turn < 3 ? unsure("timeout") : shown))).toMatchObject({
    line: { lines: ["1 | x", "2 | y"] },
    tries: 3,
  });
  expect(await tries(() => unsure("timeout"))).toMatchObject({
    line: { lines: null, why: "timeout", missing: false },
    tries: 3,
  });
  expect(await tries(() => refused("missing"))).toMatchObject({
    line: { lines: null, why: "missing!", missing: true },
    tries: 1,
  });
  expect(await tries(() => refused("type"))).toMatchObject({ line: { lines: null, missing: false }, tries: 1 });
  expect(await tries(() => ok())).toMatchObject({
    line: { lines: null, why: "the answer has no columns", missing: false },
  });
});

test("a digest has a page for each 25 keys of the range", async () => {
  const names = (from: number, count: number) =>
    Object.keys(digestQueries("t", { from, count })).filter((name) => name.startsWith("rows "));
  expect(names(1, 50)).toEqual(["rows 1 to 25", "rows 26 to 50"]);
  expect(names(101, 51)).toEqual(["rows 101 to 125", "rows 126 to 150", "rows 151 to 175"]);
  expect(digestQueries("t", { from: 101, count: 30 })["rows 126 to 150"]).toMatch(
    / FROM t WHERE id > 125 AND id <= 150 ORDER BY id LIMIT 50$/,
  );
  const { asked, ask } = asking(() => ok(["n"], ["1"]));
  const lines = await digest(ask, "t", { from: 1, count: 25 });
  expect(asked).toHaveLength(11);
  expect(lines.map(({ query }) => query).slice(0, 3)).toEqual(["the number of rows", "sums", "rows 1 to 25"]);
});

test("rows are written fifty at once, with a NULL in each seventh cell and in each column that is left out", async () => {
  const { asked, ask } = asking(() => ok());
  await fill(context, ask, "t", { from: 1, count: 101 });
  expect(asked.map((sql) => sql.match(/\(\d+, /g)?.length)).toEqual([50, 50, 1]);
  expect(asked[2]).toMatch(/ VALUES \(101, 237, -49, 9007199254740941, 101\.41, NULL, -25\.25, FALSE, /);
  await fill(context, ask, "t", { from: 101, count: 1 }, ["n", "price"] as readonly Column[]);
  expect(asked[3]).toMatch(/ VALUES \(101, NULL, -49, 9007199254740941, NULL, NULL, -25\.25, FALSE, /);
  await expect(fill(context, asking(() => unsure("timeout")).ask, "t", { from: 1, count: 1 })).rejects.toThrow(
    "rows of t could not be written",
  );
});

test("each eleventh row is deleted and each ninth updated", async () => {
  const { asked, ask } = asking(() => ok());
  expect(await change(context, ask, "t", { from: 1, count: 33 })).toBe(30);
  expect(asked.map((sql) => `${sql.slice(0, 6)} ${/id = (\d+)$/.exec(sql)?.[1]}`)).toEqual([
    "UPDATE 9",
    "DELETE 11",
    "UPDATE 18",
    "DELETE 22",
    "UPDATE 27",
    "DELETE 33",
  ]);
  for (const kind of ["DELETE", "UPDATE"])
    await expect(
      change(context, asking((sql) => (sql.startsWith(kind) ? unsure("timeout") : ok())).ask, "t", {
        from: 1,
        count: 33,
      }),
    ).rejects.toThrow(/could not be (deleted|updated)/);
});

test("the columns are found whose values are refused", async () => {
  /** A server without these literals. */
  const without = async (forbidden: RegExp, answer: Answer) => {
    const { asked, ask } = asking((sql) =>
      sql.startsWith("INSERT") && forbidden.test(sql.split("VALUES")[1] ?? "") ? answer : ok(),
    );
    return { refused: await refusedColumns(context, ask, "t"), asked };
  };
  const all = await without(/never/, ok());
  expect(all.refused).toEqual([]);
  expect(all.asked).toHaveLength(2);
  expect(all.asked[0]).not.toContain("NULL");
  expect(all.asked[1]).toBe("DELETE FROM t WHERE id < 0");
  const some = await without(/X'|550e/, refused("type"));
  expect(some.refused).toEqual(["code", "raw"]);
  expect(some.asked.at(-2)).not.toMatch(/X'|550e/);
  expect(some.asked.at(-2)?.match(/NULL/g)).toHaveLength(2);
  expect((await without(/X'/, unsure("unrecognised"))).refused).toEqual(["raw"]);
  // It may have been written.
  await expect(without(/X'/, unsure("timeout"))).rejects.toThrow("a row of t could not be written");
});
