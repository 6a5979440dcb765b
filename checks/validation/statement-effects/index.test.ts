import { expect, test } from "vitest";
import { soundEffects, withStep } from "./evidence.ts";
import { whyUnjudged, type Table } from "./index.ts";
import { differingKeys, large, larger, statements, type Rows } from "./statements.ts";

const insert = "INSERT INTO t (id, name, n, note) VALUES";
const many = Array.from({ length: 120 }, (_, at) => 1_001 + at);
const thirds = many.filter((_, at) => at % 3 === 0);
const ofMany = (cells: readonly (string | null)[] | null, ids = many) =>
  Object.fromEntries(ids.map((id) => [String(id), cells]));

test("what each statement sends, and which rows it leaves", () => {
  let rows: Rows = {};
  const steps = statements.map(({ sql, params = [], flushes = false, effect }) => {
    const after = effect(rows);
    const changed = Object.fromEntries(differingKeys(rows, after).map((key) => [key, after[key] ?? null]));
    rows = after;
    return flushes ? ["flush", changed] : params.length === 0 ? [sql("t"), changed] : [sql("t"), changed, params];
  });
  expect(steps).toEqual([
    [`${insert} (1, 'ann', 10, 'first')`, { "1": ["ann", "10", "first"] }],
    [
      `${insert} (2, 'Ann', 20, NULL), (3, 'bob', 30, 'x'), (4, 'bobby', NULL, 'y'), (5, 'cid', 50, NULL), ` +
        "(6, 'dan', 60, ''), (7, 'eve', 70, 'z'), (8, NULL, 80, 'null'), (9007199254740992, 'large', 90, NULL), " +
        "(9007199254740993, 'larger', 100, NULL), (-1, 'minus', -10, NULL)",
      {
        "2": ["Ann", "20", null],
        "3": ["bob", "30", "x"],
        "4": ["bobby", null, "y"],
        "5": ["cid", "50", null],
        "6": ["dan", "60", ""],
        "7": ["eve", "70", "z"],
        "8": [null, "80", "null"],
        [large]: ["large", "90", null],
        [larger]: ["larger", "100", null],
        "-1": ["minus", "-10", null],
      },
    ],
    [
      `${insert} ($1, $2, $3, $4), ($5, $6, $7, $8)`,
      { "11": ["fay", "110", null], "12": ["gus", null, "g"] },
      [11, "fay", 110, null, 12, "gus", null, "g"],
    ],
    ["UPDATE t SET name = 'bob the first' WHERE id = 3", { "3": ["bob the first", "30", "x"] }],
    ["UPDATE t SET name = $1 WHERE id = $2", { "5": ["cid the second", "50", null] }, ["cid the second", 5]],
    ["UPDATE t SET n = 91 WHERE id = 9007199254740993", { [larger]: ["larger", "91", null] }],
    ["UPDATE t SET note = 'by text' WHERE name = 'ann'", { "1": ["ann", "10", "by text"] }],
    [
      "UPDATE t SET n = n + 1 WHERE n BETWEEN 50 AND 80",
      {
        "5": ["cid the second", "51", null],
        "6": ["dan", "61", ""],
        "7": ["eve", "71", "z"],
        "8": [null, "81", "null"],
      },
    ],
    ["UPDATE t SET note = NULL WHERE id IN (3, 7)", { "3": ["bob the first", "30", null], "7": ["eve", "71", null] }],
    ["UPDATE t SET n = 0 WHERE id = 999", {}],
    ["DELETE FROM t WHERE id = 6", { "6": null }],
    ["DELETE FROM t WHERE name = 'bobby'", { "4": null }],
    ["DELETE FROM t WHERE id = 999", {}],
    [
      "UPDATE t SET note = 'either' WHERE id = 11 OR name = 'eve'",
      { "7": ["eve", "71", "either"], "11": ["fay", "110", "either"] },
    ],
    ["UPDATE t SET note = 'both' WHERE n > 90 AND note IS NULL", { [larger]: ["larger", "91", "both"] }],
    [
      "UPDATE t SET n = n + 3 WHERE NOT (n < 90)",
      { "11": ["fay", "113", "either"], [large]: ["large", "93", null], [larger]: ["larger", "94", "both"] },
    ],
    ["UPDATE t SET n = 0 WHERE n IS NULL", { "12": ["gus", "0", "g"] }],
    [
      "UPDATE t SET note = '' WHERE name LIKE 'larg%'",
      { [large]: ["large", "93", ""], [larger]: ["larger", "94", ""] },
    ],
    ["UPDATE t SET name = 'Ann the second', n = 25 WHERE id = 2", { "2": ["Ann the second", "25", null] }],
    [
      "UPDATE t SET name = note, note = name WHERE id IN (1, 12)",
      { "1": ["by text", "10", "ann"], "12": ["g", "0", "gus"] },
    ],
    [`${insert} (6, 'dan again', NULL, NULL)`, { "6": ["dan again", null, null] }],
    ["flush", {}],
    ["UPDATE t SET name = 'ann again' WHERE id = 1", { "1": ["ann again", "10", "ann"] }],
    [
      "UPDATE t SET n = n - 1 WHERE n < 60",
      {
        "1": ["ann again", "9", "ann"],
        "2": ["Ann the second", "24", null],
        "3": ["bob the first", "29", null],
        "5": ["cid the second", "50", null],
        "12": ["g", "-1", "gus"],
        "-1": ["minus", "-11", null],
      },
    ],
    [
      `${insert} (13, 'hal', 130, NULL), (14, 'ida', 140, NULL)`,
      { "13": ["hal", "130", null], "14": ["ida", "140", null] },
    ],
    ["DELETE FROM t WHERE id = 7", { "7": null }],
    ["DELETE FROM t WHERE id IN (3, 9007199254740992)", { "3": null, [large]: null }],
    ["DELETE FROM t WHERE n > 100", { "11": null, "13": null, "14": null }],
    [`${insert} (7, NULL, 7, NULL)`, { "7": [null, "7", null] }],
    ["UPDATE t SET name = 'either' WHERE id = 13 OR name = 'minus'", { "-1": ["either", "-11", null] }],
    ["DELETE FROM t WHERE id = 5 OR n IS NULL", { "5": null, "6": null }],
    [`${insert} ${many.map((id) => `(${id}, 'many', NULL, NULL)`).join(", ")}`, ofMany(["many", null, null])],
    ["UPDATE t SET note = 'all' WHERE id > 1000 AND id < 9000", ofMany(["many", null, "all"])],
    [`UPDATE t SET n = 1 WHERE id IN (${thirds.join(", ")})`, ofMany(["many", "1", "all"], thirds)],
    ["flush", {}],
    [`DELETE FROM t WHERE id IN (${thirds.join(", ")})`, ofMany(null, thirds)],
    [
      "DELETE FROM t WHERE name = 'many'",
      ofMany(
        null,
        many.filter((id) => !thirds.includes(id)),
      ),
    ],
  ]);
});

