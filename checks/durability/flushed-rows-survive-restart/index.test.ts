import { expect, test } from "vitest";
import type { Values } from "../../../src/history/history.ts";
import { judged, slowPace, soundFor } from "../../vocabulary/evidence.ts";
import { flushedRowsSurviveRestart } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(flushedRowsSurviveRestart, proof);
const judge = (change: Partial<typeof sound>): string[] => judged(flushedRowsSurviveRestart, { ...sound, ...change });
const [one, two, three] = sound.expected as readonly [Values, Values, Values];
const shows = (rows: readonly Values[]) => ({ after: { ...sound.after, rows } });
const tells = (change: Partial<(typeof sound)["aggregate"]>) => ({ aggregate: { ...sound.aggregate, ...change } });
const changed = (rows: number, sum = "60") =>
  `changedRows: {"rows":${rows},"first":null,"sum":"${sum}","expected":"60","count":"3","of":3}`;

test.each([
  [
    "a row is gone, and COUNT does not say so",
    shows([two, three]),
    ['lostRows: {"lost":1,"of":3,"keys":["1"],"count":"3"}'],
  ],
  [
    "all rows are there, and COUNT is too low",
    tells({ count: "2" }),
    ['lostRows: {"lost":0,"of":3,"keys":[],"count":"2"}'],
  ],
  [
    "all rows are there, and COUNT is too high",
    tells({ count: "4" }),
    ['changedRows: {"rows":0,"first":null,"sum":"60","expected":"60","count":"4","of":3}'],
  ],
  ["all rows are there, and only the sum is another", tells({ sum: "61" }), [changed(0, "61")]],
  ["a row is strange", shows([one, two, three, { ...one, id: "4" }]), [changed(1)]],
  ["a row is there twice", shows([one, two, two, three]), [changed(1)]],
  ["one is strange, and one is there twice", shows([one, two, two, three, { ...one, id: "4" }]), [changed(2)]],
  [
    "one of each kind",
    shows([one, two, two, { ...three, amount: "31" }, { ...one, id: "4" }]),
    [
      'changedRows: {"rows":3,"first":{"key":"3","column":"amount","expected":"30","shown":"31"},"sum":"60","expected":"60","count":"3","of":3}',
    ],
  ],
  ["the sum was not answered", tells({ sum: null }), ["unknown: COUNT and SUM were not answered after the restart"]],
  [
    "the count was not answered",
    tells({ count: null }),
    ["unknown: COUNT and SUM were not answered after the restart"],
  ],
])("after the restart %s", (_, change, expected) => {
  expect(judge(change)).toEqual(expected);
});

test("a table that is gone has lost all rows, of which five are named", () => {
  const expected = ["1", "2", "3", "4", "5", "6"].map((id) => ({ ...one, id, amount: "1" }));
  const after = { rows: null, why: "flushed: not found", cause: "missing", exchange: 9 } as const;
  const aggregate = { count: null, sum: null, exchange: 10 };
  const flushed = { ...sound.flushed, segments: [6] };
  const verdict = flushedRowsSurviveRestart.judge({ ...sound, expected, after, aggregate, flushed }, {});
  expect(verdict).toMatchObject({
    kind: "fail",
    found: [
      { name: "lostRows", data: { lost: 6, of: 6, keys: ["1", "2", "3", "4", "5"], count: null }, sent: [9, 10] },
    ],
  });
});

test("only a flush that completed owes a segment, and one that is not listed shows nothing", () => {
  const flushed = (change: Partial<(typeof sound)["flushed"]>) => judge({ flushed: { ...sound.flushed, ...change } });
  expect(flushed({ segments: [2] })).toEqual(['noSegment: {"job":"FL-1","rows":3,"segments":1}']);
  expect(flushed({ segments: [2], status: "running", pace: slowPace })).toEqual([
    expect.stringMatching(/^unknown: the flush FL-1 was running: the server was slow altogether/),
  ]);
  expect(flushed({ status: null })).toEqual(["unknown: the flush FL-1 is not listed in system.jobs"]);
});
