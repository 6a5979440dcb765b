import { assert, constantFrom, integer, property, shuffledSubarray } from "fast-check";
import { expect, test } from "vitest";
import { longResultComplete } from "./index.ts";
import { judged } from "../../vocabulary/evidence.ts";

const up = Array.from({ length: 120 }, (_, at) => at + 1);
const evidence = (ids: readonly number[]) => ({
  asked: ["as many as there are", "from the end", "more than there are"].map((query) => ({
    query,
    ids: query === "from the end" ? up.toReversed() : query === "more than there are" ? ids : up,
    changed: [],
    outcome: "200 success",
    exchange: 1,
  })),
});

test("a complete result without ORDER BY passes in any order", () => {
  assert(
    property(shuffledSubarray(up, { minLength: up.length }), (ids) => {
      expect(longResultComplete.judge(evidence(ids), {}).kind).toBe("pass");
    }),
  );
});

test("a missing, duplicate or unknown row is reported by name", () => {
  const at = integer({ min: 0, max: up.length - 1 });
  assert(
    property(
      shuffledSubarray(up, { minLength: up.length }),
      at,
      constantFrom("missing", "doubled", "strange"),
      (ids, where, how) => {
        const broken =
          how === "missing"
            ? ids.toSpliced(where, 1)
            : ids.toSpliced(where, 0, how === "doubled" ? (ids[0] ?? 1) : 1000 + where);
        const verdict = longResultComplete.judge(evidence(broken), {});
        expect(verdict.kind === "fail" ? verdict.found.map((found) => found.name) : verdict.kind).toEqual([
          how === "missing" ? "missing" : "doubled",
        ]);
      },
    ),
  );
});

test("a result that was not read is no empty one", () => {
  const [first, ...rest] = evidence(up).asked;
  if (first === undefined) throw new Error("no queries");
  expect(judged(longResultComplete, { asked: [{ ...first, ids: null, outcome: "timeout" }, ...rest] })).toEqual([
    "unknown: as many as there are: timeout",
  ]);
});

test("ids outside of those written are told, at most ten, and are not misplaced for being equal", () => {
  const [first, ...rest] = evidence(up).asked;
  if (first === undefined) throw new Error("no queries");
  const having = (more: readonly number[]): string[] =>
    judged(longResultComplete, { asked: [{ ...first, ids: more }, ...rest] });
  expect(having([0, ...up])).toEqual(['doubled: as many as there are: {"query":"as many as there are","ids":[0]}']);
  expect(having([...up, 121])).toEqual([expect.stringContaining('"ids":[121]')]);
  expect(having([...up, 120])).toEqual([expect.stringContaining('"ids":[120]')]);
  const many = Array.from({ length: 12 }, (_, at) => 200 + at);
  expect(having([...up, ...many])).toEqual([
    expect.stringContaining('"ids":[200,201,202,203,204,205,206,207,208,209]'),
  ]);
});
