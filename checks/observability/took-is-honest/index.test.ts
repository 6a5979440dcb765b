import { expect, test } from "vitest";
import { judged, nothing } from "../../vocabulary/evidence.ts";
import { tookIsHonest } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof tookIsHonest.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(tookIsHonest, { ...sound, ...change });
const sample = (took: number | null, ours: number) => ({
  ...sound.fast[0],
  said: sound.fast[0]?.said ?? nothing(),
  took,
  ours,
});
const three = (one: ReturnType<typeof sample>) => [one, one, one];
const fast = three(sample(1, 2));

test("no query takes less than nothing, or longer than we waited and a rounding", () => {
  const firstTook = (took: number): string[] => judge({ fast: [sample(took, 2), ...fast.slice(1)] });
  expect(firstTook(0)).toEqual([expect.stringMatching(/^pass/)]);
  expect(firstTook(-0.1)).toEqual(['impossible: too long: {"what":"1 of 6 answers","told":"-0.1 ms","ours":"2 ms"}']);
  expect(firstTook(3)).toEqual([expect.stringMatching(/^pass/)]);
  expect(firstTook(3.1)).toEqual(['impossible: too long: {"what":"1 of 6 answers","told":"3.1 ms","ours":"2 ms"}']);
});

test("an answer without a time is not impossible", () => {
  expect(judge({ fast: [sample(null, -5), ...fast.slice(1)] })).toEqual(["unknown: the answers do not report a time"]);
});

test("of a difference of at least 40 ms three tenths must be reported", () => {
  const slow = (took: number, ours: number): string[] =>
    judge({ fast: three(sample(0, 0)), slow: three(sample(took, ours)) });
  expect(slow(12, 40)).toEqual([expect.stringMatching(/^pass/)]);
  expect(slow(11, 40)).toEqual([
    'impossible: too short: {"what":"a slow query compared with a fast one (fast ones differ by 0 ms)","told":"11 ms more","ours":"40 ms more"}',
  ]);
  expect(slow(0, 39)).toEqual(["unknown: the slow query took only 39 ms longer than the fast one"]);
});

test("the fastest of three counts, wherever it is", () => {
  expect(
    judge({
      fast,
      slow: [sample(90, 60), sample(110, 103), sample(120, 103)].map((one) => ({ ...one, ours: one.ours + 60 })),
    }),
  ).toEqual([expect.stringContaining("for a query that took 118 ms longer, 89 ms more were reported")]);
});

test("two of a kind are too few to call a time too short", () => {
  const slow = three(sample(1, 100));
  const few = ["unknown: the answers do not report a time"];
  expect(judge({ fast: fast.slice(1), slow })).toEqual(few);
  expect(judge({ fast, slow: slow.slice(1) })).toEqual(few);
});

test("a query without an answer is told before what follows from it", () => {
  expect(judge({ fast: [{ ...sample(1, 2), said: nothing() }, ...fast.slice(1)] })).toEqual([
    "unknown: a query was not answered: no answer within 15000 ms",
  ]);
});

test("a slow query shows something from ten times the difference between fast ones on", () => {
  const slow = (ours: number): string[] =>
    judge({ fast: [sample(1, 12), sample(1, 2), sample(1, 2)], slow: three(sample(1, ours)) });
  expect(slow(102)).toEqual([expect.stringMatching(/^impossible: too short: .*differ by 10 ms/)]);
  expect(slow(101)).toEqual([expect.stringMatching(/^unknown: fast queries differ by 10 ms/)]);
});

test("of a long time two hundredths and a rounding may be the clocks'", () => {
  const slow = (took: number): string[] => judge({ fast, slow: three(sample(took, 1_000)) });
  expect(slow(1_021)).toEqual([expect.stringMatching(/^pass/)]);
  expect(slow(1_021.1)).toEqual([expect.stringMatching(/^impossible: too long/)]);
});
