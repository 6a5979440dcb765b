import * as fc from "fast-check";
import { expect, test } from "vitest";
import { boundsOf } from "./looking.ts";
import { bytesMax, nextSize } from "./sizes.ts";

/** What is sent to a server that refuses more than so many bytes. */
function search(limit: number, halvings: number): number[] {
  const tried: number[] = [];
  for (;;) {
    const tries = tried.map((bytes) => ({ bytes, kind: bytes > limit ? "refused" : "accepted" }) as const);
    const next = nextSize(boundsOf(tries), tried, halvings);
    if (next === undefined) return tried;
    tried.push(next);
  }
}

test("few requests and bytes enclose any limit, and no size is sent twice", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_024, max: bytesMax - 1 }), fc.integer({ min: 0, max: 8 }), (limit, halvings) => {
      const tried = search(limit, halvings);
      const [below, above] = [tried.filter((bytes) => bytes <= limit), tried.filter((bytes) => bytes > limit)];
      expect(new Set(tried).size).toBe(tried.length);
      expect(tried.length).toBeLessThanOrEqual(11 + halvings);
      expect(Math.max(...tried)).toBeLessThanOrEqual(Math.max(256 * 1_024, 4 * limit));
      expect(Math.min(...above) / Math.max(...below)).toBeLessThanOrEqual(2);
    }),
  );
});

test.each([
  [1_048_576, 8],
  [2_097_152, 8],
  [524_288, 8],
])("a limit of %i bytes, a power of two, is found to the byte without halving", (limit, requests) => {
  const tried = search(limit, 0);
  expect(tried).toEqual(expect.arrayContaining([limit, limit + 1]));
  expect(tried.length).toBeLessThanOrEqual(requests);
});

test("each halving halves what is not known, down to the byte", () => {
  const gap = (halvings: number): number => {
    const tried = search(777_777, halvings);
    return (
      Math.min(...tried.filter((bytes) => bytes > 777_777)) - Math.max(...tried.filter((bytes) => bytes <= 777_777))
    );
  };
  expect(gap(5)).toBeLessThanOrEqual(gap(0) / 2 ** 5 + 1);
  expect(gap(24)).toBe(1);
});

test("no limit up to the largest size ends the search there", () => {
  expect(search(Infinity, 5).at(-1)).toBe(bytesMax);
});
