import { assert, constantFrom, integer, property, subarray } from "fast-check";
import { expect, test } from "vitest";
import { no, nothing } from "../../vocabulary/evidence.ts";
import { batchStopsAtFailure } from "./index.ts";
import { judged } from "../../vocabulary/evidence.ts";

const kinds = ["plain", "unreadable", "transaction", "unreadable transaction"] as const;
const refusal = no("SQL_EXECUTION_ERROR", "Statement 4 failed: Primary key violation", "batchPart");
const seen = (change: { readonly [kind: string]: object } = {}) => ({
  batches: kinds.map((kind) => ({ kind, said: refusal, done: kind === "plain" ? [1, 2, 3] : [], ...change[kind] })),
});
const names = (evidence: ReturnType<typeof seen>): readonly string[] | string => {
  const verdict = batchStopsAtFailure.judge(evidence, {});
  return verdict.kind === "fail" ? verdict.found.map((found) => `${found.case} ${found.name}`) : verdict.kind;
};

test("an error passes in any wording that contains the number of the statement", () => {
  assert(
    property(constantFrom("Statement 4 failed: x", "failed at statement 4", "error (statement 4)"), (message) => {
      expect(names(seen({ plain: { said: { ...refusal, message } } }))).toBe("pass");
    }),
  );
});

test("every wrong set of rows of a plain batch is reported", () => {
  assert(
    property(subarray([1, 2, 3, 5, 6]), (done) => {
      const wanted = [
        ...(done.some((number) => number > 4) ? ["plain ranOn"] : []),
        ...(done.filter((number) => number < 4).length < 3 ? ["plain undone"] : []),
      ];
      expect(names(seen({ plain: { done } }))).toEqual(wanted.length === 0 ? "pass" : wanted);
    }),
  );
});

test("any row of a batch that should leave none is reported", () => {
  assert(
    property(
      constantFrom("unreadable", "transaction", "unreadable transaction"),
      subarray([1, 2, 3, 5, 6], { minLength: 1 }),
      (kind, done) => {
        expect(names(seen({ [kind]: { done } }))).toEqual([`${kind} keptRows`]);
      },
    ),
  );
});

test("the number of another statement is not enough", () => {
  assert(
    property(integer({ min: 1, max: 60 }), (number) => {
      const said = { ...refusal, message: `Statement ${number} failed: x` };
      expect(names(seen({ plain: { said } }))).toEqual(number === 4 ? "pass" : ["plain notNamed"]);
    }),
  );
});

test("a missing answer or an unavailable server is never a finding, whatever rows exist", () => {
  assert(
    property(
      constantFrom(...kinds),
      subarray([1, 2, 3, 5, 6]),
      constantFrom(nothing(), { ...nothing("unavailable"), status: 503 }),
      (kind, done, said) => {
        expect(names(seen({ [kind]: { said, done } }))).toBe("unknown");
      },
    ),
  );
});

test("a server error and a rate limit allow anything, other errors do not", () => {
  const judge = (said: object, done: number[] | null = [1, 5]): string[] =>
    judged(batchStopsAtFailure, seen({ plain: { said: { ...refusal, ...said }, done } }));
  expect(judge({ status: 499 })).toEqual([
    expect.stringMatching(/^ranOn: plain: .*"done":\[5\]/),
    expect.stringMatching(/^undone: plain: .*"done":\[1\]/),
  ]);
  for (const said of [
    { status: 500, kind: "unsure" },
    { status: null, kind: "unsure" },
    { why: "rate", status: 429 },
  ])
    expect(judge(said)).toEqual([expect.stringMatching(/^unknown: plain/)]);
  expect(judge({}, null)).toEqual(["unknown: plain: the rows could not be read"]);
});

test("the failing statement itself is neither before nor after", () => {
  expect(judged(batchStopsAtFailure, seen({ plain: { done: [1, 2, 3, 4] } }))).toEqual([
    expect.stringMatching(/^pass/),
  ]);
  expect(judged(batchStopsAtFailure, seen({ plain: { done: [1, 2, 4] } }))).toEqual([
    'undone: plain: {"batch":"plain","done":[1,2]}',
  ]);
});
