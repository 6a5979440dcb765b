import { expect, test } from "vitest";
import { judged, no, soundFor, yes } from "../../vocabulary/evidence.ts";
import { clauses, filled } from "./clauses.ts";
import { clausesAnswerRight } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(clausesAnswerRight, proof);
type Asked = (typeof sound.asked)[number];
const having = (name: string, change: Partial<Asked>): string[] =>
  judged(clausesAnswerRight, {
    ...sound,
    asked: sound.asked.map((one) => (one.clause === name ? { ...one, ...change } : one)),
  });
const rowsOf = (name: string): Asked["rows"] => [...clauses, ...filled].find((one) => one.name === name)?.rows ?? [];
const column = (...cells: (string | null)[]): (string | null)[][] => cells.map((cell) => [cell]);
const passes = [expect.stringMatching(/^pass/)];
const digits = Array.from({ length: 10 }, (_, n) => String(n));
/** The first clause with rows of two cells. */
const pair = clauses.find(({ rows }) => rows[0]?.length === 2);

test.each<readonly [string, string, Asked["rows"], string]>([
  ["a row too few", "WHERE =", column("3"), "3"],
  ["a row too many", "WHERE =", column("3", "5", "5"), "3, 5, 5"],
  ["no rows", "WHERE =", [], "no rows"],
  ["rows without a cell", "WHERE =", [[], []], ", "],
  [
    "a cell too many",
    "WHERE =",
    [
      ["3", "x"],
      ["5", "x"],
    ],
    "3 x, 5 x",
  ],
  ["one row of two", "WHERE =", column("3", "6"), "3, 6"],
  ["another number for the same", "WHERE =", column("03", "5"), "03, 5"],
  ["nine rows", "WHERE =", column(...digits.slice(1)), "1, 2, 3, 4, 5, 6, 7, 8, 9"],
  ["ten rows", "WHERE =", column(...digits), "0, 1, 2, 3, 4, 5, 6, 7, 8, … (10 rows)"],
  ["NULL", "WHERE =", column("3", null), "3, NULL"],
  ["a fraction", "AVG", column("0.9"), "0.9"],
  ["a fraction that is off by little", "AVG", column("0.8000000011"), "0.8000000011"],
  ["zero for NULL", "arithmetic with NULL", column("0.0"), "0.0"],
  ["a text for NULL", "DISTINCT", column("rome", "bern", "oslo", "null"), "rome, bern, oslo, null"],
  [
    "an order that was not asked for",
    "ORDER BY DESC",
    rowsOf("ORDER BY DESC")?.toReversed() ?? [],
    "10 1, 20 5, 20 2, 30 3",
  ],
])("a wrong answer: %s", (_, name, rows, got) => {
  const [first, ...others] = having(name, { rows });
  expect(first).toContain(`wrongAnswer: ${name}: {"clause":"${name}","storage":"mixed"`);
  expect(first).toContain(`"got":"${got}","expected"`);
  expect(others).toEqual([]);
});

test("a wrong answer in one cell of several", () => {
  const [row, ...others] = pair?.rows ?? [];
  const rows = [[row?.[0] ?? null, "another"], ...others];
  expect(having(pair?.name ?? "", { rows })[0]).toContain("wrongAnswer");
});

test("right answers: in any order where none is asked for, fractions in any form", () => {
  expect(having("WHERE =", { rows: column("5", "3") })).toEqual(passes);
  expect(having("AVG", { rows: column("8.0e-1") })).toEqual(passes);
  expect(having("AVG", { rows: column("0.80000000085") })).toEqual(passes);
});

test("where it is wrong, and what it says when asked again", () => {
  const data = (change: object): string =>
    JSON.stringify({
      clause: "WHERE =",
      storage: "mixed",
      sql: clauses[0]?.sql,
      got: "3",
      expected: "3, 5",
      again: "",
      ...change,
    });
  const rows = column("3");
  expect(having("WHERE =", { rows })).toEqual([`wrongAnswer: WHERE =: ${data({})}`]);
  expect(having("WHERE =", { rows, again: column("5", "3") })).toEqual([
    `wrongAnswer: WHERE =: ${data({ again: "as expected" })}`,
  ]);
  expect(having("WHERE =", { rows, again: column("7") })).toEqual([`wrongAnswer: WHERE =: ${data({ again: "7" })}`]);
  expect(having("WHERE =", { rows, storage: "flushed" })).toEqual([
    `wrongAnswer: WHERE =, flushed: ${data({ storage: "flushed" })}`,
  ]);
});

test("a refusal is shown up to 200 characters", () => {
  const refusal = (length: number): string[] =>
    having("WHERE =", { said: no("X", "x".repeat(length), "rule"), rows: null });
  const finding = (message: string): string[] => [
    `refused: WHERE =: ${JSON.stringify({ clause: "WHERE =", sql: clauses[0]?.sql, message })}`,
  ];
  expect(refusal(200)).toEqual(finding("x".repeat(200)));
  expect(refusal(201)).toEqual(finding(`${"x".repeat(200)}…`));
});

test("how many clauses are enough, and what a pass tells", () => {
  const first = (count: number): string[] =>
    judged(clausesAnswerRight, { ...sound, asked: sound.asked.slice(0, count), wanted: sound.wanted.slice(0, count) });
  const all = new Set(sound.asked.map(({ clause }) => clause)).size;
  expect(first(30)).toEqual([`pass: 30 queries for 30 of ${all} clauses exact, rows mixed`]);
  expect(first(29)).toEqual([`unknown: only 29 of ${all} clauses were asked`]);
  expect(having("WHERE =", { storage: "flushed" })).toEqual([
    `pass: ${all} queries for ${all} of ${all} clauses exact, rows flushed, mixed`,
  ]);
  // A report of another version may hold a clause that this one does not have.
  const newer = { clause: "a newer one", storage: "mixed", sql: "SELECT 1", said: yes(), rows: [], again: null };
  expect(judged(clausesAnswerRight, { ...sound, asked: [...sound.asked, newer] })).toEqual(passes);
});
