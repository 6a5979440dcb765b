import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  changesOutOfOrder,
  delaysOf,
  duplicateChanges,
  missingChanges,
  percentile,
  wrongContents,
  type ChangeHistory,
  type DeliveredChange,
} from "./changes.ts";
import type { Write } from "./history.ts";

interface Step {
  readonly client: number;
  readonly key: number;
  readonly remove: boolean;
  readonly outcome: Write["outcome"];
  readonly delivered: boolean;
}

const steps = fc.array(
  fc.record<Step>({
    client: fc.integer({ min: 0, max: 3 }),
    key: fc.integer({ min: 0, max: 5 }),
    remove: fc.boolean(),
    outcome: fc.constantFrom("ok", "ok", "ok", "ok", "refused", "unsure"),
    delivered: fc.boolean(),
  }),
  { minLength: 5, maxLength: 80 },
);

/**
 * A history that a correct server could have made: each client has its own keys, each statement one row. After an unsure
 * write its key is left alone, as our writers do: what a further change of it did could not be known.
 */
function legal(plan: readonly Step[]): ChangeHistory {
  const rows = new Map<string, { mark: string; n: number | null }>();
  const writes: Write[] = [];
  const delivered: DeliveredChange[] = [];
  const open = new Set<string>();
  plan.forEach((step, at) => {
    const key = `${step.client}${step.key}`;
    if (open.has(key)) return;
    if (step.outcome === "unsure") open.add(key);
    const before = rows.get(key);
    const remove = step.remove && before !== undefined;
    const kind = remove ? "delete" : before === undefined ? "insert" : "update";
    const mark = remove ? before.mark : `m${at}`;
    const n = at % 3 === 0 ? null : at;
    const sent = { client: step.client, statement: at, dueAt: at, invokedAt: at, returnedAt: at + 1 };
    writes.push({ ...sent, key, kind, values: { mark, n: remove ? before.n : n }, outcome: step.outcome });
    // An unsure write took effect or not; where it did, its event may come.
    if (step.outcome === "refused" || (step.outcome === "unsure" && !step.delivered)) return;
    if (remove) rows.delete(key);
    else rows.set(key, { mark, n });
    // An update leaves its NULL columns out.
    const row = remove ? null : { id: key, mark, ...(n === null && kind === "update" ? {} : { n }) };
    const old = before === undefined ? null : { id: key, mark: before.mark };
    delivered.push({ kind, row, old, at: at + 2 });
  });
  return {
    keyColumn: "id",
    markColumn: "mark",
    writes,
    delivered,
    table: [...rows].map(([key, { mark }]) => [key, mark] as const),
  };
}

const judgements = (history: ChangeHistory) => ({
  missing: missingChanges(history).length,
  duplicates: duplicateChanges(history).length,
  outOfOrder: changesOutOfOrder(history).length,
  wrong: wrongContents(history).map(({ what }) => what),
});
const nothing = { missing: 0, duplicates: 0, outOfOrder: 0, wrong: [] };

/** A legal history and a change in it that can be corrupted. */
const withVictim = fc.tuple(steps, fc.nat()).map(([plan, pick]) => {
  const history = legal(plan);
  return { history, at: history.delivered.length === 0 ? -1 : pick % history.delivered.length };
});

function corrupted(
  history: ChangeHistory,
  at: number,
  corrupt: (change: DeliveredChange) => readonly DeliveredChange[],
): ChangeHistory {
  return {
    ...history,
    delivered: history.delivered.flatMap((change, index) => (index === at ? corrupt(change) : [change])),
  };
}

const causeOf = (history: ChangeHistory, change: DeliveredChange): Write | undefined =>
  history.writes.findLast(
    (write) =>
      write.values["mark"] === (change.row ?? change.old)?.["mark"] &&
      (write.kind === "delete") === (change.row === null),
  );

describe("a legal history", () => {
  test("passes every judge, whatever was refused or unsure", () => {
    fc.assert(
      fc.property(steps, (plan) => {
        expect(judgements(legal(plan))).toEqual(nothing);
      }),
    );
  });
});