test("a number that is NULL stays NULL, and is in no range", () => {
  const effect = (name: string, rows: Rows) => statements.find((one) => one.name === name)?.effect(rows);
  const rows: Rows = { "3": ["x", null, null], "4": ["x", "50", null], "5": ["x", "80", null], "6": ["x", "81", null] };
  expect(effect("UPDATE of a range", rows)).toEqual({ ...rows, "4": ["x", "51", null], "5": ["x", "81", null] });
  expect(effect("UPDATE of a range", { "1": ["x", "49", null] })).toEqual({ "1": ["x", "49", null] });
  expect(effect("UPDATE by a large key", { [larger]: ["x", null, null] })).toEqual({ [larger]: ["x", null, null] });
});

test("why the steps show too little", () => {
  const [user, shared] = soundEffects.tables as [Table, Table];
  expect(whyUnjudged([user, shared])).toBeUndefined();
  expect(whyUnjudged([shared])).toBe("only 1 of 2 tables were tried");
  const [, changed] = withStep("DELETE by key", ({ counts }) => ({
    counts: counts.map((one, at) => (at === 1 ? { ...one, count: null } : one)),
  })).tables as [Table, Table];
  const sentence = (kind: string) => `DELETE by key, ${kind}: the table could not be read or counted afterwards`;
  expect(whyUnjudged([user, changed])).toBe(sentence("SHARED"));
  expect(whyUnjudged([{ ...changed, kind: "USER" }, shared])).toBe(sentence("USER"));
});
