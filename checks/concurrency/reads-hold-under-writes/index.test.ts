import { expect, test } from "vitest";
import type { Operation, Read } from "../../../src/history/history.ts";
import { foundIn, judged, soundFor } from "../../vocabulary/evidence.ts";
import { readsHoldUnderWrites } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(readsHoldUnderWrites, proof);
const counts = sound.operations.filter((one) => one.kind === "read");
const inserts = sound.operations.filter(({ kind }) => kind === "insert");
const last = counts.at(-1) as Read;
const count = (at: number, n: string): Operation => ({
  ...last,
  statement: 1_000 + at,
  invokedAt: at,
  returnedAt: at + 1,
  rows: [{ n }],
});
const more = (...reads: readonly Operation[]): Partial<typeof sound> => ({
  operations: [...sound.operations, ...reads],
});
const silent = (by: "reader" | "writer", exchange: number) => ({ by, exchange });

test.each<readonly [string, Partial<typeof sound>, string[]]>([
  [
    "two counts below an earlier one, and too low",
    more(count(500, "19"), count(510, "18")),
    ['wentBack: {"count":19,"before":20,"times":2}', 'missedRows: {"count":19,"acknowledged":20,"times":2}'],
  ],
  ["two counts too high", more(count(500, "21"), count(510, "21")), ['sawTooMany: {"count":21,"sent":20,"times":2}']],
  [
    "two silent requests",
    { silent: [silent("writer", 7), silent("reader", 8)] },
    ['stuck: {"by":"writer","requests":2,"timeoutMs":5000,"controlMs":3}'],
  ],
  [
    "silent for ten times as long as alone",
    { silent: [silent("reader", 7)], controlMs: 500 },
    ['stuck: {"by":"reader","requests":1,"timeoutMs":5000,"controlMs":500}'],
  ],
  [
    "silent for less than ten times as long as alone",
    { silent: [silent("reader", 7)], controlMs: 501 },
    ["unknown: 1 requests were not answered within 5000 ms"],
  ],
  [
    "ten counts in flight with an insert",
    { operations: [...inserts, ...counts.slice(0, 10)] },
    [
      "pass: 10 counts of up to 20 rows, 10 of them in flight with an insert, up to 2 requests together, flushed midway",
    ],
  ],
  [
    "nine, and one that was not answered",
    {
      operations: [...inserts, ...counts.slice(0, 9), { ...(counts[9] as Read), outcome: "unsure", rows: null }, last],
    },
    ["unknown: only 9 counts were in flight together with an insert; at least 10 are needed"],
  ],
])("%s", (_, change, verdict) => {
  expect(judged(readsHoldUnderWrites, { ...sound, ...change })).toEqual(verdict);
});

test("what is no number is said to be none", () => {
  const seen = { ...sound, ...more(count(500, "x")) };
  expect(foundIn(readsHoldUnderWrites, seen).map(({ data }) => data)).toEqual([{ count: null, sent: 20, times: 1 }]);
});
