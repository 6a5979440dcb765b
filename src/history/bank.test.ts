import fc from "fast-check";
import { expect, test } from "vitest";
import { after, legalRuns, manyOperations, patient, plans, play, type Plan, veryPatient } from "./legal-histories.ts";
import { judgeBank } from "./bank.ts";
import type { Operation, Read, Values } from "./history.ts";

const keys = ["a", "b", "c"];
const model = { keyColumn: "id", balanceColumn: "money", keys, total: 300 };
type What = { readonly from: string; readonly to: string; readonly amount: number } | "read";

const what: fc.Arbitrary<What> = fc.oneof(
  fc.constant("read" as const),
  fc.record({ from: fc.constantFrom(...keys), to: fc.constantFrom(...keys), amount: fc.integer({ min: 1, max: 9 }) }),
);

function historyOf(plan: Plan<What>): Operation[] {
  const bank = new Map(keys.map((key) => [key, 100]));
  const rows = (): Values[] => [...bank].map(([id, money]) => ({ id, money: String(money) }));
  const played = play(plan, (one) => {
    if (one === "read") return { result: rows() };
    const { from, to, amount } = one;
    bank.set(from, (bank.get(from) ?? 0) - amount);
    bank.set(to, (bank.get(to) ?? 0) + amount);
    return { result: [] };
  });
  const operations = played.map(({ what: one, result, ...sent }): Operation =>
    one === "read"
      ? { ...sent, kind: "read", key: null, rows: result }
      : { ...sent, kind: "update", key: one.from, values: { amount: one.amount } },
  );
  return [...operations, { ...after(played), kind: "read", key: null, rows: rows() }];
}

const histories = plans(what).map(historyOf);

test("no false alarm", patient, () => {
  fc.assert(
    fc.property(histories, (history) => {
      expect(judgeBank(history, model)).toEqual([]);
    }),
    { numRuns: legalRuns },
  );
});

test("a read of half a transfer is named with its sum, and whether it stays so", patient, () => {
  fc.assert(
    fc.property(histories, fc.nat(), fc.integer({ min: 1, max: 9 }), (history, pick, amount) => {
      const reads = history.filter((one): one is Read => one.kind === "read" && one.rows !== null);
      const torn = reads[pick % reads.length];
      fc.pre(torn?.rows !== undefined);
      const rows = (torn.rows ?? []).map((row, at) =>
        at === 0 ? { ...row, money: Number(row["money"]) - amount } : row,
      );
      const isLast = torn === history.at(-1);
      const isSure = history.every((one) => one.kind === "read" || one.outcome !== "unsure");
      const found = judgeBank(
        history.map((one) => (one === torn ? { ...torn, rows } : one)),
        model,
      );
      expect(found).toMatchObject([{ kind: "wrongTotal", total: 300 - amount }]);
      if (isLast) expect(found).toMatchObject([{ settled: isSure }]);
    }),
  );
});

test("rows that are missing, twice there, of nobody or without a number are named", () => {
  const read = (...rows: Values[]): Operation => ({ ...after([]), kind: "read", key: null, rows });
  const row = (id: string, money: number | null = 100): Values => ({ id, money });
  const keysIn = (operation: Operation): unknown[] =>
    judgeBank([operation], model).map((one) => ("keys" in one ? [one.kind, ...one.keys] : one));
  expect(keysIn(read(row("a"), row("b"), row("c")))).toEqual([]);
  expect(keysIn(read(row("a"), row("b")))).toEqual([["wrongKeys", "c"]]);
  expect(keysIn(read(row("a"), row("b"), row("b"), row("c")))).toEqual([["wrongKeys", "b"]]);
  expect(keysIn(read(row("a"), row("b"), row("c"), row("x")))).toEqual([["wrongKeys", "x"]]);
  expect(keysIn(read(row("a"), row("b"), row("c", null)))).toEqual([["noNumber", "c"]]);
});

test("a hundred thousand operations are judged, and the one that is wrong is found", veryPatient, () => {
  const history = Array.from({ length: manyOperations }, (_, n): Operation => {
    const sent = { client: n % 9, statement: n, dueAt: n, invokedAt: n, returnedAt: n + 8, outcome: "ok" } as const;
    if (n % 2 === 0) return { ...sent, kind: "update", key: "a", values: {} };
    const money = n === 70_001 ? 101 : 100;
    return { ...sent, kind: "read", key: null, rows: keys.map((id) => ({ id, money: id === "b" ? money : 100 })) };
  });
  expect(judgeBank(history, model)).toMatchObject([{ kind: "wrongTotal", total: 301, read: { statement: 70_001 } }]);
});
