import fc from "fast-check";
import { expect, test } from "vitest";
import { after, legalRuns, manyOperations, patient, plans, play, type Plan, veryPatient } from "./legal-histories.ts";
import type { Operation, Values, Write } from "./history.ts";
import { judgeWinners } from "./winner.ts";

type What = { readonly kind: "insert"; readonly key: string; readonly mark: number } | { readonly kind: "read" };

const what: fc.Arbitrary<What> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("insert" as const), key: fc.nat(3).map(String), mark: fc.nat() }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "read" as const }) },
);

function historyOf(plan: Plan<What>): Operation[] {
  const store = new Map<string, Values>();
  let step = 0;
  const marked = plan.map((steps) => steps.map((one) => ({ ...one, what: { ...one.what, mark: (step += 1) } })));
  const played = play(marked, (one) => {
    if (one.kind === "read") return { result: [...store.values()] };
    if (store.has(one.key)) return { result: [], refused: true };
    store.set(one.key, { id: one.key, mark: one.mark });
    return { result: [] };
  });
  const operations = played.map(({ what: one, result, ...sent }): Operation =>
    one.kind === "read"
      ? { ...sent, kind: "read", key: null, rows: result }
      : { ...sent, kind: "insert", key: one.key, values: { mark: one.mark } },
  );
  return [...operations, { ...after(played), kind: "read", key: null, rows: [...store.values()] }];
}

const histories = plans(what).map(historyOf);
const kindsOf = (operations: readonly Operation[]): string[] => judgeWinners(operations, "id").map(({ kind }) => kind);

test("no false alarm", patient, () => {
  fc.assert(
    fc.property(histories, (history) => {
      expect(judgeWinners(history, "id")).toEqual([]);
    }),
    { numRuns: legalRuns },
  );
});

/** A refused insert of a key that has a winner. */
function loserIn(history: readonly Operation[], pick: number): Write | undefined {
  const losers = history.filter(
    (one): one is Write =>
      one.kind === "insert" &&
      one.outcome === "refused" &&
      history.some((other) => other.kind === "insert" && other.key === one.key && other.outcome === "ok"),
  );
  return losers[pick % Math.max(1, losers.length)];
}

test("a second acknowledgement of a key is named", patient, () => {
  fc.assert(
    fc.property(histories, fc.nat(), (history, pick) => {
      const loser = loserIn(history, pick);
      fc.pre(loser !== undefined);
      const two = history.map((one) => (one === loser ? { ...loser, outcome: "ok" as const } : one));
      expect(judgeWinners(two, "id")).toEqual([
        { kind: "severalWinners", key: loser.key, rows: 1, winners: expect.any(Array) },
      ]);
    }),
  );
});

test("values of a loser, and a row that is gone, are the wrong survivor", patient, () => {
  fc.assert(
    fc.property(histories, fc.nat(), fc.boolean(), (history, pick, isGone) => {
      const loser = loserIn(history, pick);
      fc.pre(loser !== undefined);
      const row = isGone ? null : { id: loser.key, ...loser.values };
      const final = history.at(-1);
      fc.pre(final?.kind === "read");
      const rows = (final.rows ?? []).flatMap((one) => (one["id"] !== loser.key ? [one] : row === null ? [] : [row]));
      const found = judgeWinners([...history.slice(0, -1), { ...final, rows }], "id");
      expect(found).toMatchObject([{ kind: "wrongSurvivor", key: loser.key, row, winner: { outcome: "ok" } }]);
    }),
  );
});

const sent = { client: 1, statement: 1, dueAt: 0, kind: "insert", key: "1" } as const;
const insert = (at: number, mark: string, outcome: Write["outcome"]): Write => ({
  ...sent,
  invokedAt: at,
  returnedAt: at + 5,
  outcome,
  values: { mark },
});
const final = (...marks: string[]): Operation => ({
  ...insert(50, "", "ok"),
  kind: "read",
  key: null,
  rows: marks.map((mark) => ({ id: 1, mark })),
});

test("a key that was refused to all has no winner, and neither has one that was refused too early", () => {
  expect(kindsOf([insert(0, "a", "refused"), insert(1, "b", "refused"), final()])).toEqual(["noWinner"]);
  expect(kindsOf([insert(0, "a", "refused"), insert(9, "b", "ok"), final("b")])).toEqual(["noWinner"]);
  expect(kindsOf([insert(0, "a", "refused"), insert(3, "b", "ok"), final("b")])).toEqual([]);
  expect(kindsOf([insert(0, "a", "refused"), final("a")])).toEqual(["noWinner", "wrongSurvivor"]);
});

test("an unsure insert may have won where none was acknowledged", () => {
  const unsure = insert(0, "u", "unsure");
  expect(kindsOf([unsure, insert(1, "b", "refused"), final("u")])).toEqual([]);
  expect(kindsOf([unsure, insert(1, "b", "refused"), final()])).toEqual(["wrongSurvivor"]);
  expect(kindsOf([unsure, final()])).toEqual([]);
  expect(kindsOf([unsure, final("u")])).toEqual([]);
  expect(kindsOf([unsure, insert(1, "b", "ok"), final("u")])).toEqual(["wrongSurvivor"]);
});

test("a key that is there already has its winner, and two rows of it are two", () => {
  const later = { ...insert(60, "b", "refused"), statement: 3 };
  expect(kindsOf([insert(0, "a", "ok"), final("a"), later])).toEqual([]);
  expect(kindsOf([insert(0, "a", "ok"), final("a"), { ...later, outcome: "ok" }])).toEqual(["severalWinners"]);
  expect(kindsOf([insert(0, "a", "ok"), final("a", "a")])).toEqual(["severalWinners"]);
});

test("a hundred thousand operations are judged, and the one that is wrong is found", veryPatient, () => {
  const each = 8;
  const history = Array.from({ length: manyOperations }, (_, n): Operation => {
    const key = String(Math.floor(n / each));
    return { ...insert(10 * Math.floor(n / each), `m${n}`, n % each === 3 || n === 800 ? "ok" : "refused"), key };
  });
  const rows = Array.from({ length: manyOperations / each }, (_, key) => ({ id: key, mark: `m${key * each + 3}` }));
  const read: Operation = { ...insert(10 * manyOperations, "", "ok"), kind: "read", key: null, rows };
  expect(judgeWinners([...history, read], "id")).toMatchObject([{ kind: "severalWinners", key: "100" }]);
});
