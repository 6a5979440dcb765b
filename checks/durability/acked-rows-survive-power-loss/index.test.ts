import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { ackedRowsSurvivePowerLoss } from "./index.ts";
import type { Shown } from "./losses.ts";
import proof from "./proof.ts";
import { kept, made } from "./workload.ts";

const sound = soundFor(ackedRowsSurvivePowerLoss, proof);
type Rows = Shown["rows"];
/** After the first cut and the flush, and after the last one; and of the other table. */
const [[early = null, own = null] = [], , [late = null] = []] = sound.rounds.map(({ shown }) =>
  shown.map(({ rows }) => rows),
);
const shownAs = (table: Shown["table"], rows: Rows): Shown => ({ ...(sound.control.shown[0] as Shown), table, rows });
/** What the table shows after the first cut, before the flush, and after the last one. */
const judge = (first: Rows, last: Rows, change: object = {}): string[] =>
  judged(ackedRowsSurvivePowerLoss, {
    ...sound,
    rounds: sound.rounds.map((round, at) => ({
      ...round,
      shown: [shownAs(kept, at === 0 ? first : at === 1 ? early : last), shownAs(made, own)],
    })),
    ...change,
  });
const without = (rows: Rows, key: string): Rows => (rows ?? []).filter(([id]) => id !== key);
const having = (rows: Rows, ...more: (readonly [string, string])[]): Rows => [
  ...(rows ?? []).filter(([id]) => more.every(([key]) => key !== id)),
  ...more,
];

test("a pass says how often the power was cut, and how much was not on disk", () => {
  expect(judge(early, late)).toEqual([
    "pass: 3 power cuts (right after an insert, a flush that was reported completed, an update): all 6 acknowledged statements took effect for good; 60 writes and 12 syncs were recorded, and 2 KiB were not on disk at the last cut",
  ]);
});

test.each([
  [
    "before a flush is completed, rows are not flushed",
    without(early, "3"),
    late,
    'lostRows: an insert: {"cut":"an insert","rows":1,"of":4,"oldestMs":930,"first":"kr_power.kept 3"}',
  ],
  [
    "those that were changed after the flush are not, either",
    early,
    without(late, "4"),
    'lostRows: an update: {"cut":"an update","rows":1,"of":3,"oldestMs":0,"first":"kr_power.kept 4"}',
  ],
  [
    "the oldest of several is named",
    without(without(early, "4"), "3"),
    late,
    'lostRows: an insert: {"cut":"an insert","rows":2,"of":4,"oldestMs":930,"first":"kr_power.kept 3"}',
  ],
  [
    "a deleted row is back",
    having(early, ["2", "b"]),
    late,
    'changesUndone: an insert: {"cut":"an insert","rows":1,"of":2,"oldestMs":30,"first":"kr_power.kept 2"}',
  ],
  [
    "a row that nobody wrote",
    having(early, ["9", "x"]),
    late,
    'wrongRows: an insert: {"cut":"an insert","rows":1,"first":"kr_power.kept 9 is x, which nobody wrote"}',
  ],
  [
    "a row twice",
    [...(early ?? []), ["3", "c"]] as Rows,
    late,
    'wrongRows: an insert: {"cut":"an insert","rows":1,"first":"kr_power.kept 3 is there twice"}',
  ],
  [
    "a value of another row",
    having(early, ["3", "e"]),
    late,
    'wrongRows: an insert: {"cut":"an insert","rows":1,"first":"kr_power.kept 3 is e, and not c"}',
  ],
] as const)("%s", (_, first, last, found) => {
  expect(judge(first, last)).toEqual([found]);
});

test("what was sent after the cut may be there, and need not", () => {
  const first = having(early, ["5", "g"]);
  expect(judge(first, late)).toEqual([expect.stringMatching(/^pass/)]);
  expect(judge(having(early, ["5", "z"]), late)).toEqual([
    expect.stringMatching(/^wrongRows.*"kr_power\.kept 5 is z"/),
  ]);
});

test("rows that a kill alone leaves wrong are no loss of a cut, and no pass", () => {
  const control = { ...sound.control, shown: [shownAs(kept, having(late, ["2", "b"])), shownAs(made, own)] };
  const back = having(early, ["2", "b"]);
  expect(judge(back, having(late, ["2", "b"]), { control })).toEqual([
    "unknown: after a kill alone, without any power loss, 1 rows are not as acknowledged: kr_power.kept 2",
  ]);
  expect(judge(without(back, "3"), late, { control })).toEqual([
    expect.stringMatching(/^lostRows: .*kr_power\.kept 3/),
  ]);
});
