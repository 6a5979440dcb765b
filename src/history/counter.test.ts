import fc from "fast-check";
import { expect, test } from "vitest";
import { after, legalRuns, manyOperations, patient, plans, play, type Plan, veryPatient } from "./legal-histories.ts";
import { judgeCounter } from "./counter.ts";
import type { Operation, Write } from "./history.ts";

type What = { readonly kind: "update" | "read"; readonly by: number };
const what: fc.Arbitrary<What> = fc.record({
  kind: fc.constantFrom("update" as const, "update" as const, "read" as const),
  by: fc.integer({ min: 1, max: 5 }),
});
const model = { column: "n", initial: 7, amountOf: ({ values }: Write) => Number(values["by"]) };

/** Values come as text, as 64-bit integers do. */
function historyOf(plan: Plan<What>): Operation[] {
  let n = model.initial;
  const played = play(plan, ({ kind, by }) => {
    if (kind === "read") return { result: n };
    if (by === 5) return { result: n, refused: true };
    n += by;
    return { result: n };
  });
  const operations = played.map(({ what: { kind, by }, result, ...sent }): Operation =>
    kind === "read"
      ? { ...sent, kind, key: "1", rows: result === null ? null : [{ n: String(result) }] }
      : { ...sent, kind, key: "1", values: { by } },
  );
  return [...operations, { ...after(played), kind: "read", key: "1", rows: [{ n: String(n) }] }];
}

const histories = plans(what).map(historyOf);

function ending(history: readonly Operation[], change: (n: number) => number | null): Operation[] {
  return history.map((one, at) =>
    at === history.length - 1 && one.kind === "read"
      ? { ...one, rows: [{ n: change(Number(one.rows?.[0]?.["n"])) }] }
      : one,
  );
}
const kindsOf = (operations: readonly Operation[]): string[] => judgeCounter(operations, model).map(({ kind }) => kind);
const isAdd = (one: Operation): one is Write => one.kind !== "read";

test("no false alarm", patient, () => {
  fc.assert(
    fc.property(histories, (history) => {
      expect(judgeCounter(history, model)).toEqual([]);
    }),
    { numRuns: legalRuns },
  );
});

test("an acknowledged increment that does not count is lost, one that counts twice is unexpected", patient, () => {
  fc.assert(
    fc.property(plans(what, { calm: true }).map(historyOf), fc.nat(), (history, pick) => {
      const added = history.filter((one) => isAdd(one) && one.outcome === "ok").filter(isAdd);
      fc.pre(added.length > 0);
      const by = Number(added[pick % added.length]?.values["by"]);
      expect(kindsOf(ending(history, (n) => n - by))).toContain("lost");
      expect(kindsOf(ending(history, (n) => n + by))).toEqual(["unexpected"]);
    }),
  );
});

test("a read below an earlier one went back, even between the bounds", () => {
  const sent = { client: 1, statement: 1, dueAt: 0, invokedAt: 0, returnedAt: 99, outcome: "ok", key: "1" } as const;
  const add: Operation = { ...sent, kind: "update", values: { by: 2 } };
  const read = (at: number, n: number | null): Operation => ({
    ...sent,
    kind: "read",
    invokedAt: at,
    returnedAt: at + 5,
    rows: [{ n }],
  });
  expect(judgeCounter([add, read(10, 9), read(20, 7)], model)).toMatchObject([
    { kind: "wentBack", value: 7, bound: 9, read: { invokedAt: 20 } },
  ]);
  expect(kindsOf([add, read(10, 9), read(13, 7)])).toEqual([]);
  expect(kindsOf([{ ...add, outcome: "unsure" }, read(110, 7), read(120, 9)])).toEqual([]);
  expect(kindsOf([{ ...add, outcome: "refused" }, read(110, 9)])).toEqual(["unexpected"]);
  expect(kindsOf([read(10, null)])).toEqual(["unexpected"]);
});

test("a hundred thousand operations are judged, and the one that is wrong is found", veryPatient, () => {
  const history = Array.from({ length: manyOperations }, (_, n): Operation => {
    const sent = { client: n % 9, statement: n, dueAt: n, invokedAt: n, returnedAt: n + 8, outcome: "ok" } as const;
    if (n % 2 === 0) return { ...sent, kind: "insert", key: String(n), values: { by: 1 } };
    return { ...sent, kind: "read", key: null, rows: [{ n: model.initial + (n === 70_001 ? 3 : (n + 1) / 2) }] };
  });
  expect(judgeCounter(history, model)).toMatchObject([
    { kind: "lost", read: { statement: 70_001 } },
    { kind: "wentBack", read: { statement: 70_001 } },
  ]);
});
