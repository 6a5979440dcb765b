import * as fc from "fast-check";
import { expect, test } from "vitest";
import { yes } from "../../vocabulary/evidence.ts";
import { predicatesPartitionRows } from "./index.ts";

const rowCount = 40;
const everything = String(2n ** BigInt(rowCount) - 1n);
const flushed = { said: yes("Job ID: FL-1"), job: "FL-1", status: "completed" };

type Ids = readonly number[];
const part = (ids: Ids) => ({
  count: String(ids.length),
  mask: String(ids.reduce((sum, id) => sum + 2n ** BigInt(id), 0n)),
});

/** The value of a predicate for each row: false, true, unknown. */
const truths = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: rowCount, maxLength: rowCount });
const idsOf = (truth: Ids, value: number): number[] => truth.flatMap((one, id) => (one === value ? [id] : []));
const partsOf = (truth: Ids) => ({
  yes: part(idsOf(truth, 1)),
  no: part(idsOf(truth, 0)),
  null: part(idsOf(truth, 2)),
  seen: part(idsOf(truth, 1)),
});
const seenOf = (all: readonly Ids[], after = all) => ({
  asked: all.map((truth, at) => ({
    predicate: `(i = ${at})`,
    before: partsOf(truth),
    after: partsOf(after[at] ?? truth),
    refusal: "",
    exchanges: [at],
  })),
  all: [everything, everything],
  flushed,
});
const histories = fc.array(truths, { minLength: 20, maxLength: 30 });
const judged = (seen: ReturnType<typeof seenOf>) => predicatesPartitionRows.judge(seen, {});

test("correctly split rows pass, whatever the predicates mean", () => {
  fc.assert(
    fc.property(histories, (all) => {
      expect(judged(seenOf(all)).kind).not.toBe("fail");
    }),
  );
});

test("a row that is lost, added or moved in one part is found, and the predicate named", () => {
  const which = fc.record({
    at: fc.integer({ min: 0, max: 19 }),
    row: fc.integer({ min: 0, max: rowCount - 1 }),
    phase: fc.constantFrom("before" as const, "after" as const),
    form: fc.constantFrom("yes" as const, "no" as const, "null" as const, "seen" as const),
  });
  fc.assert(
    fc.property(histories, which, (all, { at, row, phase, form }) => {
      const seen = seenOf(all);
      const parts = seen.asked[at]?.[phase];
      if (parts === undefined) throw new Error("no such predicate");
      const bit = 2n ** BigInt(row);
      const has = (BigInt(parts[form].mask) & bit) !== 0n;
      parts[form] = {
        count: String(Number(parts[form].count) + (has ? -1 : 1)),
        mask: String(BigInt(parts[form].mask) + (has ? -bit : bit)),
      };
      const verdict = judged(seen);
      expect(new Set(verdict.kind === "fail" ? verdict.found.map((found) => found.case) : [])).toEqual(
        new Set([`(i = ${at})`]),
      );
    }),
  );
});

test("a row that a flush moves to another part is found", () => {
  fc.assert(
    fc.property(
      histories,
      fc.integer({ min: 0, max: 19 }),
      fc.integer({ min: 0, max: rowCount - 1 }),
      (all, at, row) => {
        const after = all.map((truth, index) =>
          truth.map((one, id) => (index === at && id === row ? (one + 1) % 3 : one)),
        );
        const verdict = judged(seenOf(all, after));
        expect(verdict.kind === "fail" ? verdict.found.map(({ name }) => name) : []).toEqual(["changedByFlush"]);
      },
    ),
  );
});
