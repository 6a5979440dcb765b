import fc from "fast-check";
import { expect, test } from "vitest";
import { Claims } from "./claims.ts";

interface Message {
  readonly offset: number;
}

const logOf = (length: number) => (from: number, limit: number) =>
  Array.from({ length: Math.max(0, Math.min(limit, length - from)) }, (_, at): Message => ({ offset: from + at }));

const offsets = (messages: readonly Message[]): number[] => messages.map(({ offset }) => offset);

test("what is claimed is not delivered again, and comes back when its claim expires", () => {
  const claims = new Claims(0);
  const take = (now: number, limit = 3): number[] => offsets(claims.take(limit, { now, lastsMs: 100 }, logOf(8)));
  expect(take(0)).toEqual([0, 1, 2]);
  expect(take(50)).toEqual([3, 4, 5]);
  // The first claim has expired, the second one is still held.
  expect(take(100, 5)).toEqual([0, 1, 2]);
  expect(take(101, 5)).toEqual([6, 7]);
  expect(take(102)).toEqual([]);
  claims.acknowledge(5);
  expect(take(10_000)).toEqual([6, 7]);
});

test("an acknowledgement moves on, never back", () => {
  const claims = new Claims(0);
  claims.acknowledge(4);
  claims.acknowledge(1);
  expect(offsets(claims.take(2, { now: 0, lastsMs: 1 }, logOf(8)))).toEqual([5, 6]);
});

test("no offset has two claims, and everything is delivered in the end", () => {
  const step = fc.record({ limit: fc.integer({ min: 1, max: 5 }), waits: fc.integer({ min: 0, max: 60 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 20 }), (steps, length) => {
      const claims = new Claims(0);
      const held = new Map<number, number>();
      const seen = new Set<number>();
      let now = 0;
      const take = (limit: number): number[] => offsets(claims.take(limit, { now, lastsMs: 100 }, logOf(length)));
      for (const { limit, waits } of steps) {
        now += waits;
        for (const offset of take(limit)) {
          expect(held.get(offset) ?? -Infinity).toBeLessThanOrEqual(now);
          held.set(offset, now + 100);
          seen.add(offset);
        }
      }
      for (let left = take(5); left.length > 0; left = take(5)) for (const offset of left) seen.add(offset);
      expect(seen.size).toBe(length);
    }),
  );
});
