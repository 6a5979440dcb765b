import fc from "fast-check";
import { expect, test } from "vitest";
import { lastWrites, precedes, readsIn, writesIn, type Operation } from "./history.ts";

const operation = fc
  .record({
    client: fc.nat(3),
    statement: fc.nat(99),
    invokedAt: fc.nat(50),
    tookMs: fc.integer({ min: 1, max: 20 }),
    outcome: fc.constantFrom("ok", "ok", "refused", "unsure"),
    kind: fc.constantFrom("read", "insert", "update", "delete"),
    key: fc.nat(4).map(String),
  })
  .map(({ tookMs, kind, ...rest }): Operation => {
    const sent = { ...rest, dueAt: rest.invokedAt, returnedAt: rest.invokedAt + tookMs };
    return kind === "read"
      ? { ...sent, kind, rows: rest.outcome === "ok" ? [] : null }
      : { ...sent, kind, values: { v: rest.statement } };
  });
const operations = fc.array(operation, { maxLength: 30 });

test("each operation is a read or a write, and keeps its place among its like", () => {
  fc.assert(
    fc.property(operations, (all) => {
      const [reads, writes] = [readsIn(all), writesIn(all)];
      expect(all.map((one) => (one.kind === "read" ? reads.shift() : writes.shift()))).toEqual(all);
      expect([reads, writes]).toEqual([[], []]);
    }),
  );
});

test("the real-time order is strict and transitive, and an unsure operation precedes none", () => {
  fc.assert(
    fc.property(operation, operation, operation, (a, b, c) => {
      expect(precedes(a, a)).toBe(false);
      if (precedes(a, b)) expect(precedes(b, a)).toBe(false);
      if (precedes(a, b) && precedes(b, c)) expect(precedes(a, c)).toBe(true);
      expect(precedes({ ...a, outcome: "unsure" }, b)).toBe(false);
    }),
  );
});

test("the last write of a key is the last that was not refused", () => {
  fc.assert(
    fc.property(operations, (all) => {
      const writes = writesIn(all);
      const last = lastWrites(writes);
      for (const key of ["0", "1", "2", "3", "4"])
        expect(last.get(key)).toBe(writes.findLast((one) => one.key === key && one.outcome !== "refused"));
    }),
  );
});
