import { assert, boolean, constantFrom, integer, property } from "fast-check";
import { expect, test } from "vitest";
import type { Beside } from "./bad-subscriptions.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { beside } from "./proof.ts";
import { errorsDoNotPoison } from "./index.ts";

const kinds = [
  "bad syntax",
  "a missing table",
  "an existing key",
  "a wrong type",
  "an open transaction",
  "a transaction that fails",
  "a batch that fails",
  "a division by zero",
  "a missing namespace",
  "no right",
];

function history(pairs: number) {
  const good = Array.from({ length: pairs }, (_, at) => ({
    after: kinds[at % kinds.length] ?? "",
    asked: `SELECT 'mine ${at}' AS x`,
    wanted: `mine ${at}`,
    got: `mine ${at}` as string | null,
    failure: "",
    outcome: "200 success",
    exchange: at,
  }));
  const mistakes = good.map((one) => one.after);
  const live = { why: null, beside };
  const sharedAccess = "levels" as const;
  return { sharedAccess, mistakes, good, opened: 1, wantedRows: 9, rows: 9, strange: [] as string[], sent: [], live };
}
const pairs = integer({ min: kinds.length, max: 60 });

test("a history in which every good statement is correct passes", () => {
  assert(
    property(pairs, integer({ min: 1, max: 5 }), (count, opened) => {
      expect(errorsDoNotPoison.judge({ ...history(count), opened }, {}).kind).toBe("pass");
    }),
  );
});

test("one wrong result or one rejection is found, with the mistake before it", () => {
  assert(
    property(pairs, integer({ min: 0, max: 59 }), boolean(), (count, where, refused) => {
      const at = where % count;
      const seen = history(count);
      const change = refused ? { got: null, failure: "rule", outcome: "400 aborted" } : { got: "somebody else's" };
      const good = seen.good.map((one, index) => (index === at ? { ...one, ...change } : one));
      const verdict = errorsDoNotPoison.judge({ ...seen, good }, {});
      expect(verdict).toMatchObject({ kind: "fail", found: [{ name: "poisoned", case: kinds[at % kinds.length] }] });
    }),
  );
});

test("rows of mistakes, extra rows and missing rows are found", () => {
  assert(
    property(constantFrom({ strange: ["bad 3"] }, { rows: 8 }, { rows: 10 }), (change) => {
      const verdict = errorsDoNotPoison.judge({ ...history(20), ...change }, {});
      expect(verdict).toMatchObject({ kind: "fail", found: [{ name: "poisoned", case: "rows" }] });
    }),
  );
});

test("a missing answer is never a finding", () => {
  assert(
    property(
      pairs,
      integer({ min: 0, max: 59 }),
      constantFrom("timeout", "reset", "cut", "unavailable", "rate"),
      constantFrom(8, 9, 10),
      (count, where, failure, rows) => {
        const seen = history(count);
        const good = seen.good.map((one, index) => (index === where % count ? { ...one, got: null, failure } : one));
        expect(errorsDoNotPoison.judge({ ...seen, good, rows }, {}).kind).toBe("unknown");
      },
    ),
  );
});

test("the bad subscription after which a good one goes wrong is named; a doubtful one is not", () => {
  const harm = constantFrom<Partial<Beside>>({ delivered: false }, { anew: false }, { ended: 1011, times: 2 });
  const doubt = constantFrom<Partial<Beside>>(
    { delivered: false, elsewhere: false },
    { refused: false },
    { ended: 1006 },
  );
  assert(
    property(integer({ min: 0, max: beside.length - 1 }), harm, doubt, (at, wrong, vague) => {
      const seen = (change: Partial<Beside>) => ({
        ...history(20),
        live: { why: null, beside: beside.map((one, index) => (index === at ? { ...one, ...change } : one)) },
      });
      const verdict = errorsDoNotPoison.judge(seen(wrong), {});
      expect(verdict).toMatchObject({ kind: "fail", found: [{ name: "silenced", case: beside[at]?.after }] });
      expect(errorsDoNotPoison.judge(seen(vague), {}).kind).toBe("unknown");
    }),
  );
});

const lost = { got: null, failure: "timeout", outcome: "timeout" };
const changed = (changes: Readonly<Record<number, object>>) => ({
  ...history(20),
  good: history(20).good.map((one, at) => ({ ...one, ...changes[at] })),
});
const count = (got: string) => ({ asked: "SELECT COUNT(*) AS x FROM kr.t", wanted: "3", got });

test("only a count after an insert without an answer may be higher", () => {
  const insert = { asked: "INSERT INTO kr.t", ...lost };
  const unsure = [expect.stringMatching(/^unknown: after /)];
  expect(judged(errorsDoNotPoison, changed({ 3: insert, 4: count("4") }))).toEqual(unsure);
  // The very first statement, too.
  expect(judged(errorsDoNotPoison, changed({ 0: insert, 1: count("4") }))).toEqual(unsure);
  const poisoned = [expect.stringMatching(/^poisoned: /)];
  expect(judged(errorsDoNotPoison, changed({ 3: insert, 2: count("4") }))).toEqual(poisoned);
  expect(judged(errorsDoNotPoison, changed({ 3: insert, 5: { got: "another" } }))).toEqual(poisoned);
  expect(judged(errorsDoNotPoison, changed({ 3: insert, 5: { ...count("4"), got: null, failure: "rule" } }))).toEqual(
    poisoned,
  );
  expect(judged(errorsDoNotPoison, changed({ 3: lost, 5: count("4") }))).toEqual(poisoned);
  expect(judged(errorsDoNotPoison, changed({ 3: { asked: "INSERT INTO kr.t" }, 5: count("4") }))).toEqual(poisoned);
  expect(judged(errorsDoNotPoison, changed({ 5: count("4") }))).toEqual(poisoned);
});

test("a rejected statement is wrong, and not also one without an answer", () => {
  expect(judged(errorsDoNotPoison, changed({ 3: { got: null, failure: "rule", outcome: "400" } }))).toEqual([
    expect.stringMatching(/^poisoned: .*"got":"400"/),
  ]);
});

test("rows that could not be listed are none of the mistakes'", () => {
  expect(judged(errorsDoNotPoison, { ...history(20), strange: null, rows: 8 })).toEqual([
    "unknown: the rows could not be counted in the end",
  ]);
});

test("fewer statements than are needed are too few, and a live query that was not opened is told", () => {
  expect(judged(errorsDoNotPoison, { ...history(20), good: history(5).good })).toEqual([
    expect.stringMatching(/^unknown: only 10 of 10 kinds/),
  ]);
  const live = { why: "no live connection", beside };
  expect(judged(errorsDoNotPoison, { ...history(20), live })).toEqual(["unknown: no live connection"]);
});
