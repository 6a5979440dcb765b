import fc from "fast-check";
import { expect, test } from "vitest";
import { shareOf } from "./share.ts";

const reading = fc.record({
  from: fc.nat(50),
  rows: fc.integer({ min: 1, max: 60 }),
  cuts: fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 60, maxLength: 60 }),
});

function pagesOf({ from, rows, cuts }: { from: number; rows: number; cuts: readonly number[] }): { id: string }[][] {
  const left = Array.from({ length: rows }, (_, at) => ({ id: String(from + at) }));
  const pages: { id: string }[][] = [];
  for (const cut of cuts) if (left.length > 0) pages.push(left.splice(0, cut));
  return pages;
}

test("every row once, however the pages are cut", () => {
  fc.assert(
    fc.property(reading, (one) => {
      const share = shareOf({ from: one.from, to: one.from + one.rows, pages: pagesOf(one), ended: null, exchange: 1 });
      expect([share.missingCount, share.doubledCount]).toEqual([0, 0]);
    }),
  );
});

test("one row that is lost or comes again is counted and named", () => {
  fc.assert(
    fc.property(reading, fc.nat(), (one, at) => {
      const pages = pagesOf(one);
      const id = String(one.from + (at % one.rows));
      const range = { from: one.from, to: one.from + one.rows, ended: null, exchange: 1 };
      const without = pages.map((page) => page.filter((row) => row.id !== id));
      expect(shareOf({ ...range, pages: without })).toMatchObject({ missing: [id], missingCount: 1, doubledCount: 0 });
      const again = [...pages, [{ id }]];
      expect(shareOf({ ...range, pages: again })).toMatchObject({ doubled: [id], doubledCount: 1, missingCount: 0 });
      // What did not come to its end lacks nothing yet.
      expect(shareOf({ ...range, pages: without, ended: "cut" }).missingCount).toBe(0);
    }),
  );
});
