import { expect, test } from "vitest";
import type { Values } from "../../../src/history/history.ts";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import type { Reading } from "../reading.ts";
import { hotAndColdAgree } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(hotAndColdAgree, proof);
type Look = (typeof sound)["looks"][number];
const [afterStop, afterKill] = sound.looks as readonly [Look, Look];
const rows = sound.before.rows ?? [];
const reading = (shown: readonly Values[]): Reading => ({ ...sound.before, rows: shown });
const onStop = (of: Reading): string[] =>
  judged(hotAndColdAgree, { ...sound, looks: [{ ...afterStop, reading: of }, afterKill] });
const onKill = (of: Reading): string[] =>
  judged(hotAndColdAgree, { ...sound, looks: [afterStop, { ...afterKill, reading: of }] });
const unread = (cause: Reading["cause"]): Reading => ({ rows: null, why: "not found", cause, exchange: 9 });
const older = (id: string) => rows.map((row) => (row["id"] === id ? { id, mark: `row ${id}` } : row));
const back = ["3", "7", "15", "30", "31", "32"].map((id) => ({ id, mark: `row ${id}` }));
const [one, two] = rows as readonly [Values, Values];

test.each([
  [
    "the table is gone",
    unread("missing"),
    ['lostRows: after a stop: {"when":"after a stop","lost":22,"of":22,"keys":["1","2","4","5","6"]}'],
  ],
  ["it was not answered", unread(null), ["unknown: the rows could not be read: not found"]],
  [
    "the first is gone",
    reading(rows.slice(1)),
    ['lostRows: after a stop: {"when":"after a stop","lost":1,"of":22,"keys":["1"]}'],
  ],
  [
    "an update is undone",
    reading(older("2")),
    ['staleRow: after a stop: {"when":"after a stop","rows":1,"key":"2","expected":"new 2","shown":"row 2"}'],
  ],
  [
    "a deleted row is back",
    reading([...rows, ...back.slice(0, 1)]),
    ['resurrectedRow: after a stop: {"when":"after a stop","keys":["3"]}'],
  ],
  [
    "six rows are back",
    reading([...rows, ...back]),
    ['resurrectedRow: after a stop: {"when":"after a stop","keys":["3","7","15","30","31"]}'],
  ],
  ["one is there twice", reading([one, ...rows]), ['doubledRows: after a stop: {"when":"after a stop","keys":["1"]}']],
  [
    "six are there twice",
    reading([...rows, ...rows.slice(0, 6)]),
    ['doubledRows: after a stop: {"when":"after a stop","keys":["1","2","4","5","6"]}'],
  ],
])("after a stop %s", (_, of, expected) => {
  expect(onStop(of)).toEqual(expected);
  const later = expected.map((line) => line.replaceAll("after a stop", "after a kill"));
  expect(onKill(of)).toEqual(later);
});

test.each([
  ["lost", rows.slice(1)],
  ["of an older value", older("2")],
  ["strange", [...rows, ...back.slice(0, 1)]],
  ["there twice", [...rows, two]],
  ["lost, and one is strange", [...rows.slice(1), ...back.slice(0, 1)]],
  ["of an older value, and one is strange", [...older("2"), ...back.slice(0, 1)]],
  ["lost, and one is of an older value", older("2").slice(1)],
])("where a row was %s before any restart, nothing is told", (_, shown) => {
  expect(judged(hotAndColdAgree, { ...sound, before: reading(shown) })).toEqual([
    "unknown: the rows were not as written even before the restart",
  ]);
});

test("a reading before that failed is no difference", () => {
  expect(judged(hotAndColdAgree, { ...sound, before: unread(null) })).toEqual([
    "unknown: the rows could not be read: not found",
  ]);
});
