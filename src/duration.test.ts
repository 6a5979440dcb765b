import * as fc from "fast-check";
import { expect, test } from "vitest";
import { durationAbout, durationMs, durationText } from "./duration.ts";

test.for<[string, number]>([
  ["500ms", 500],
  ["30s", 30_000],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["1.5s", 1_500],
  [" 10s ", 10_000],
])("%j is %d milliseconds", ([text, ms]) => {
  expect(durationMs(text)).toBe(ms);
});

test.for(["", "30", "s", "0s", "-1s", "1 s", "1d", "30S", "1m30s", "1e3s", "1.s", ".5s", "∞s", "9".repeat(400) + "h"])(
  "%j is not a duration",
  (text) => {
    expect(durationMs(text)).toBeUndefined();
  },
);

test.for<[number, string]>([
  [0.4, "0 ms"],
  [999, "999 ms"],
  [1_000, "1 s"],
  [1_550, "1.6 s"],
  [119_000, "119 s"],
  [120_000, "2 min"],
  [600_000, "10 min"],
  [5_400_000, "90 min"],
])("%d milliseconds are printed as %s", ([ms, text]) => {
  expect(durationText(ms)).toBe(text);
});

test("a duration is always printed with a unit", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => {
      expect(durationText(ms)).toMatch(/^[\d.]+ (ms|s|min)$/);
    }),
  );
});

test.for<[number, string]>([
  [0, "1 s"],
  [3_200, "4 s"],
  [10_000, "10 s"],
  [10_001, "15 s"],
  [60_000, "60 s"],
  [61_000, "90 s"],
  [95_000, "2 min"],
  [121_000, "2.5 min"],
])("an estimate of %d milliseconds is about %s", ([ms, text]) => {
  expect(durationAbout(ms)).toBe(text);
});