describe("one corruption is found by its name", () => {
  const victims = (judge: (history: ChangeHistory, change: DeliveredChange, at: number) => void) =>
    fc.assert(
      fc.property(withVictim, ({ history, at }) => {
        const change = history.delivered[at];
        fc.pre(change !== undefined);
        judge(history, change, at);
      }),
    );

  test("a dropped event of an acknowledged write is missing: lost in delivery, since the table has it", () => {
    victims((history, change, at) => {
      const cause = causeOf(history, change);
      fc.pre(cause?.outcome === "ok");
      const missing = missingChanges(corrupted(history, at, () => []));
      expect(missing.map(({ write, lost }) => [write, lost])).toEqual([[cause, "delivery"]]);
    });
  });

  test("is found by one judge and no other", () => {
    const judges = (history: ChangeHistory): number =>
      Object.values(judgements(history)).filter((found) => (typeof found === "number" ? found : found.length) > 0)
        .length;
    victims((history, change, at) => {
      const { kind, row, old } = change;
      if (causeOf(history, change)?.outcome === "ok") expect(judges(corrupted(history, at, () => []))).toBe(1);
      const swapped = corrupted(
        corrupted(history, at, () => []),
        at,
        (next) => [next, change],
      );
      if (at + 1 < history.delivered.length) expect(judges(swapped)).toBe(changesOutOfOrder(swapped).length);
      const wrong = [
        { ...change, kind: kind === "insert" ? "update" : "insert" },
        ...(row === null
          ? []
          : [
              { ...change, row: { ...row, n: -1 } },
              { ...change, row: { ...row, extra: "x" } },
            ]),
      ];
      for (const one of wrong) expect(judges(corrupted(history, at, () => [one]))).toBe(1);
      const foreign = { ...change, row: { id: "99", mark: "from nowhere" } };
      expect(judges(corrupted(history, at, (one) => [one, foreign]))).toBe(1);
      if (kind !== "update") return;
      const otherOld = corrupted(history, at, (one) => [{ ...one, old: { ...old, n: -1 } }]);
      expect([judges(otherOld), judgements(otherOld).wrong]).toEqual([1, ["old"]]);
    });
  });

  test("a dropped event of an unsure write is not", () => {
    victims((history, change, at) => {
      fc.pre(causeOf(history, change)?.outcome === "unsure");
      expect(missingChanges(corrupted(history, at, () => []))).toEqual([]);
    });
  });

  test("an acknowledged write that is neither delivered nor in the table is lost in the data", () => {
    victims((history, change, at) => {
      const cause = causeOf(history, change);
      const last = history.writes.findLast((write) => write.key === cause?.key && write.outcome !== "refused");
      fc.pre(cause?.outcome === "ok" && last === cause && cause.kind !== "delete");
      const broken = corrupted(history, at, () => []);
      const missing = missingChanges({ ...broken, table: broken.table.filter(([key]) => key !== cause?.key) });
      expect(missing.map(({ lost }) => lost)).toEqual(["data"]);
    });
  });

  test("an event that comes twice is a duplicate, once and only that", () => {
    victims((history, change, at) => {
      const twice = corrupted(history, at, () => [change, change]);
      expect({ ...judgements(twice), duplicates: 0 }).toEqual(nothing);
      expect(duplicateChanges(twice)).toEqual([expect.objectContaining({ times: 2 })]);
    });
  });

  test("two changes of one key in the wrong order are out of order; of different clients they are not", () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (plan, one, other) => {
        const history = legal(plan);
        const { length } = history.delivered;
        fc.pre(length > 1);
        const [first, second] = [one % length, other % length].toSorted((a, b) => a - b) as [number, number];
        const [a, b] = [history.delivered[first], history.delivered[second]];
        fc.pre(a !== undefined && b !== undefined && first + 1 === second);
        const [causeA, causeB] = [causeOf(history, a), causeOf(history, b)];
        const delivered = [...history.delivered];
        [delivered[first], delivered[second]] = [b, a];
        const outOfOrder = changesOutOfOrder({ ...history, delivered });
        if (causeA?.client === causeB?.client) {
          expect(outOfOrder).toEqual([
            { earlier: causeA, later: causeB, within: causeA?.key === causeB?.key ? "key" : "client" },
          ]);
        } else expect(outOfOrder).toEqual([]);
      }),
    );
  });

  test("another value, another old value, another kind, an event that no write caused", () => {
    victims((history, change, at) => {
      const wrong = (corrupt: (one: DeliveredChange) => DeliveredChange) =>
        judgements(corrupted(history, at, (one) => [corrupt(one)])).wrong;
      expect(wrong((one) => ({ ...one, kind: one.kind === "insert" ? "update" : "insert" }))).toEqual(["kind"]);
      if (change.row !== null) expect(wrong((one) => ({ ...one, row: { ...one.row, n: -1 } }))).toEqual(["row"]);
      if (change.row !== null) expect(wrong((one) => ({ ...one, row: { ...one.row, extra: "x" } }))).toEqual(["row"]);
      if (change.old !== null)
        expect(
          wrong((one) => ({
            ...one,
            old: { ...one.old, mark: one.row === null ? (one.old?.["mark"] ?? "") : "other", id: "99" },
          })),
        ).toContain("old");
      expect(
        judgements(corrupted(history, at, (one) => [one, { ...one, row: { id: "99", mark: "from nowhere" } }])).wrong,
      ).toEqual(["row"]);
    });
  });

  test("an event of a refused write is wrong", () => {
    const history = legal([{ client: 0, key: 0, remove: false, outcome: "refused", delivered: false }]);
    const delivered = [{ kind: "insert", row: { id: "00", mark: "m0", n: null }, old: null, at: 3 }];
    expect(judgements({ ...history, delivered }).wrong).toEqual(["row"]);
  });
});

