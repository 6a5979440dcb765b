import { expect, test } from "vitest";
import type { Operation, Read, Values } from "../../../src/history/history.ts";
import { cellText } from "../../../src/wire/json.ts";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { abreast, completedFlush } from "../evidence.ts";
import { parallelInsertsAllLand } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(parallelInsertsAllLand, proof);
const inserts = sound.operations.filter(({ kind }) => kind === "insert");
const final = sound.operations.at(-1) as Read;
const rows = final.rows ?? [];
const readOf = (shown: readonly Values[], at = final.invokedAt): Read => ({
  ...final,
  statement: final.statement + at,
  rows: shown,
  invokedAt: at,
  returnedAt: at + 5,
});
const without = (...ids: string[]): Values[] => rows.filter(({ id }) => !ids.includes(cellText(id)));
const having = (...ids: string[]): Values[] => rows.filter(({ id }) => ids.includes(cellText(id)));

test.each<readonly [string, Operation[], string]>([
  ["two lost", [...inserts, readOf(without("7", "8"))], 'lostRows: {"lost":2,"of":40,"keys":["7","8"]}'],
  [
    "two late",
    [...inserts, readOf(without("7", "8"), 60), readOf(rows)],
    'lateRows: {"late":2,"first":"7","afterMs":52}',
  ],
  // Known from another read, before its own insert was answered.
  [
    "late at once",
    [
      ...inserts.map((one) => (one.key === "7" ? { ...one, returnedAt: 90 } : one)),
      readOf(rows, 50),
      readOf(without("7"), 60),
      readOf(rows),
    ],
    'lateRows: {"late":1,"first":"7","afterMs":0}',
  ],
  [
    "two doubled, in two reads",
    [...inserts, readOf([...rows, ...having("3", "4")], 60), readOf([...rows, ...having("3")])],
    'doubledRows: {"key":"3","times":2,"reads":2}',
  ],
  [
    "two changed",
    [
      ...inserts,
      readOf(rows.map((row) => ({ ...row, mark: /^[34]$/.test(cellText(row["id"])) ? "x" : (row["mark"] ?? "") }))),
    ],
    'changedRows: {"wrote":{"id":"3","mark":"m3"},"read":{"id":"3","mark":"x"}}',
  ],
  [
    "two strange",
    [...inserts, readOf([...rows, { id: "98", mark: "x" }, { id: "99", mark: "x" }])],
    'strangeRows: {"rows":[{"id":"98","mark":"x"},{"id":"99","mark":"x"}]}',
  ],
  ["twenty acknowledged", [...inserts.slice(0, 20), readOf(rows.slice(0, 20))], "pass: 20 acknowledged rows"],
  [
    "nineteen acknowledged",
    [...inserts.slice(0, 19), readOf(rows.slice(0, 19))],
    "unknown: only 19 of 19 inserts were acknowledged; at least 20 are needed",
  ],
  ["three at once", [...abreast(inserts, 3), readOf(rows, 500)], "pass"],
  ["two at once", [...abreast(inserts, 2), readOf(rows, 500)], "unknown: at most 2 inserts were in flight together"],
])("%s", (_, operations, verdict) => {
  const [first, ...others] = judged(parallelInsertsAllLand, { operations, flush: completedFlush(5) });
  expect(first).toContain(verdict);
  expect(others).toEqual([]);
});
