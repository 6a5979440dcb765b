import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { rapidQueriesAllServed } from "./index.ts";
import proof from "./proof.ts";

const all = soundFor(rapidQueriesAllServed, proof).queries;
type Asked = (typeof all)[number];
const changed = (change: (at: number, one: Asked) => Partial<Asked>, count = 20): string[] =>
  judged(rapidQueriesAllServed, { queries: all.slice(0, count).map((one, at) => ({ ...one, ...change(at, one) })) });
const withQuery = (place: number, change: Partial<Asked>): string[] => changed((at) => (at === place ? change : {}));
const passes = [expect.stringMatching(/^pass/)];

test("each wrong answer counts, and the first is told", () => {
  expect(withQuery(0, { got: "x" })).toEqual([
    'failed: {"failed":1,"of":20,"first":"a query for 0-x was answered with x"}',
  ]);
  const said = no("SQL_EXECUTION_ERROR", "broken", "rule");
  expect(changed((at) => (at === 4 ? { got: null, said } : at === 19 ? { got: "x" } : {}))).toEqual([
    'failed: {"failed":2,"of":20,"first":"400 SQL_EXECUTION_ERROR broken"}',
  ]);
});

test.each<[string, Partial<Asked["said"]>, boolean]>([
  ["a refusal", no("X", "", "rule"), true],
  ["a refusal with status 200", no("X", "", "rule", 200), true],
  ["a refusal for the rate", no("X", "", "rate", 429), false],
  ["a refusal for the login", no("X", "", "login", 401), false],
  ["an error with status 400", { ...nothing("unrecognised"), status: 400 }, true],
  ["an answer with status 399", { ...nothing("unrecognised"), status: 399 }, false],
  ["an answer that cannot be read", { ...nothing("malformed"), status: 200 }, true],
  ["no answer", nothing(), false],
  ["what is no HTTP", nothing("malformed"), false],
  ["part of an answer", { ...nothing("cut"), status: 200 }, false],
  ["a proxy's 502", { ...nothing("unavailable"), status: 502 }, false],
  ["the server's 503", { ...nothing("unavailable"), status: 503, code: "BUSY" }, true],
])("%s is a failure: %j, %s", (_, said, isFailure) => {
  expect(withQuery(3, { got: null, said: { ...yes(), ...said } })).toEqual([
    isFailure
      ? expect.stringMatching(/^failed/)
      : "unknown: only 19 of 20 queries were answered; at least 20 are needed",
  ]);
});

const start = 1_795_900_000_000n;

test.each([0n, 3n, 6n])("a time with %i digits below the millisecond may go back by one millisecond", (digits) => {
  const unit = 10n ** digits;
  const times = (backs: Readonly<Record<number, bigint>>): string[] =>
    changed((at) => ({ time: String((start + BigInt(at)) * unit - (backs[at] ?? 0n)) }));
  expect(times({})).toEqual(passes);
  expect(times({ 1: 2n * unit })).toEqual(passes);
  expect(times({ 1: 3n * unit })).toEqual(['timeWentBack: {"backMs":2,"times":1,"of":20}']);
  expect(times({ 19: 5n * unit })).toEqual(['timeWentBack: {"backMs":4,"times":1,"of":20}']);
  expect(times({ 4: 3n * unit, 9: 7n * unit, 14: 5n * unit })).toEqual([
    'timeWentBack: {"backMs":6,"times":3,"of":20}',
  ]);
  if (digits > 0n)
    expect(times({ 1: 2n * unit + 1n })).toEqual([expect.stringMatching(/^timeWentBack: \{"backMs":1\.0/)]);
});

test("times of different precision are compared; what is no time is not", () => {
  const mixed = (late: string): string[] => changed((at) => ({ time: at === 7 ? late : `${start}000` }));
  expect(mixed(String(start))).toEqual(passes);
  expect(mixed(String(start - 2n))).toEqual([expect.stringMatching(/^timeWentBack: \{"backMs":2,"times":1/)]);
  for (const time of [null, "179590000000"])
    expect(withQuery(0, { time })).toEqual(["unknown: only 19 of 20 answers had the server's time"]);
});

test("the last ten are compared with the first ten, by their medians", () => {
  const took = (firstMs: number, lastMs: number, count = 20): string[] =>
    changed((at) => ({ tookMs: at < 10 ? firstMs : at >= count - 10 ? lastMs : 9_000 }), count);
  expect(took(1, 20)).toEqual(passes);
  expect(took(1, 21)).toEqual(['slowsDown: {"firstMs":1,"lastMs":21}']);
  expect(took(10, 40)).toEqual(passes);
  expect(took(10, 41, 45)).toEqual(['slowsDown: {"firstMs":10,"lastMs":41}']);
  expect(took(1, 900, 19)).toEqual(["unknown: only 19 of 19 queries were answered; at least 20 are needed"]);
  // Five of ten may be slow.
  const sizes = [30, 7, 1, 90, 4, 2, 60, 3, 8, 50];
  expect(changed((at) => ({ tookMs: at < 10 ? (sizes[at] ?? 0) : 32 }))).toEqual([
    expect.stringMatching(/the first took 8 ms, the last 32 ms/),
  ]);
  expect(changed((at) => ({ tookMs: at < 10 ? (sizes[at] ?? 0) : 33 }))).toEqual([
    'slowsDown: {"firstMs":8,"lastMs":33}',
  ]);
});

test("twenty answered queries are enough for a trend, though not all were answered", () => {
  const some = (count: number): string[] =>
    changed((at) => (at === 12 ? { got: null, said: nothing() } : { tookMs: at < 10 ? 3 : 90 }), count);
  expect(some(21)).toEqual([expect.stringMatching(/^slowsDown/)]);
  expect(some(20)).toEqual([expect.stringMatching(/^unknown/)]);
});
