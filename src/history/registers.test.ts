import fc from "fast-check";
import { expect, test } from "vitest";
import { legalRuns, manyOperations, patient, plans, play, type Plan, veryPatient } from "./legal-histories.ts";
import { cellText } from "../wire/json.ts";
import { precedes, type Operation, type Read, type Write } from "./history.ts";
import { judgeRegisters } from "./registers.ts";

type What = { readonly kind: "update" | "read"; readonly key: string };
const initial = (key: string): Write => ({
  client: 99,
  statement: -1,
  dueAt: -10,
  invokedAt: -10,
  returnedAt: -9,
  outcome: "ok",
  kind: "insert",
  key,
  values: { v: `first of ${key}` },
});
const keys = ["1", "2"];

const what: fc.Arbitrary<What> = fc.record({
  kind: fc.constantFrom("update" as const, "read" as const),
  key: fc.constantFrom(...keys),
});

/** Some updates are refused. Values are the number of the step, so that they never repeat. */
function historyOf(plan: Plan<What>, refuse: ReadonlySet<number>): Operation[] {
  const store = new Map(keys.map((key) => [key, `first of ${key}`]));
  let step = 0;
  const numbered = plan.map((steps) =>
    steps.map((one) => ({ ...one, what: { ...one.what, value: `v${(step += 1)}` } })),
  );
  const played = play(numbered, ({ kind, key, value }) => {
    if (kind === "read") return { result: store.get(key) ?? "" };
    if (refuse.has(Number(value.slice(1)))) return { result: "", refused: true };
    store.set(key, value);
    return { result: "" };
  });
  return [
    ...keys.map(initial),
    ...played.map(({ what: { kind, key, value }, result, ...sent }): Operation =>
      kind === "read"
        ? { ...sent, kind, key, rows: result === null ? null : [{ id: key, v: result }] }
        : { ...sent, kind, key, values: { v: value } },
    ),
  ];
}

const histories = fc
  .tuple(plans(what), fc.uniqueArray(fc.nat(40), { maxLength: 4 }))
  .map(([plan, refused]) => historyOf(plan, new Set(refused)));

const read = (at: number, v: string, change: Partial<Read> = {}): Read => ({
  ...initial("1"),
  invokedAt: at,
  returnedAt: at + 1,
  kind: "read",
  rows: [{ id: "1", v }],
  ...change,
});
const write = (at: number, v: string, change: Partial<Write> = {}): Write => ({
  ...initial("1"),
  invokedAt: at,
  returnedAt: at + 1,
  kind: "update",
  values: { v },
  ...change,
});
const kindsOf = (operations: readonly Operation[]): string[] => judgeRegisters(operations, "v").map(({ kind }) => kind);

test("no false alarm", patient, () => {
  fc.assert(
    fc.property(histories, (history) => {
      expect(judgeRegisters(history, "v")).toEqual([]);
    }),
    { numRuns: legalRuns },
  );
});

/** Whether the operations of one register can be put in an order that keeps real time and in which every read is right. */
function isLinearizable(left: readonly Operation[], value: string | null): boolean {
  if (left.every(({ outcome }) => outcome === "unsure")) return true;
  return left.some((next) => {
    if (left.some((other) => precedes(other, next))) return false;
    const rest = left.filter((one) => one !== next);
    if (next.kind !== "read") return isLinearizable(rest, cellText(next.values["v"]));
    return next.rows?.[0]?.["v"] === value && isLinearizable(rest, value);
  });
}

test("the verdict is that of trying every order", patient, () => {
  const operation = fc.record({
    kind: fc.constantFrom("read" as const, "read" as const, "update" as const),
    at: fc.nat(20),
    took: fc.integer({ min: 1, max: 8 }),
    seen: fc.nat(3),
    unsure: fc.integer({ min: 1, max: 6 }).map((n) => n === 1),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 7 }), (list) => {
      const history = list.map(({ kind, at, took, seen, unsure }, n) => {
        const returnedAt = at + took;
        if (kind === "update") return write(at, `v${n}`, { returnedAt, outcome: unsure ? "unsure" : "ok" });
        const values = ["first of 1", ...list.flatMap((one, m) => (one.kind === "update" ? [`v${m}`] : []))];
        return read(at, values[seen % values.length] ?? "", { returnedAt });
      });
      expect(judgeRegisters([initial("1"), ...history], "v").length === 0).toBe(
        isLinearizable([initial("1"), ...history], null),
      );
    }),
    { numRuns: 4_000 },
  );
});

