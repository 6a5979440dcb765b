import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../wire/json.ts";
import { shortened } from "./shortened.ts";

const sizeOf = (value: Json): number => JSON.stringify(value).length;

test("what is short enough is kept as it is", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = value as Json;
      expect(shortened(json, 3 * sizeOf(json) * 2 ** 12 + 1_000)).toEqual(json);
    }),
  );
});

test("whatever it is, about so many characters are kept", () => {
  const rows = Array.from({ length: 5_000 }, (_, n) => ({ n, text: "x".repeat(n % 50) }));
  let deep: Json = "end";
  for (let n = 0; n < 2_000; n += 1) deep = n % 2 === 0 ? [deep] : { deep };
  const large: readonly Json[] = [
    "x".repeat(1_000_000),
    "\u0000".repeat(1_000_000),
    rows,
    { rows, more: rows, text: "x".repeat(1_000_000) },
    Object.fromEntries(rows.map(({ n }) => [`key ${n} ${"k".repeat(n)}`, n])),
    Array.from({ length: 100_000 }, () => ({})),
    deep,
  ];
  for (const value of large)
    for (const max of [500, 10_000]) expect(sizeOf(shortened(value, max))).toBeLessThan(max + 1_000);
});

test("what is left out is marked, and the beginning is kept", () => {
  expect(shortened("x".repeat(1_000), 100)).toBe(`${"x".repeat(39)}… (1000 characters)`);
  const list = shortened(
    Array.from({ length: 1_000 }, (_, n) => n),
    200,
  ) as readonly Json[];
  expect(list.slice(0, 3)).toEqual([0, 1, 2]);
  expect(list.at(-1)).toBe(`… and ${1_001 - list.length} more`);
  const object = shortened(Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])), 200);
  expect(Object.keys(object as object).at(-1)).toMatch(/^… and \d+ more$/);
});

test("a large part leaves room for those after it", () => {
  const value = { rows: Array.from({ length: 10_000 }, (_, n) => n), said: "no", tookMs: 5 };
  expect(shortened(value, 1_000)).toMatchObject({ said: "no", tookMs: 5 });
});
