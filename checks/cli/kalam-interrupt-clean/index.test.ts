import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { kalamInterruptClean } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof kalamInterruptClean.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const firstIs = (change: object): string[] =>
  judged(kalamInterruptClean, { parts: sound.parts.map((one, at) => (at === 0 ? { ...one, ...change } : one)) });

test("five seconds are in time, more are not, and the slowest part is told", () => {
  expect(firstIs({ endedAfterMs: 5_000 })).toEqual([expect.stringContaining("within 5000 ms")]);
  expect(firstIs({ endedAfterMs: 5_001 })).toEqual([expect.stringMatching(/^hung: Ctrl-C in a live query/)]);
  expect(firstIs({ endedAfterMs: null, overdue: true })).toEqual([expect.stringMatching(/^hung/)]);
  expect(firstIs({ endedAfterMs: null })).toEqual([expect.stringMatching(/^pass/)]);
});

test("a leftover of a run that hung is not told besides, a crash is", () => {
  expect(firstIs({ overdue: true, listedAfter: 1 })).toEqual([expect.stringMatching(/^hung/)]);
  expect(firstIs({ overdue: true, crash: "panicked" })).toEqual([
    expect.stringMatching(/^hung/),
    expect.stringMatching(/^crashed/),
  ]);
});
