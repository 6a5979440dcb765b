import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { wideTableExact } from "./index.ts";
import proof from "./proof.ts";

const { tables } = soundFor(wideTableExact, proof);
type Table = (typeof tables)[number];
type Reading = Table["readings"][number];
const withTable = (at: number, change: (one: Table) => Partial<Table>): string[] =>
  judged(wideTableExact, { tables: tables.map((one, index) => (index === at ? { ...one, ...change(one) } : one)) });
const withReading = (table: number, at: number, change: Partial<Reading>): string[] =>
  withTable(table, ({ readings }) => ({
    readings: readings.map((one, n) => (n === at ? { ...one, ...change } : one)),
  }));
const answered =
  (...said: Table["made"]["said"][]) =>
  ({ arity }: Table) => ({
    arity: arity.map((one, at) => ({ ...one, said: said[at] ?? one.said })),
  });
const first = { row: 2, column: "c1", want: "1", got: "2", belongsTo: "" };
const second = { ...first, column: "c2" };

test.each([0, 1])("in table %i one wrong value is found in any reading, and the first is told", (at) => {
  const columns = tables[at]?.columns ?? 0;
  for (const reading of [0, 1, 2, 3])
    expect(withReading(at, reading, { when: "read so", wrong: [first, second], wrongCount: 7 })).toEqual([
      `swappedColumns: ${columns} columns: ${JSON.stringify({ columns, when: "read so", wrong: 7, of: 90, first })}`,
    ]);
  expect(withReading(at, 0, { wrong: [first], wrongCount: 1 })).toEqual([expect.stringMatching(/"wrong":1,/)]);
  const both = ({ readings }: Table): Partial<Table> => ({
    readings: readings.map((one, n) => (n === 0 ? one : { ...one, when: `look ${n}`, wrong: [first], wrongCount: n })),
  });
  expect(withTable(at, both)).toEqual([expect.stringMatching(/"when":"look 1","wrong":1,/)]);
  expect(withReading(at, 3, { compared: null })).toEqual([
    `unknown: the table of ${columns} columns could not be read`,
  ]);
  expect(withTable(at, ({ readings }) => ({ readings: readings.slice(1) }))).toEqual([
    `unknown: the table of ${columns} columns could not be read`,
  ]);
});

test.each([0, 1])("a wrong number of values must be rejected by table %i, and store nothing", (at) => {
  const columns = tables[at]?.columns ?? 0;
  const found = (name: string, stored: number | null, about = `: ${columns} columns, ${name}`): string =>
    `wrongArityAccepted${about}: ${JSON.stringify({ columns, case: name, stored })}`;
  const [few, many] = ["one value too few", "one value too many"];
  const refusal = tables[at]?.arity[0]?.said ?? nothing();
  for (const stored of [0, 1, null]) {
    const accepted = (...said: Table["made"]["said"][]): string[] =>
      withTable(at, (one) => ({ ...answered(...said)(one), stored }));
    expect(accepted(yes())).toEqual([found(few, stored)]);
    expect(accepted(refusal, yes())).toEqual([found(many, stored)]);
    expect(accepted(yes(), yes())).toEqual([found(few, stored), found(many, stored)]);
  }
  // Of none of them is it known which of them stored it.
  expect(withTable(at, () => ({ stored: 1 }))).toEqual([found("a wrong number of values", 1, "")]);
  expect(withTable(at, ({ arity }) => ({ stored: 1, arity: arity.slice(1) }))).toEqual([
    found("a wrong number of values", 1, ""),
  ]);
  expect(withTable(at, () => ({ stored: 1, arity: [] }))).toEqual([
    `unknown: the table of ${columns} columns: whether a wrong number of values was stored is not known`,
  ]);
});

test.each([0, 1])("everything about table %i must be known", (at) => {
  const what = `the table of ${tables[at]?.columns ?? 0} columns`;
  const arityUnknown = `unknown: ${what}: whether a wrong number of values was stored is not known`;
  expect(withTable(at, ({ arity }) => ({ arity: arity.slice(1) }))).toEqual([arityUnknown]);
  expect(withTable(at, () => ({ stored: null }))).toEqual([arityUnknown]);
  expect(withTable(at, ({ written }) => ({ written: written.slice(1) }))).toEqual([
    `unknown: ${what}: only 2 of 3 rows were written`,
  ]);
  expect(withTable(at, ({ made }) => ({ made: { ...made, said: nothing() } }))).toEqual([
    `unknown: ${what}, CREATE TABLE: no answer within 15000 ms`,
  ]);
  for (const place of [0, 1, 2])
    expect(
      withTable(at, ({ written }) => ({
        written: written.map((one, n) => (n === place ? { ...one, said: no("X", "too wide", "limit") } : one)),
      })),
    ).toEqual([expect.stringMatching(/^unknown: the table of \d+ columns, .*: too wide/)]);
  expect(withTable(at, () => ({ unflushed: "nothing was flushed" }))).toEqual([
    `unknown: ${what}: nothing was flushed`,
  ]);
  // Refused for a reason that has nothing to do with the number of values.
  expect(withTable(at, answered(no("FORBIDDEN", "not for you", "batchPart", 403)))).toEqual([
    `unknown: ${what}: not for you`,
  ]);
  expect(withTable(at, answered(no("FORBIDDEN", "not for you", "permission", 403)))).toEqual([
    expect.stringMatching(/: one value too few: neither accepted nor rejected: 403 FORBIDDEN/),
  ]);
});

test("one table must have a hundred columns", () => {
  const widths = (...columns: number[]): string[] =>
    judged(wideTableExact, { tables: columns.map((width) => ({ ...(tables[0] as Table), columns: width })) });
  expect(widths(100, 30)).toEqual([
    "pass: 720 values of tables with 100, 30 columns under their own names, immediately and after a flush; every wrong number of values was rejected",
  ]);
  expect(widths(99, 30)).toEqual(["unknown: the widest table had 99 columns; 100 are needed"]);
  expect(widths()).toEqual(["unknown: the widest table had 0 columns; 100 are needed"]);
});
