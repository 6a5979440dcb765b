/** Statements of every kind: those that must work, and those that must be rejected. */
import type { Json } from "../../../src/wire/json.ts";
import { createTable } from "../../vocabulary/tables.ts";

/** `t` is a table with a row 1. */
export interface Case {
  readonly name: string;
  readonly sql: (t: string, namespace: string) => string;
  readonly params?: readonly Json[];
  /** The sender; a dba where absent. */
  readonly as?: "user" | "nobody";
}

export const good: readonly Case[] = [
  { name: "a literal", sql: () => "SELECT 1 AS one" },
  { name: "rows", sql: (t) => `SELECT id, v FROM ${t} ORDER BY id LIMIT 10` },
  { name: "no rows", sql: (t) => `SELECT id, v FROM ${t} WHERE id < 0 LIMIT 10` },
  { name: "a count", sql: (t) => `SELECT COUNT(*) AS c FROM ${t}` },
  { name: "a sum of nothing", sql: (t) => `SELECT SUM(n) AS s FROM ${t} WHERE id < 0` },
  { name: "a union", sql: () => "SELECT 1 AS a UNION ALL SELECT 2 AS a ORDER BY a" },
  { name: "a CTE", sql: (t) => `WITH few AS (SELECT id FROM ${t}) SELECT COUNT(*) AS c FROM few` },
  { name: "a join", sql: (t) => `SELECT a.id FROM ${t} a JOIN ${t} b ON a.id = b.id LIMIT 10` },
  { name: "an insert", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (2, 'two')` },
  { name: "several rows", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (3, 'x'), (4, 'y')` },
  {
    name: "parameters",
    sql: (t) => `INSERT INTO ${t} (id, v, n) VALUES ($1, $2, $3)`,
    params: [5, "five", null],
  },
  { name: "an update", sql: (t) => `UPDATE ${t} SET n = 2 WHERE id = 2` },
  { name: "an update of nothing", sql: (t) => `UPDATE ${t} SET n = 2 WHERE id = 999` },
  { name: "a delete", sql: (t) => `DELETE FROM ${t} WHERE id = 4` },
  { name: "a delete of nothing", sql: (t) => `DELETE FROM ${t} WHERE id = 999` },
  { name: "a batch", sql: () => "SELECT 1 AS a; SELECT 2 AS b" },
  { name: "a transaction", sql: (t) => `BEGIN; INSERT INTO ${t} (id, v) VALUES (6, 'six'); COMMIT` },
  { name: "a rollback", sql: (t) => `BEGIN; INSERT INTO ${t} (id, v) VALUES (7, 'seven'); ROLLBACK` },
  { name: "DESCRIBE", sql: (t) => `DESCRIBE TABLE ${t}` },
  { name: "SHOW NAMESPACES", sql: () => "SHOW NAMESPACES" },
  { name: "an added column", sql: (t) => `ALTER TABLE ${t} ADD COLUMN note TEXT` },
  { name: "IF EXISTS of nothing", sql: (t) => `DROP TABLE IF EXISTS ${t}_missing` },
];

export const bad: readonly Case[] = [
  { name: "no SQL", sql: () => "SELEKT 1" },
  { name: "an open string", sql: () => "SELECT 'open" },
  { name: "nothing", sql: () => "" },
  { name: "only a comment", sql: () => "-- nothing" },
  { name: "a missing table", sql: (t) => `SELECT * FROM ${t}_missing` },
  { name: "a missing column", sql: (t) => `SELECT missing FROM ${t}` },
  { name: "a missing namespace", sql: (_, ns) => createTable(`${ns}_missing.t`, { columns: "id BIGINT PRIMARY KEY" }) },
  { name: "a missing function", sql: () => "SELECT missing_function(1)" },
  { name: "a key that exists", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (1, 'again')` },
  { name: "NULL where none may be", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (11, NULL)` },
  { name: "text for a number", sql: (t) => `INSERT INTO ${t} (id, v, n) VALUES (12, 'x', 'abc')` },
  { name: "too many values", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (13, 'x', 1)` },
  { name: "an update of a missing column", sql: (t) => `UPDATE ${t} SET missing = 1 WHERE id = 1` },
  { name: "a division by zero", sql: (t) => `SELECT 10 / (id - id) AS x FROM ${t}` },
  { name: "a cast that fails", sql: (t) => `SELECT CAST(v AS INT) AS x FROM ${t}` },
  { name: "a batch that fails", sql: (t) => `SELECT 1 AS a; SELECT missing FROM ${t}` },
  { name: "parameters for a batch", sql: () => "SELECT $1; SELECT 2", params: [1] },
  { name: "an open transaction", sql: (t) => `BEGIN; INSERT INTO ${t} (id, v) VALUES (14, 'x')` },
  { name: "a table that exists", sql: (t) => createTable(t, { type: "SHARED", columns: "id BIGINT PRIMARY KEY" }) },
  { name: "a drop of nothing", sql: (t) => `DROP TABLE ${t}_missing` },
  { name: "no right", sql: () => "SELECT * FROM system.users LIMIT 1", as: "user" },
  { name: "no login", sql: () => "SELECT 1", as: "nobody" },
];
