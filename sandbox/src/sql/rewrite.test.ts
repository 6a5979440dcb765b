import { loadModule } from "libpg-query";
import { beforeAll, expect, test } from "vitest";
import { rewrite } from "./rewrite.ts";
import { split } from "./tokens.ts";

beforeAll(loadModule);

const read = (sql: string, namespace = "ns"): ReturnType<typeof rewrite> =>
  rewrite(split(sql)[0] ?? { text: "", tokens: [] }, namespace);

test.for([
  // Number literals are BIGINT or DOUBLE, except where PostgreSQL needs its own type.
  [
    "SELECT 1, -5, 1.5, 1e3, 9223372036854775808",
    "SELECT 1::int8, -5::int8, 1.5::float8, 1e3::float8, 9223372036854775808::float8",
  ],
  ["SELECT repeat('x', 3), sum(1), CAST(42 AS INT)", "SELECT repeat('x', 3), sum(1::int8), CAST(42 AS INT)"],
  ["SELECT n + 1 FROM a.t ORDER BY 1 LIMIT 5", "SELECT n + 1::int8 FROM a.t ORDER BY 1 LIMIT 5"],
  ["SELECT CASE WHEN n = 1 THEN 2 END FROM a.t", "SELECT CASE WHEN n = 1 THEN 2::int8 END FROM a.t"],
  // An unqualified name is never one of PostgreSQL's own.
  ["SELECT * FROM pg_class", 'SELECT * FROM "ns".pg_class'],
  ["SELECT '😀', x FROM t, a.t AS b", "SELECT '😀', x FROM \"ns\".t, a.t AS b"],
  ["WITH t AS (SELECT 1 AS x FROM u) SELECT x FROM t", 'WITH t AS (SELECT 1 AS x FROM "ns".u) SELECT x FROM t'],
  ["DELETE FROM t WHERE id IN (SELECT id FROM u)", 'DELETE FROM "ns".t WHERE id IN (SELECT id FROM "ns".u)'],
  ["SELECT * FROM information_schema.tables", "SELECT * FROM kalam_info.tables"],
  // KalamDB's spellings.
  ["SELECT CURRENT_USER() AS u, X'00ff' AS b", "SELECT kalam_fn.who() AS u, '\\x00ff'::bytea AS b"],
  ["SELECT id FROM default.t", 'SELECT id FROM "default".t'],
  ["SELECT CAST('2026-01-02' AS DATE) day", "SELECT CAST('2026-01-02' AS DATE) AS day"],
  ["INSERT INTO a.t (id, x) VALUES (1, 1.5)", "INSERT INTO a.t (id, x) VALUES (1, 1.5)"],
] as const)("%s is rewritten for PostgreSQL", ([sql, expected]) => {
  expect(read(sql).text).toBe(expected);
});

test.for([
  ["INSERT INTO t (id) VALUES (1) ON CONFLICT DO NOTHING", "Insert-on clause not supported"],
  ["INSERT INTO t (id) VALUES (1) RETURNING id", "RETURNING clause not supported"],
  ["WITH x AS (DELETE FROM t WHERE true RETURNING id) SELECT * FROM x", "A write inside a query not supported"],
  ["SELECT * INTO x FROM t", "SELECT INTO and FOR UPDATE not supported"],
  ["SELECT * FROM t FOR UPDATE", "SELECT INTO and FOR UPDATE not supported"],
  ["SELECT pg_catalog.set_config('a', 'b', false)", "A function of pg_catalog not supported"],
  ["SELECT * FROM", 'ParserError("syntax error at end of input")'],
  [`SELECT ${"(".repeat(51)}1${")".repeat(51)}`, "RecursionLimitExceeded"],
] as const)("%s is rejected", ([sql, message]) => {
  expect(() => read(sql)).toThrow(message);
});

test("a namespace from a request cannot become SQL", () => {
  const { text, relations } = read("SELECT * FROM t", 'x"."y" UNION SELECT 1 --');
  expect(text).toBe('SELECT * FROM "x"".""y"" UNION SELECT 1 --".t');
  expect(relations).toEqual([{ namespace: 'x"."y" UNION SELECT 1 --', name: "t" }]);
});

test("a rewritten statement lists what it writes and returns", () => {
  expect(read("INSERT INTO a.t (id, x) VALUES (1, 2), (3, 4)")).toMatchObject({
    verb: "INSERT",
    target: { namespace: "a", name: "t" },
    assigned: ["id", "x"],
    width: 2,
  });
  expect(read("UPDATE t SET x = 1")).toMatchObject({ verb: "UPDATE", assigned: ["x"], unconditional: true });
  expect(read("SELECT id FROM t LIMIT 5").limited).toBe(true);
  expect(read("SELECT id FROM t LIMIT ALL").limited).toBe(false);
  expect(
    read("SELECT 1, count(*), x AS y, now() FROM t").outputs.map(({ name, column, constant }) => [
      name,
      column,
      constant,
    ]),
  ).toEqual([
    ["Int64(1)", undefined, true],
    ["count(*)", undefined, true],
    [undefined, "x", false],
    ["now()", undefined, true],
  ]);
});
