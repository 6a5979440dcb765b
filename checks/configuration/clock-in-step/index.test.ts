import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { clockInStep } from "./index.ts";

const start = 1_700_000_000_000;
const trip = (off: number, tripMs: number) => ({
  from: start,
  to: start + tripMs,
  server: `${start + tripMs / 2 + off}`,
});
const slow = trip(9_000, 400);
const judge = (...trips: ReturnType<typeof trip>[]): string[] => judged(clockInStep, { trips });

test("the fastest round trip decides, wherever it is", () => {
  const passed = ["pass: 3 ms apart, ± 1 ms, best of 4"];
  expect(judge(trip(3, 2), slow, slow, slow)).toEqual(passed);
  expect(judge(slow, slow, trip(3, 2), slow)).toEqual(passed);
  expect(judge(slow, slow, slow, trip(3, 2))).toEqual(passed);
});

test("four answers are enough, three are not", () => {
  expect(judge(trip(0, 2), slow, slow)).toEqual(["unknown: only 3 of 3 answers contained a time"]);
});

test("a clock is off by more than the limit and half the round trip", () => {
  const four = (off: number, tripMs: number) => judge(...Array.from({ length: 4 }, () => trip(off, tripMs)));
  expect(four(1_001, 2)).toEqual([expect.stringMatching(/^pass/)]);
  expect(four(1_002, 2)).toEqual(['clockDrifts: {"offMs":1002,"errorMs":1}']);
  expect(four(-5_001, 2)).toEqual(['clockDrifts: {"offMs":-5001,"errorMs":1}']);
  expect(four(-5_002, 2)).toEqual(['clockOff: {"offMs":-5002,"errorMs":1}']);
  expect(four(0, 2_000)).toEqual([expect.stringMatching(/^pass/)]);
  expect(four(0, 2_002)).toEqual([expect.stringMatching(/^unknown: the fastest round trip/)]);
});

test("the digits beyond milliseconds are a fraction of one, whatever the unit", () => {
  const times = (server: string | null) =>
    judged(clockInStep, { trips: Array.from({ length: 4 }, () => ({ ...trip(0, 0), server })) });
  expect(times("1700000001000")).toEqual(["pass: 1000 ms apart, ± 0 ms, best of 4"]);
  expect(times("1700000001000000")).toEqual(["pass: 1000 ms apart, ± 0 ms, best of 4"]);
  expect(times("1700000001000400000")).toEqual(['clockDrifts: {"offMs":1000,"errorMs":0}']);
  expect(times("170000000100")).toEqual(["unknown: only 0 of 4 answers contained a time"]);
  expect(times(null)).toEqual(["unknown: only 0 of 4 answers contained a time"]);
});
