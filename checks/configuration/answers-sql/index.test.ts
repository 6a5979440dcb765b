import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { answersSql } from "./index.ts";

const right = {
  kind: "ok" as const,
  outcome: '[["1"]]',
  columns: ["test_value"],
  cells: ['"1"'],
  results: 1,
  tookMs: 2 as number | null,
  exchange: 1,
};
const firstIs = (change: object) => ({ tries: [{ ...right, ...change }, right, right] });

test.each([
  ["two results", { results: 2 }],
  ["no column", { columns: [] }],
  ["a second column", { columns: ["test_value", "x"] }],
  ["another name", { columns: ["x"] }],
  ["two cells", { cells: ['"1"', '"1"'] }],
  ["no cell", { cells: [] }],
  ["another value", { cells: ["2"] }],
  ["no execution time", { tookMs: null }],
])("an answer with %s is wrong, also the first of three", (_, change) => {
  expect(judged(answersSql, firstIs(change))).toEqual([expect.stringMatching(/^wrongAnswer: /)]);
});

test("what is wrong is told once, and a missing execution time by name", () => {
  expect(judged(answersSql, { tries: [{ ...right, tookMs: null }, { ...right, results: 2 }, right] })).toEqual([
    'wrongAnswer: {"outcome":"no execution time (took)"}',
  ]);
  const refused = { ...right, kind: "refused" as const, outcome: "400", cells: [], tookMs: null };
  expect(judged(answersSql, { tries: [refused, refused, right] })).toEqual(['refused: {"outcome":"400"}']);
});

test("the slowest answer counts, whichever it is, and none takes less than no time", () => {
  expect(judged(answersSql, firstIs({ tookMs: 7.2 }))).toEqual([
    "pass: 3 of 3 queries right, at most 8 ms on the server",
  ]);
});
