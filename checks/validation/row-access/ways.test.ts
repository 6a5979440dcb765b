import { expect, test } from "vitest";
import { fill, liveWays, readWays, sameCells, writeWays, type Place, type Row } from "./ways.ts";

/** Neither the keys nor the numbers nor the texts are in order, and keys are numbers: 3 comes before 20. */
const rows: readonly Row[] = [
  { id: "3", v: "d", n: "20" },
  { id: "20", v: "b", n: "3" },
  { id: "1", v: "a", n: "100" },
  { id: "100", v: "c", n: "7" },
];
const place: Place = {
  t: "ns.t",
  namespace: "ns",
  name: "t",
  quoted: '"ns"."t"',
  s: "ns.s",
  version: "_seq",
  myValue: "a",
  theirKey: "20",
  theirValue: "c",
  me: "me",
  them: "them",
};
const shows = (of: readonly Row[]) =>
  Object.fromEntries(readWays.map((way) => [way.name, way.shows?.(of, place) ?? null]));
const column = (...cells: string[]): string[][] => cells.map((cell) => [cell]);
const values = column("d", "b", "a", "c");

test("what each way shows of four rows", () => {
  expect(shows(rows)).toEqual({
    "SELECT *": [
      ["3", "d", "20"],
      ["20", "b", "3"],
      ["1", "a", "100"],
      ["100", "c", "7"],
    ],
    "by key": column("a"),
    "by another's key": column("b"),
    "by another's key, as parameter": column("b"),
    "by value, as parameter": column("a"),
    "by another's value, as parameter": column("c"),
    "by another's value": column("c"),
    LIKE: values,
    "OR 1 = 1": values,
    "COUNT(*)": column("4"),
    "COUNT(*) with a predicate": column("4"),
    "COUNT(DISTINCT)": column("4"),
    SUM: column("130"),
    "MAX of a text": column("d"),
    "MAX of the key": column("100"),
    "MIN and MAX of a number": [["3", "100"]],
    DISTINCT: values,
    "GROUP BY": [
      ["d", "1"],
      ["b", "1"],
      ["a", "1"],
      ["c", "1"],
    ],
    "LIMIT OFFSET": column("b", "d"),
    "ORDER BY LIMIT 1": column("a"),
    "self-join": [
      ["d", "d"],
      ["b", "b"],
      ["a", "a"],
      ["c", "c"],
    ],
    "CROSS JOIN": [...values, ...values, ...values, ...values],
    JOIN: column("d", "b", "a"),
    "LEFT JOIN": column("a", "null", "d", "b"),
    IN: column("1", "3", "20"),
    EXISTS: values,
    "EXISTS for another's value": column("1", "2", "3", "20"),
    "subquery as a value": column("d"),
    "subquery in FROM": values,
    CTE: values,
    UNION: values,
    "UNION ALL": [...values, ...values],
    INTERSECT: values,
    "window function": [
      ["d", "4"],
      ["b", "4"],
      ["a", "4"],
      ["c", "4"],
    ],
    "by row version": values,
    "not deleted": values,
    deleted: null,
    "quoted names": values,
    "catalog-qualified name": values,
    "namespace in the request": values,
    "second in a batch": values,
    "in a transaction": values,
    "EXECUTE AS oneself": values,
    "an error that no row causes": values,
    "an error that another's row would cause": values,
    "an error that quotes a value": null,
    "EXPLAIN ANALYZE": null,
    "SHOW MANIFEST": null,
    "system.manifest": null,
    "SHOW STATS": null,
    DESCRIBE: null,
  });
});

test("what each way shows where an account has no row", () => {
  const empty = [[""]];
  const some = Object.entries(shows([])).filter(([, cells]) => cells !== null && cells.length > 0);
  expect(Object.fromEntries(some)).toEqual({
    "COUNT(*)": column("0"),
    "COUNT(*) with a predicate": column("0"),
    "COUNT(DISTINCT)": column("0"),
    SUM: column("0"),
    "MAX of a text": empty,
    "MAX of the key": empty,
    "MIN and MAX of a number": [["", ""]],
    "LEFT JOIN": column("null", "null", "null", "null"),
    "subquery as a value": empty,
  });
});

test("how many of five rows each way changes, in this order", () => {
  expect(writeWays.map(({ name, counts }) => [name, counts(5)])).toEqual([
    ["UPDATE without WHERE", 5],
    ["UPDATE WHERE 1 = 1", 5],
    ["UPDATE of every key", 5],
    ["UPDATE by key", 1],
    ["UPDATE by value, as parameter", 1],
    ["UPDATE by another's key", 0],
    ["UPDATE by another's value", 0],
    ["UPDATE by row version", 5],
    ["UPDATE with a subquery", 5],
    ["UPDATE in a transaction", 5],
    ["SELECT as another", 0],
    ["UPDATE as another", 0],
    ["INSERT as another", 0],
    ["DELETE as another", 0],
    ["SELECT as another, after a query", 0],
    ["SELECT as another, after acting as oneself", 0],
    ["SELECT as another, in lower case after a comment", 0],
    ["SELECT as another, in a transaction", 0],
    ["INSERT … SELECT", 5],
    ["DELETE of a range of keys", 5],
    ["INSERT of another's key", 1],
    ["DELETE by another's key", 1],
    ["DELETE by another's value", 0],
    ["DELETE by key", 1],
    ["DELETE of every key", 4],
    ["DELETE WHERE 1 = 1", 5],
    ["DELETE without WHERE", 5],
  ]);
});

test("only the live queries by another's key or value show and deliver nothing", () => {
  expect(liveWays.map(({ name, shows: show, delivers }) => [name, show(rows).length, delivers])).toEqual([
    ["live query", 4, true],
    ["live query with a condition", 4, true],
    ["live query by another's key", 0, false],
    ["live query by another's value", 0, false],
  ]);
});

test("placeholders are filled in, other braces stay", () => {
  expect(fill("SELECT {myValue} FROM {t} JOIN {s} -- {nothing}", place)).toBe(
    "SELECT a FROM ns.t JOIN ns.s -- {nothing}",
  );
});

test("the same cells in another order are the same, unless the order matters", () => {
  const [one, other] = [column("a", "b"), column("b", "a")];
  expect([sameCells(one, other, false), sameCells(one, other, true), sameCells(one, one, true)]).toEqual([
    true,
    false,
    true,
  ]);
  expect([sameCells(null, [], false), sameCells([["a", "b"]], one, false)]).toEqual([false, false]);
});
