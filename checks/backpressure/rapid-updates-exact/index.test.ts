import { expect, test } from "vitest";
import { judged, no, soundFor } from "../../vocabulary/evidence.ts";
import { rapidUpdatesExact } from "./index.ts";
import proof from "./proof.ts";

const { tables } = soundFor(rapidUpdatesExact, proof);
type Table = (typeof tables)[number];
type Look = Table["looks"][number];
const withTable = (at: number, change: Partial<Table>): string[] =>
  judged(rapidUpdatesExact, { tables: tables.map((one, index) => (index === at ? { ...one, ...change } : one)) });
const withLook = (table: number, at: number, change: Partial<Look>): string[] =>
  withTable(table, {
    looks: (tables[table]?.looks ?? []).map((one, index) => (index === at ? { ...one, ...change } : one)),
  });
const places = [0, 1].flatMap((table) => [0, 1, 2, 3].map((look) => [table, look] as const));

test.each(places)("table %i, look %i: the number and the count of rows, each way", (table, at) => {
  const [kind, look] = [tables[table]?.kind ?? "", tables[table]?.looks[at]];
  const [acknowledged, when] = [look?.acknowledged ?? 0, look?.when ?? ""];
  const [right, less] = [String(acknowledged), String(acknowledged - 1)];
  const about = `${kind}, ${when}`;
  const wrong = (value: string, way: string): string =>
    `wrongValue: ${about}: ${JSON.stringify({ kind, value, acknowledged, when, way })}`;
  const extra = (rows: string, way: string): string =>
    `extraVersions: ${about}: ${JSON.stringify({ kind, rows, when, way })}`;
  const more = String(acknowledged + 1);
  for (const [field, way] of [
    ["byKey", "read by its key"],
    ["scanned", "read by a scan"],
  ] as const) {
    for (const value of [less, more]) expect(withLook(table, at, { [field]: [value] })).toEqual([wrong(value, way)]);
    expect(withLook(table, at, { [field]: [] })).toEqual([wrong("missing", way)]);
    expect(withLook(table, at, { [field]: [right, right] })).toEqual([extra("2", way)]);
    expect(withLook(table, at, { [field]: [right, less] })).toEqual([extra("2", way), wrong(less, way)]);
    expect(withLook(table, at, { [field]: null })).toEqual([`unknown: ${kind} table: it could not be read ${when}`]);
  }
  expect(withLook(table, at, { counted: "0" })).toEqual([wrong("missing", "counted")]);
  expect(withLook(table, at, { counted: "2" })).toEqual([extra("2", "counted")]);
  expect(withLook(table, at, { counted: null })).toEqual([`unknown: ${kind} table: it could not be read ${when}`]);
});

test("updates without an answer may have been done, and no more than these", () => {
  const unsure = (value: number): string[] =>
    withLook(0, 3, { acknowledged: 58, unsure: 2, byKey: [String(value)], scanned: [String(value)] });
  for (const value of [58, 59, 60]) expect(unsure(value)).toEqual([expect.stringMatching(/^pass: 118 increments/)]);
  for (const value of [57, 61]) expect(unsure(value)).toEqual(Array(2).fill(expect.stringMatching(/^wrongValue/)));
});

test.each([0, 1])("of table %i ten increments and four looks are needed, hot and cold", (at) => {
  const kind = tables[at]?.kind ?? "";
  const counts = (...numbers: number[]): string[] =>
    withTable(at, {
      looks: numbers.map((acknowledged) => ({
        ...(tables[at]?.looks[0] as Look),
        acknowledged,
        byKey: [String(acknowledged)],
        scanned: [String(acknowledged)],
      })),
    });
  expect(counts(3, 3, 9, 10)).toEqual([expect.stringMatching(/^pass: 70 increments/)]);
  expect(counts(10, 10, 10, 9)).toEqual([`unknown: ${kind} table: only 9 increments were acknowledged`]);
  expect(counts(10, 10, 10)).toEqual([`unknown: ${kind} table: too few readings`]);
  expect(counts()).toEqual([`unknown: ${kind} table: only 0 increments were acknowledged`]);
  expect(withTable(at, { unflushed: "not allowed" })).toEqual([`unknown: ${kind} table: not allowed`]);
  expect(withTable(at, { refused: no("X", "no UPDATE", "rule") })).toEqual([
    `unknown: ${kind} table: an update was rejected: no UPDATE`,
  ]);
});

test("both kinds of table are needed", () => {
  expect(judged(rapidUpdatesExact, { tables: tables.slice(1) })).toEqual([
    "unknown: only 1 of 2 table types were tried",
  ]);
});
