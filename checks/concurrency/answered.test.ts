import { expect, test } from "vitest";
import { nothing, yes } from "../vocabulary/evidence.ts";
import { isAnswered } from "./answered.ts";
import { inFlightWith } from "./in-flight.ts";

test.each([
  [200, "", true],
  [400, "unrecognised", true],
  [499, "", true],
  [500, "", false],
  [503, "unavailable", false],
  [200, "rate", false],
  [429, "rate", false],
  [200, "malformed", false],
])("an answer with status %d and the reason '%s'", (status, why, isAnswer) => {
  expect(isAnswered({ ...yes(), status, why })).toBe(isAnswer);
});

test("no answer", () => {
  expect(isAnswered(nothing())).toBe(false);
});

test("what was in flight together with another request", () => {
  const times = (invokedAt: number, returnedAt: number) => ({ invokedAt, returnedAt });
  const one = times(10, 20);
  for (const other of [times(5, 11), times(19, 30), times(12, 15), times(0, 40)])
    expect(inFlightWith([one], [times(50, 60), other])).toEqual([one]);
  for (const other of [times(0, 10), times(20, 30), times(0, 5), times(30, 40)])
    expect(inFlightWith([one], [other])).toEqual([]);
  expect(inFlightWith([one, times(30, 40), times(15, 18)], [times(17, 18)])).toEqual([one, times(15, 18)]);
});
