import { expect, test } from "vitest";
import { judged, latePace, no, soundFor, yes } from "../../vocabulary/evidence.ts";
import { flushedOf } from "../evidence.ts";
import type { Flushing } from "../flushing.ts";
import { manyFlushesStayWhole } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(manyFlushesStayWhole, proof);
const judge = (change: Partial<typeof sound>): string[] => judged(manyFlushesStayWhole, { ...sound, ...change });
const flushes = (change: Readonly<Record<number, Partial<Flushing>>>): Partial<typeof sound> => ({
  flushes: sound.flushes.map((one, at) => ({ ...one, ...change[at] })),
});
const [after, final] = [sound.after.rows ?? [], sound.final.rows ?? []];
const without = (rows: typeof after, ...ids: readonly string[]) => ({
  ...sound.after,
  rows: rows.filter(({ id }) => !ids.includes(id as string)),
});
const twice = (rows: typeof after, ...ids: readonly string[]) => ({
  ...sound.after,
  rows: [...rows, ...rows.filter(({ id }) => ids.includes(id as string))],
});
const missing = { rows: null, why: "flushed: not found", cause: "missing", exchange: 9 } as const;
const passes = [expect.stringMatching(/^pass: 30 rows of 3 flushes once each/)];

test.each([
  ["the first holds none", { 0: { segments: [] } }, ['manifestDidNotGrow: {"flush":1,"before":0,"after":0}']],
  ["the first holds a row", { 0: { segments: [1] } }, passes],
  [
    "the third as many as the second",
    { 2: { segments: [20] } },
    ['manifestDidNotGrow: {"flush":3,"before":20,"after":20}'],
  ],
  ["the third one more than the second", { 2: { segments: [21] } }, passes],
  // Only the three flushes before the restart must show more.
  ["the fourth no more than the third", { 3: { segments: [30] } }, passes],
  ["it could not be read after the second", { 1: { segments: "no manifest" } }, ["unknown: no manifest"]],
  [
    "it could not be read, and then held none",
    { 0: { segments: "no manifest" }, 1: { segments: [] } },
    ["unknown: no manifest"],
  ],
  [
    "the second flush did not complete",
    { 1: { status: "failed", segments: [10] } },
    [expect.stringMatching(/^unknown: the flush FL-1 was failed/)],
  ],
  ["the first flush is not listed", { 0: { status: null } }, ["unknown: the flush FL-1 is not listed in system.jobs"]],
])("the manifest after each flush: %s", (_, change, expected) => {
  expect(judge(flushes(change))).toEqual(expected);
});

test.each([
  [
    "the table is gone",
    { after: missing },
    ['lostRows: {"when":"after the restart","lost":30,"of":30,"keys":["1","2","3","4","5"]}'],
  ],
  [
    "the new row is gone",
    { final: without(final, "31") },
    ['lostRows: {"when":"after one more flush","lost":1,"of":31,"keys":["31"]}'],
  ],
  [
    "an old row is gone after the next flush",
    { final: without(final, "5") },
    ['lostRows: {"when":"after one more flush","lost":1,"of":31,"keys":["5"]}'],
  ],
  [
    "the same row is gone twice",
    { after: without(after, "5"), final: without(final, "5") },
    ['lostRows: {"when":"after the restart","lost":1,"of":30,"keys":["5"]}'],
  ],
  [
    "a row is there twice, then one is gone",
    { after: twice(after, "5"), final: without(final, "5") },
    ['doubledRows: {"when":"after the restart","keys":["5"]}'],
  ],
  [
    "one is gone and one is there twice",
    { after: twice(without(after, "5").rows, "6"), final: without(final, "7") },
    [
      'lostRows: {"when":"after the restart","lost":1,"of":30,"keys":["5"]}',
      'doubledRows: {"when":"after the restart","keys":["6"]}',
    ],
  ],
  [
    "six are there twice",
    { final: twice(final, "1", "2", "3", "4", "5", "6") },
    ['doubledRows: {"when":"after one more flush","keys":["1","2","3","4","5"]}'],
  ],
  [
    "the last reading got no answer",
    { final: { ...missing, cause: null } },
    ["unknown: the rows could not be read: flushed: not found"],
  ],
])("rows after the restart: %s", (_, change, expected) => {
  expect(judge(change)).toEqual(expected);
});

test.each([
  [
    "is late",
    { status: "running", pace: latePace },
    [
      'cannotWriteAgain: {"what":"a flush","told":"flush 4: FL-1 was running, not completed, after 12000 ms, 1,000 times as long as a plain SELECT beside it (12 ms)"}',
    ],
  ],
  [
    "is refused",
    { said: no("INVALID_INPUT", "read only", "rule"), job: null, status: null },
    ['cannotWriteAgain: {"what":"a flush","told":"read only"}'],
  ],
  ["names no job", { said: yes(), job: null, status: null }, ["unknown: the flush could not be started: 200 done"]],
])("the flush after the restart %s", (_, change, expected) => {
  expect(judge(flushes({ 3: change }))).toEqual(expected);
});

test("an insert that was refused adds no row that must be there", () => {
  const write = no("SQL_EXECUTION_ERROR", "read only", "rule");
  expect(judge({ write, final: sound.after })).toEqual(['cannotWriteAgain: {"what":"an insert","told":"read only"}']);
});

test("four flushes in one segment are told from none", () => {
  expect(judge({ flushes: [flushedOf([10]), flushedOf([20]), flushedOf([30]), flushedOf([31])] })).toEqual(passes);
});
