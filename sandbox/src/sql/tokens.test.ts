import * as fc from "fast-check";
import { expect, test } from "vitest";
import { nesting, Reader, split, tokenize, valueOf } from "./tokens.ts";

const texts = (sql: string): string[] => split(sql).map(({ text }) => text);

test.for<[string, string[]]>([
  ["SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]],
  [";; SELECT 1 ;;", ["SELECT 1"]],
  ["-- only this", []],
  ["SELECT ';' AS a; SELECT 1", ["SELECT ';' AS a", "SELECT 1"]],
  ["SELECT 'it''s; fine'; b", ["SELECT 'it''s; fine'", "b"]],
  ['SELECT "a;b"; c', ['SELECT "a;b"', "c"]],
  ["SELECT E'\\'; x'; c", ["SELECT E'\\'; x'", "c"]],
  ["SELECT '\\'; c", ["SELECT '\\'", "c"]],
  ["SELECT $$;$$, $a$ $$;$$ $a$; c", ["SELECT $$;$$, $a$ $$;$$ $a$", "c"]],
  ["SELECT a$b$c; d", ["SELECT a$b$c", "d"]],
  ["SELECT 1 -- ; no\n; c", ["SELECT 1", "c"]],
  // PostgreSQL ends a comment at a carriage return, too.
  ["SELECT 1 -- ; no\r; c", ["SELECT 1", "c"]],
  ["SELECT 1 /* ; /* ; */ ; */ ; c", ["SELECT 1", "c"]],
  ["SELECT 'open; c", ["SELECT 'open; c"]],
  ["SELECT 1 /* open; c", ["SELECT 1 /* open; c"]],
  ["SELECT $1; SELECT $2", ["SELECT $1", "SELECT $2"]],
])("%s is split into its statements", ([sql, expected]) => {
  expect(texts(sql)).toEqual(expected);
});

test("joined statements are split again", () => {
  const piece = fc.oneof(
    fc.string().map((s) => `'${s.replaceAll("'", "''")}'`),
    fc.string().map((s) => `"${s.replaceAll('"', '""')}"`),
    fc.string().map((s) => `/*${s.replaceAll(/[*/]/g, "")}*/ x`),
    fc.string().map((s) => `$q$${s.replaceAll("$", "")}$q$`),
    fc.constantFrom("SELECT", "1.5e3", "$1", "(", "=", "näme", "😀"),
  );
  const statement = fc.array(piece, { minLength: 1 }).map((pieces) => `a ${pieces.join(" ")} z`);
  fc.assert(
    fc.property(fc.array(statement), (statements) => {
      expect(texts(statements.join(";"))).toEqual(statements);
    }),
  );
});

test("a long literal and a long run of quotes are tokenized", () => {
  expect(tokenize(`'${"x".repeat(1 << 20)}'`)).toHaveLength(1);
  expect(tokenize(`'${"''".repeat(1 << 19)}'`)).toHaveLength(1);
});

test("bracket nesting ignores literals", () => {
  expect(nesting(tokenize("f((1), '((((', [2])"))).toBe(2);
});

test("a reader accepts all words or none, and reads raw names as written", () => {
  const reader = new Reader(split("create  namespace my-ns; x")[0] ?? { text: "", tokens: [] });
  expect(reader.accept("CREATE TABLE")).toBe(false);
  expect(reader.accept("CREATE NAMESPACE")).toBe(true);
  expect(reader.raw()).toBe("my-ns");
  expect(reader.done).toBe(true);
});

test("values of literals and quoted names lose their quotes", () => {
  expect(tokenize(`'it''s' "a""b" $x$it's$x$ plain`).map(valueOf)).toEqual(["it's", 'a"b', "it's", "plain"]);
});
