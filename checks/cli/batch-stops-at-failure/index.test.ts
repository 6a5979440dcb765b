import { assert, constantFrom, integer, property, subarray } from "fast-check";
import { expect, test } from "vitest";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { batchStopsAtFailure } from "./index.ts";

const kinds = ["plain", "unreadable", "transaction", "unreadable transaction"] as const;
const refusal = no("SQL_EXECUTION_ERROR", "Statement 4 failed: Primary key violation", "batchPart");
const seen = (change: { readonly [kind: string]: object } = {}) => ({
  made: yes(),
  batches: kinds.map((kind) => ({ kind, said: refusal, done: kind === "plain" ? [1, 2, 3] : [], ...change[kind] })),
});
const names = (evidence: ReturnType<typeof seen>): readonly string[] | string => {
  const verdict = batchStopsAtFailure.judge(evidence, {});
  return verdict.kind === "fail" ? verdict.found.map((found) => `${found.case} ${found.name}`) : verdict.kind;
};

test("whatever the words of the refusal are, as long as the number is in them", () => {
  assert(
    property(constantFrom("Statement 4 failed: x", "failed at statement 4", "error (statement 4)"), (message) => {
      expect(names(seen({ plain: { said: { ...refusal, message } } }))).toBe("pass");
    }),
  );
});

test("each set of rows that a plain batch may not leave is named", () => {
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

test("any row of a batch that should leave none is named", () => {
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

test("another number is not the right one", () => {
  assert(
    property(integer({ min: 1, max: 60 }), (number) => {
      const said = { ...refusal, message: `Statement ${number} failed: x` };
      expect(names(seen({ plain: { said } }))).toEqual(number === 4 ? "pass" : ["plain notNamed"]);
    }),
  );
});

test("no answer and an unavailable server are never a finding, whatever is there", () => {
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