describe("delays", () => {
  test("count from when each write was due, whenever it was sent, and once for each event", () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat(5_000), { minLength: 80, maxLength: 80 }), (plan, held) => {
        const history = legal(plan);
        const writes = history.writes.map((write, at) => ({ ...write, dueAt: write.invokedAt - (held[at] ?? 0) }));
        const doubled = history.delivered.flatMap((change) => [change, { ...change, at: change.at + 9_999 }]);
        const { delays, afterAck, expected, missing } = delaysOf({ ...history, writes, delivered: doubled });
        const shown = writes.filter((write) =>
          history.delivered.some((change) => causeOf({ ...history, writes }, change) === write),
        );
        expect(delays).toEqual(shown.map((write) => write.invokedAt + 2 - write.dueAt));
        expect(afterAck).toEqual(shown.map((write) => Math.max(0, write.invokedAt + 2 - write.returnedAt)));
        expect([expected, missing]).toEqual([writes.filter(({ outcome }) => outcome === "ok").length, 0]);
      }),
    );
  });

  test("of events that never came are unknown, and counted", () => {
    fc.assert(
      fc.property(steps, fc.func(fc.boolean()), (plan, isLost) => {
        const history = legal(plan);
        const lost = history.delivered.filter((change) => isLost(change.at));
        const kept = history.delivered.filter((change) => !lost.includes(change));
        const { delays, expected, missing } = delaysOf({ ...history, delivered: kept });
        expect(delays).toHaveLength(kept.length);
        expect(expected).toBe(delaysOf(history).expected);
        expect(missing).toBe(lost.filter((change) => causeOf(history, change)?.outcome === "ok").length);
      }),
    );
  });
});

test("a percentile is a value that was measured, by nearest rank", () => {
  const values = Array.from({ length: 100 }, (_, at) => at + 1);
  expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1), percentile([7], 0.99)]).toEqual([
    50, 99, 100, 7,
  ]);
  expect(percentile([], 0.5)).toBeNaN();
});
