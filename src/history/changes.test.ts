import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  changesOutOfOrder,
  doubledChanges,
  missingChanges,
  percentile,
  wrongContents,
  type ChangeHistory,
  type RowWrite,
  type ToldChange,
} from "./changes.ts";

interface Step {
  readonly writer: number;
  readonly key: number;
  readonly remove: boolean;
  readonly outcome: RowWrite["outcome"];
  readonly told: boolean;
}

const steps = fc.array(
  fc.record<Step>({
    writer: fc.integer({ min: 0, max: 3 }),
    key: fc.integer({ min: 0, max: 5 }),
    remove: fc.boolean(),
    outcome: fc.constantFrom("ok", "ok", "ok", "ok", "refused", "unsure"),
    told: fc.boolean(),
  }),
  { minLength: 5, maxLength: 80 },
);

/**
 * A history that a correct server could have made: each writer has its own keys, each statement one row. After an unsure
 * write its key is left alone, as our writers do: nobody could say what a further change of it did.
 */
function legal(plan: readonly Step[]): ChangeHistory {
  const rows = new Map<string, { mark: string; n: number | null }>();
  const writes: RowWrite[] = [];
  const told: ToldChange[] = [];
  const open = new Set<string>();
  plan.forEach((step, at) => {
    const key = `${step.writer}${step.key}`;
    if (open.has(key)) return;
    if (step.outcome === "unsure") open.add(key);
    const before = rows.get(key);
    const remove = step.remove && before !== undefined;
    const kind = remove ? "delete" : before === undefined ? "insert" : "update";
    const mark = remove ? before.mark : `m${at}`;
    const n = at % 3 === 0 ? null : at;
    const rest = { n: remove ? before.n : n };
    writes.push({
      statement: at,
      writer: step.writer,
      key,
      kind,
      mark,
      rest,
      outcome: step.outcome,
      from: at,
      to: at + 1,
    });
    // An unsure write took effect or not; where it did, its event may come.
    if (step.outcome === "refused" || (step.outcome === "unsure" && !step.told)) return;
    if (remove) rows.delete(key);
    else rows.set(key, { mark, n });
    // An update leaves its NULL columns out.
    const row = remove ? null : { id: key, mark, ...(n === null && kind === "update" ? {} : { n }) };
    const old = before === undefined ? null : { id: key, mark: before.mark };
    told.push({ kind, row, old, at: at + 2 });
  });
  return {
    keyColumn: "id",
    markColumn: "mark",
    writes,
    told,
    table: [...rows].map(([key, { mark }]) => [key, mark] as const),
  };
}

const judgements = (history: ChangeHistory) => ({
  missing: missingChanges(history).length,
  doubled: doubledChanges(history).length,
  back: changesOutOfOrder(history).length,
  wrong: wrongContents(history).map(({ what }) => what),
});
const nothing = { missing: 0, doubled: 0, back: 0, wrong: [] };

/** A legal history and a change in it that can be corrupted. */
const withVictim = fc.tuple(steps, fc.nat()).map(([plan, pick]) => {
  const history = legal(plan);
  return { history, at: history.told.length === 0 ? -1 : pick % history.told.length };
});

function corrupted(
  history: ChangeHistory,
  at: number,
  corrupt: (change: ToldChange) => readonly ToldChange[],
): ChangeHistory {
  return { ...history, told: history.told.flatMap((change, index) => (index === at ? corrupt(change) : [change])) };
}

const causeOf = (history: ChangeHistory, change: ToldChange): RowWrite | undefined =>
  history.writes.find(
    (write) =>
      write.mark === (change.row ?? change.old)?.["mark"] && (write.kind === "delete") === (change.row === null),
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
  const victims = (judge: (history: ChangeHistory, change: ToldChange, at: number) => void) =>
    fc.assert(
      fc.property(withVictim, ({ history, at }) => {
        const change = history.told[at];
        fc.pre(change !== undefined);
        judge(history, change, at);
      }),
    );

  test("a dropped event of an acknowledged write is missing: on the way, since the table has it", () => {
    victims((history, change, at) => {
      const cause = causeOf(history, change);
      fc.pre(cause?.outcome === "ok");
      const missing = missingChanges(corrupted(history, at, () => []));
      expect(missing.map(({ write, lost }) => [write, lost])).toEqual([[cause, "way"]]);
    });
  });

  test("a dropped event of an unsure write is not", () => {
    victims((history, change, at) => {
      fc.pre(causeOf(history, change)?.outcome === "unsure");
      expect(missingChanges(corrupted(history, at, () => []))).toEqual([]);
    });
  });

  test("an acknowledged write that is neither told nor in the table is lost in the data", () => {
    victims((history, change, at) => {
      const cause = causeOf(history, change);
      const last = history.writes.findLast((write) => write.key === cause?.key && write.outcome !== "refused");
      fc.pre(cause?.outcome === "ok" && last === cause && cause.kind !== "delete");
      const broken = corrupted(history, at, () => []);
      const missing = missingChanges({ ...broken, table: broken.table.filter(([key]) => key !== cause?.key) });
      expect(missing.map(({ lost }) => lost)).toEqual(["data"]);
    });
  });

  test("an event that comes twice is doubled, once and only that", () => {
    victims((history, change, at) => {
      const twice = corrupted(history, at, () => [change, change]);
      expect({ ...judgements(twice), doubled: 0 }).toEqual(nothing);
      expect(doubledChanges(twice)).toEqual([expect.objectContaining({ times: 2 })]);
    });
  });

  test("two changes of one key in the wrong order went back; of different writers they did not", () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (plan, one, other) => {
        const history = legal(plan);
        const { length } = history.told;
        fc.pre(length > 1);
        const [first, second] = [one % length, other % length].toSorted((a, b) => a - b) as [number, number];
        const [a, b] = [history.told[first], history.told[second]];
        fc.pre(a !== undefined && b !== undefined && first + 1 === second);
        const [causeA, causeB] = [causeOf(history, a), causeOf(history, b)];
        const told = [...history.told];
        [told[first], told[second]] = [b, a];
        const back = changesOutOfOrder({ ...history, told });
        if (causeA?.writer === causeB?.writer) {
          expect(back).toEqual([
            { earlier: causeA, later: causeB, within: causeA?.key === causeB?.key ? "key" : "writer" },
          ]);
        } else expect(back).toEqual([]);
      }),
    );
  });

  test("another value, another old value, another kind, an event that nobody caused", () => {
    victims((history, change, at) => {
      const wrong = (corrupt: (one: ToldChange) => ToldChange) =>
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
    const history = legal([{ writer: 0, key: 0, remove: false, outcome: "refused", told: false }]);
    const told = [{ kind: "insert", row: { id: "00", mark: "m0", n: null }, old: null, at: 3 }];
    expect(judgements({ ...history, told }).wrong).toEqual(["row"]);
  });
});

test("a percentile is a value that was measured, by nearest rank", () => {
  const values = Array.from({ length: 100 }, (_, at) => at + 1);
  expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1), percentile([7], 0.99)]).toEqual([
    50, 99, 100, 7,
  ]);
  expect(percentile([], 0.5)).toBeNaN();
});
