import { expect, test } from "vitest";
import { judged, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { changedRows, initialRows, type Row } from "./cases.ts";
import proof from "./proof.ts";
import { notNullHolds } from "./index.ts";

const sound = soundFor(notNullHolds, proof);
type Seen = (typeof sound.tables)[number];
const [user, shared] = sound.tables as [Seen, Seen];
const withUser = (change: Partial<Seen>): string[] =>
  judged(notNullHolds, { tables: [{ ...user, ...change }, shared] });
const accepting = (...names: string[]) =>
  user.tried.map((one) => (names.includes(one.case) ? { ...one, said: yes() } : one));
const finding = (name: string, of: string, ...stored: string[]): string =>
  `${name}: ${of}, USER: ${JSON.stringify({ case: of, kind: "USER", sql: `INSERT ${of}`, stored })}`;
const row = (id: number): Row => [String(id), "z", "5", null];

test("the rows to begin with, and which of others belong to a case", () => {
  expect(initialRows.slice(0, 3)).toEqual([
    ["1", "one", "1", null],
    ["2", "", "0", null],
    ["50", "m", "5", null],
  ]);
  expect(initialRows).toHaveLength(42);
  const rows = [...initialRows, row(10), row(70), row(99)];
  expect(changedRows(rows, "text left out")).toEqual([row(10)]);
  expect(changedRows(rows, "UPDATE of one among many")).toEqual([row(70)]);
  expect(changedRows(rows, "NULL")).toEqual([]);
  // Without a key it cannot be told apart by its key: it is what belongs to no other.
  expect(changedRows(rows, "key left out")).toEqual([row(99)]);
});

test("an accepted statement shows what it stored, the first three rows of many", () => {
  const stored = (...ids: number[]) => ids.map((id) => JSON.stringify(row(id)));
  const update = "UPDATE of one among many";
  const changing = (...ids: number[]) =>
    withUser({
      tried: accepting(update),
      rows: initialRows.map((one) => (ids.includes(Number(one[0])) ? row(Number(one[0])) : one)),
    });
  expect(changing(50)).toEqual([finding("accepted", update, ...stored(50))]);
  expect(changing(50, 51, 52)).toEqual([finding("accepted", update, ...stored(50, 51, 52))]);
  expect(changing(50, 51, 52, 53, 54)).toEqual([finding("accepted", update, ...stored(50, 51, 52), "and 2 more")]);
  expect(withUser({ tried: accepting("text left out", "number left out") })).toEqual([
    finding("accepted", "text left out"),
    finding("accepted", "number left out"),
  ]);
});

test("a rejected statement changed what no accepted one can have", () => {
  const first = JSON.stringify(row(10));
  expect(withUser({ rows: [...initialRows, row(10)] })).toEqual([finding("partial", "text left out", first)]);
  // Both would change this row.
  const tried = [
    ...accepting("UPDATE to NULL"),
    { case: "UPDATE to NULL", role: "user", sql: "again", said: user.tried[0]?.said ?? yes() },
  ];
  const changed: Row = ["1", "z", "1", null];
  const rows = [changed, ...initialRows.slice(1)];
  expect(withUser({ tried, rows })).toEqual([finding("accepted", "UPDATE to NULL", JSON.stringify(changed))]);
  // A row that belongs to no case shows that something is wrong, and not what.
  expect(withUser({ rows: [...initialRows, row(99)] })).toEqual([
    expect.stringMatching(/^unknown: the USER table does not have the rows that were written at the start: /),
  ]);
});

test("why it shows nothing", () => {
  expect(withUser({ rows: null })).toEqual(["unknown: the rows of the USER table could not be read afterwards"]);
  expect(withUser({ tried: user.tried.slice(1) })).toEqual(["unknown: only 11 of 12 ways were tried"]);
  expect(withUser({ proper: user.proper.slice(1) })).toEqual([
    "unknown: a valid statement does not work on the USER table either: ",
  ]);
  const failing = user.proper.map((one, at) => (at === 1 ? { ...one, said: nothing() } : one));
  expect(withUser({ proper: failing })).toEqual([
    "unknown: a valid UPDATE does not work on the USER table either: no answer within 15000 ms",
  ]);
  expect(withUser({})).toEqual(["pass: 24 of 24 ways rejected on USER and SHARED tables, only the valid rows exist"]);
});
