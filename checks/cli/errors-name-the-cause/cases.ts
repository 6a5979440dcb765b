/** Mistakes, and what the error text of each must mention. */
import { createTable } from "../../vocabulary/tables.ts";

export interface Case {
  readonly name: string;
  readonly sql: (ns: string) => string;
  /** What the error text must contain, so that its reader knows what to correct. */
  readonly names: RegExp;
  /** Sent as a plain user, who may be shown less. */
  readonly asUser?: boolean;
}

export const cases: readonly Case[] = [
  { name: "missing table", sql: (ns) => `SELECT * FROM ${ns}.absent_table`, names: /absent_table/i },
  {
    name: "missing table to insert into",
    sql: (ns) => `INSERT INTO ${ns}.absent_table (id) VALUES (1)`,
    names: /absent_table/i,
  },
  { name: "missing table to drop", sql: (ns) => `DROP TABLE ${ns}.absent_table`, names: /absent_table/i },
  { name: "missing column", sql: (ns) => `SELECT absent_column FROM ${ns}.t`, names: /absent_column/i },
  {
    name: "missing column to set",
    sql: (ns) => `UPDATE ${ns}.t SET absent_column = 1 WHERE id = 1`,
    names: /absent_column/i,
  },
  {
    name: "missing column to fill",
    sql: (ns) => `INSERT INTO ${ns}.t (id, absent_column) VALUES (2, 1)`,
    names: /absent_column/i,
  },
  {
    name: "missing namespace",
    sql: (ns) => createTable(`${ns}_absent.t`, { type: "SHARED", columns: "id BIGINT PRIMARY KEY" }),
    names: /_absent/i,
  },
  { name: "missing namespace to drop", sql: (ns) => `DROP NAMESPACE ${ns}_absent`, names: /_absent/i },
  { name: "missing function", sql: () => "SELECT absent_function(1)", names: /absent_function/i },
  { name: "missing user", sql: (ns) => `DROP USER '${ns}_absent'`, names: /_absent/i },
  {
    name: "existing table",
    sql: (ns) => createTable(`${ns}.t`, { type: "SHARED", columns: "id BIGINT PRIMARY KEY" }),
    names: /\.t\b|'t'|"t"/,
  },
  { name: "existing key", sql: (ns) => `INSERT INTO ${ns}.t (id, v) VALUES (1, 'x')`, names: /\bid\b/ },
  { name: "NULL", sql: (ns) => `INSERT INTO ${ns}.t (id, v) VALUES (3, NULL)`, names: /'v'|"v"|\bcolumn v\b/i },
  { name: "wrong type", sql: (ns) => `INSERT INTO ${ns}.t (id, v, n) VALUES (4, 'x', 'abc')`, names: /abc|'n'|"n"/ },
  { name: "syntax", sql: (ns) => `SELECT id FRMO ${ns}.t`, names: /frmo|line: ?1|column: ?\d|position \d|near/i },
  { name: "open string", sql: () => "SELECT 'open", names: /unterminated|unclosed|quote|string literal/i },
  { name: "open parenthesis", sql: () => "SELECT (1 + 2", names: /expected:? *'?"?\)|eof|end of|paren/i },
  { name: "no statement", sql: () => "SELEKT 1", names: /selekt/i },
  {
    name: "no right to a view",
    sql: () => "SELECT * FROM system.users LIMIT 1",
    names: /permission|privilege|denied|role|not allowed/i,
    asUser: true,
  },
  {
    name: "no right to make users",
    sql: (ns) => `CREATE USER '${ns}_u' WITH PASSWORD 'Kr1-never-made' ROLE user`,
    names: /permission|privilege|denied|role|not allowed/i,
    asUser: true,
  },
];
