import { expect, test } from "vitest";
import type { Answer } from "../../../src/server/target.ts";
import { judged, no, soundFor } from "../../vocabulary/evidence.ts";
import { batchIn, snapshotHoldsInBatch } from "./index.ts";
import proof from "./proof.ts";

const { batches, operations } = soundFor(snapshotHoldsInBatch, proof);
type Batch = (typeof batches)[number];
const seeing = (...views: string[]): Batch => ({ ...(batches[0] as Batch), views });
const refused: Batch = { ...(batches[0] as Batch), views: [], said: no("INVALID_SQL", "found: BEGIN", "parse") };
const same = (count: number): Batch[] =>
  batches.map((one, at) => ({ ...one, views: (batches[at < count ? 0 : 1] as Batch).views }));
const unsure = operations.map((one, at) => (at < 3 ? { ...one, outcome: "unsure" as const } : one));

test.each<readonly [string, readonly Batch[], typeof operations, string]>([
  [
    "another state from the second SELECT on, and once more in between",
    [...batches, seeing("a", "b", "b", "b", "b", "b"), seeing("a", "a", "a", "b", "a", "a")],
    operations,
    'sawCommit: {"number":2,"times":2,"of":8}',
  ],
  [
    "four batches, and a rejected one",
    [...batches.slice(0, 4), refused],
    operations,
    "pass: 4 transactions of 6 SELECTs",
  ],
  [
    "three batches, and a rejected one",
    [...batches.slice(0, 3), refused],
    operations,
    "unknown: only 3 batches returned 6 results; another one returned 0: found: BEGIN",
  ],
  ["four in flight with a write", batches, operations.slice(0, 4), "pass"],
  [
    "three in flight with an acknowledged write",
    batches,
    unsure,
    "unknown: only 3 transactions were in flight together with a write; at least 4 are needed",
  ],
  ["two states", same(1), operations, "pass: 6 transactions of 6 SELECTs each saw one state, 2 different ones in all"],
  ["one state", same(6), operations, "unknown: all transactions saw the same state"],
])("%s", (_, list, writes, verdict) => {
  const [first, ...others] = judged(snapshotHoldsInBatch, { batches: [...list], operations: writes });
  expect(first).toContain(verdict);
  expect(others).toEqual([]);
});

test("what a batch saw: the rows of each result that has columns", () => {
  const columns = [{ name: "id", type: "BigInt", flags: [] }];
  const none = { columns: [], rows: [], rowCount: 0 };
  const times = { exchange: 7, sentAt: 10, doneAt: 12 };
  const of = (...rows: string[][]) => ({ columns, rows, rowCount: rows.length });
  const answer: Answer = {
    kind: "ok",
    status: 200,
    results: [none, of(["1"]), of(), of(["2"]), none],
    tookMs: 1,
    ...times,
  };
  expect(batchIn(answer)).toMatchObject({ invokedAt: 10, returnedAt: 12, views: ['[["1"]]', "[]", '[["2"]]'] });
  const lost: Answer = { kind: "unsure", because: "timeout", message: "none", ...times };
  expect(batchIn(lost)).toMatchObject({ said: { kind: "unsure", why: "timeout" }, views: [] });
});
