import fc from "fast-check";
import { expect, test } from "vitest";
import { manyOperations, veryPatient } from "./legal-histories.ts";
import type { Operation } from "./history.ts";
import { overlapOf } from "./overlap.ts";

const operation = fc
  .record({ at: fc.nat(40), took: fc.integer({ min: 1, max: 15 }), key: fc.nat(2).map(String), statement: fc.nat(30) })
  .map(({ at, took, key, statement }): Operation => ({
    client: 0,
    statement,
    dueAt: at,
    invokedAt: at,
    returnedAt: at + took,
    outcome: "ok",
    kind: "insert",
    key,
    values: {},
  }));
const operations = fc.uniqueArray(operation, { selector: ({ statement }) => statement, maxLength: 25 });

/** Counted at the middle of every millisecond. */
function counted(list: readonly Operation[]): number {
  const at = (moment: number): number =>
    list.filter(({ invokedAt, returnedAt }) => invokedAt < moment && moment < returnedAt).length;
  return Math.max(0, ...Array.from({ length: 60 }, (_, ms) => at(ms + 0.5)));
}

test("the most in flight is what counting at each moment gives, for all and for each key", () => {
  fc.assert(
    fc.property(operations, (list) => {
      const { requests, byKey } = overlapOf(list);
      expect(requests).toBe(counted(list));
      for (const [key, most] of byKey) expect(most).toBe(counted(list.filter((one) => one.key === key)));
    }),
  );
});

test("rows of one request are one request, and a read of many rows is for no key", () => {
  const one: Operation = {
    client: 0,
    statement: 4,
    dueAt: 1,
    invokedAt: 1,
    returnedAt: 5,
    outcome: "ok",
    kind: "insert",
    key: "1",
    values: {},
  };
  const read: Operation = { ...one, statement: 5, kind: "read", key: null, rows: [] };
  const { requests, byKey } = overlapOf([one, { ...one, key: "2" }, read]);
  expect([requests, ...byKey]).toEqual([2, ["1", 1], ["2", 1]]);
  expect(overlapOf([]).requests).toBe(0);
});

test("a hundred thousand requests are counted", veryPatient, () => {
  const list = Array.from({ length: manyOperations }, (_, n): Operation => ({
    client: n % 7,
    statement: n,
    dueAt: n,
    invokedAt: n,
    returnedAt: n + 6.5,
    outcome: "ok",
    kind: "read",
    key: String(n % 10),
    rows: [],
  }));
  expect(overlapOf(list).requests).toBe(7);
});