test("a read of what was there before is stale, and says what was newer", patient, () => {
  fc.assert(
    fc.property(histories, fc.nat(), (history, pick) => {
      const overwritten = history.flatMap((old) => {
        if (old.kind === "read" || old.outcome !== "ok") return [];
        const newer = history.find(
          (one) => one.kind === "update" && one.key === old.key && one.outcome === "ok" && precedes(old, one),
        );
        return newer === undefined ? [] : [{ old, newer }];
      });
      fc.pre(overwritten.length > 0);
      const { old, newer } = overwritten[pick % overwritten.length] ?? { old: initial("1"), newer: initial("1") };
      const late = read(newer.returnedAt + 1, "", { key: old.key, rows: [{ id: old.key, v: old.values["v"] ?? "" }] });
      const found = judgeRegisters([...history, late], "v");
      expect(found.map(({ kind }) => kind)).toContain("stale");
      for (const one of found) {
        // Where the other value was read later still, that read is taken for the stale one.
        const value = (operation: Operation) =>
          (operation.kind === "read" ? operation.rows?.[0] : operation.values)?.["v"];
        if (one.kind !== "stale") throw new Error(one.kind);
        expect([value(one.write), value(one.newer)]).toContain(old.values["v"]);
        expect(value(one.read)).toBe(one.write.values["v"]);
        expect(precedes(one.newer, one.read)).toBe(true);
      }
    }),
  );
});

test("values from nowhere, of refused writes and from the future are named", () => {
  const refused = write(5, "no", { outcome: "refused" });
  expect(kindsOf([initial("1"), read(1, "never")])).toEqual(["garbage"]);
  expect(kindsOf([initial("1"), read(1, "", { rows: [] })])).toEqual(["garbage"]);
  expect(kindsOf([initial("1"), read(1, "", { rows: [{ v: "first of 1" }, { v: "first of 1" }] })])).toEqual([
    "garbage",
  ]);
  expect(kindsOf([initial("1"), refused, read(9, "no")])).toEqual(["aborted"]);
  expect(kindsOf([initial("1"), read(1, "a"), write(5, "a")])).toEqual(["future"]);
  expect(kindsOf([initial("1"), read(1, "a", { key: "2" }), write(0, "a"), initial("2")])).toEqual(["garbage"]);
});

test("an unsure write may take effect late, or never, and not twice", () => {
  const unsure = write(1, "a", { outcome: "unsure" });
  const first = "first of 1";
  expect(kindsOf([initial("1"), unsure, read(9, first), read(20, first)])).toEqual([]);
  expect(kindsOf([initial("1"), unsure, read(9, first), read(20, "a")])).toEqual([]);
  expect(kindsOf([initial("1"), unsure, read(9, "a"), read(20, first)])).toEqual(["stale"]);
  expect(kindsOf([initial("1"), unsure, read(9, "a"), write(12, "b"), read(15, "b"), read(20, "a")])).toEqual([
    "stale",
  ]);
});

test("reads that go back and forth between two concurrent writes are stale", () => {
  const [a, b] = [write(1, "a", { returnedAt: 50 }), write(1, "b", { returnedAt: 50 })];
  expect(kindsOf([a, b, read(5, "a"), read(10, "b")])).toEqual([]);
  expect(kindsOf([a, b, read(5, "a"), read(10, "b"), read(15, "a")])).toEqual(["stale"]);
});

test("a value that is written twice is an error of the workload", () => {
  expect(() => judgeRegisters([initial("1"), write(1, "a"), write(5, "a")], "v")).toThrow(/written twice/);
});

test("a hundred thousand operations are judged, and the one that is wrong is found", veryPatient, () => {
  const history = Array.from({ length: manyOperations }, (_, n): Operation => {
    // Two clients take turns: a write, then a read of it that overlaps with the next write.
    const at = 4 * Math.floor(n / 2);
    if (n % 2 === 0) return write(at, `v${n}`, { returnedAt: at + 2 });
    return read(at + 3, n === 60_001 ? "v59000" : `v${n - 1}`, { returnedAt: at + 5 });
  });
  expect(judgeRegisters(history, "v").length).toBeGreaterThan(0);
  expect(new Set(judgeRegisters(history, "v").map((one) => one.read.invokedAt))).toEqual(new Set([4 * 30_000 + 3]));
  expect(judgeRegisters(history.slice(0, 60_000), "v")).toEqual([]);
});
