import * as fc from "fast-check";
import { loadModule, parseSync } from "libpg-query";
import { beforeAll, expect, test } from "vitest";
import { randomFrom } from "../../../src/session/random.ts";
import { predicateColumns, predicateOf, question, rowOf } from "./predicates.ts";

beforeAll(async () => await loadModule());

const seeds = fc.string().map((seed) => () => predicateOf(randomFrom(seed)));
/** The SQL without its string literals, which may contain anything. */
const bare = (sql: string): string => sql.replaceAll(/'(?:[^']|'')*'/g, "''");

test("the same seed gives the same predicates and rows", () => {
  fc.assert(
    fc.property(fc.string(), (seed) => {
      const [one, two] = [randomFrom(seed), randomFrom(seed)];
      expect(predicateOf(one)).toBe(predicateOf(two));
      expect(rowOf(one, 3)).toBe(rowOf(two, 3));
    }),
  );
});

test("a predicate is parenthesized, so that NOT and IS NULL apply to all of it", () => {
  fc.assert(
    fc.property(seeds, (make) => {
      const predicate = bare(make());
      let depth = 0;
      const depths = predicate.split("").map((sign) => (depth += sign === "(" ? 1 : sign === ")" ? -1 : 0));
      // Closed by its last character only.
      expect(depths.indexOf(0)).toBe(predicate.length - 1);
    }),
  );
});

test("every operator is parenthesized", () => {
  fc.assert(
    fc.property(seeds, (make) => {
      // From the innermost parentheses outwards: each pair contains one operator or none.
      let rest = bare(make());
      for (let inner = /\(([^()]*)\)/.exec(rest); inner !== null; inner = /\(([^()]*)\)/.exec(rest)) {
        const operators = (inner[1] ?? "")
          .replace(/NOT (BETWEEN|IN|LIKE)\b|IS NOT\b|NOT NULL/g, "$1")
          .replace(/BETWEEN \S+ AND/g, "BETWEEN")
          .match(/ (AND|OR|=|<>|<=|>=|<|>|\+|-|\|\||LIKE) /g);
        expect(operators?.length ?? 0).toBeLessThanOrEqual(1);
        rest = `${rest.slice(0, inner.index)}x${rest.slice(inner.index + inner[0].length)}`;
      }
    }),
  );
});

test("only words that KalamDB supports are used, and no comment starts", () => {
  const known =
    /^(AND|OR|NOT|IS|NULL|TRUE|FALSE|CASE|WHEN|THEN|ELSE|END|BETWEEN|IN|LIKE|DISTINCT|FROM|ABS|COALESCE|NULLIF|CHAR_LENGTH|LOWER|UPPER|i|b|d|s|f)$/;
  fc.assert(
    fc.property(seeds, (make) => {
      const predicate = bare(make());
      expect(predicate).not.toMatch(/--|\/\*|;/);
      for (const word of predicate.match(/[A-Za-z_]+/g) ?? []) expect(word).toMatch(known);
    }),
  );
});

test("the question about any predicate is one SQL statement", () => {
  fc.assert(
    fc.property(seeds, (make) => {
      expect(parseSync(question("ns.t", make())).stmts).toHaveLength(1);
    }),
  );
});

test("every kind of predicate occurs, with and without NULL", () => {
  const random = randomFrom("kinds");
  const all = Array.from({ length: 2_000 }, () => predicateOf(random)).join("\n");
  for (const word of [
    "AND",
    "OR",
    "(NOT",
    "IS NULL",
    "IS NOT TRUE",
    "CASE",
    "BETWEEN",
    "NOT IN",
    "NULL)",
    "LIKE",
    "DISTINCT",
    "COALESCE",
  ])
    expect(all).toContain(word);
});

test("rows have a cell for each column, unique bits, and NULLs in every nullable column", () => {
  const random = randomFrom("rows");
  const rows = Array.from({ length: 60 }, (_, id) => rowOf(random, id));
  const cells = rows.map((row) => bare(row).slice(1, -1).split(", "));
  const columns = predicateColumns.split(", ").length;
  for (const row of cells) expect(row).toHaveLength(columns);
  expect(new Set(cells.map((row) => row[1])).size).toBe(60);
  for (let column = 2; column < columns; column += 1) expect(cells.some((row) => row[column] === "NULL")).toBe(true);
});
