import * as fc from "fast-check";
import { expect, test } from "vitest";
import { columns } from "./columns.ts";

test("rows are aligned in columns, without borders or trailing spaces", () => {
  expect(columns([["id", "category", ""], ["a/long-id", "a", "block"]])).toBe("id         category\na/long-id  a         block\n"); // prettier-ignore
});

test("no rows make an empty text", () => {
  expect(columns([])).toBe("");
});

test("a column can be right-aligned, and the gaps can be set", () => {
  const rows = [["a", "5"], ["b", "1,000"]]; // prettier-ignore
  expect(columns(rows, { alignments: ["left", "right"] })).toBe("a      5\nb  1,000\n");
  expect(columns(rows, { gaps: [1, 1] })).toBe("a 5\nb 1,000\n");
});

test("a text longer than its column is wrapped", () => {
  expect(columns([["one two three", "x"]], { widths: [9, 5], wrap: true })).toBe("one two  x\nthree\n");
});

test("without widths no text is truncated", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", "Z", "0", "-", "é", "漢", "😀", "…") });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
      const lines = columns(rows).split("\n");
      rows.forEach(([left, right], at) => {
        expect(lines[at]?.startsWith(left)).toBe(true);
        expect(lines[at]?.endsWith(right)).toBe(true);
      });
    }),
  );
});
