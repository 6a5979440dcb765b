/** Changes of a table's columns that a live query meets, and the rows that are written after each. */
import type { Dialect } from "../../../../src/server/target.ts";
import { createSharedTable, createTable } from "../../../vocabulary/tables.ts";

export const tableKinds = ["USER", "SHARED"] as const;
export type TableKind = (typeof tableKinds)[number];

export interface Case {
  readonly name: string;
  /** The followed statement. */
  readonly select: (table: string) => string;
  /** Afterwards that statement names a column that is not there. */
  readonly isOutdated?: true;
  readonly alters: (table: string, make: (columns: string) => readonly string[]) => readonly string[];
  /** Writes the rows with the keys 1 and 2. */
  readonly writes: (table: string) => readonly string[];
}

export const columns = "id BIGINT PRIMARY KEY, v TEXT, n INT";
/** There before; the last one is not written again. */
export const firstRows = "(1, 'was', 1), (4, 'stays', 4)";
export const writtenKeys = ["1", "2"];

/** The statements that make a table which plain users may read. */
export function createKind(
  dialect: Pick<Dialect, "sharedAccess">,
  kind: TableKind,
  table: string,
  list: string,
): readonly string[] {
  return kind === "USER"
    ? [createTable(table, { columns: list })]
    : createSharedTable(dialect, table, { columns: list, readers: ["user"] });
}

const all = (table: string): string => `SELECT * FROM ${table}`;
const filtered = (table: string): string => `SELECT * FROM ${table} WHERE n > 0`;
const insert = (table: string, names: string, values: string): string =>
  `INSERT INTO ${table} (${names}) VALUES (${values})`;

/** With one case of each kind first: at light effort the others are left out. */
export const cases: readonly Case[] = [
  {
    name: "a column added",
    select: all,
    alters: (table) => [`ALTER TABLE ${table} ADD COLUMN w TEXT`],
    writes: (table) => [
      insert(table, "id, v, n, w", "2, 'new', 2, 'added'"),
      `UPDATE ${table} SET w = 'added later' WHERE id = 1`,
    ],
  },
  {
    name: "a column renamed",
    select: all,
    alters: (table) => [`ALTER TABLE ${table} RENAME COLUMN v TO w`],
    writes: (table) => [insert(table, "id, w, n", "2, 'new', 2"), `UPDATE ${table} SET w = 'changed' WHERE id = 1`],
  },
  {
    name: "the table made again with other columns",
    select: all,
    alters: (table, make) => [`DROP TABLE ${table}`, ...make("id BIGINT PRIMARY KEY, z INT")],
    writes: (table) => [insert(table, "id, z", "1, 11"), insert(table, "id, z", "2, 12")],
  },
  {
    name: "the filter's column dropped",
    select: (table) => `SELECT id, v FROM ${table} WHERE n > 0`,
    isOutdated: true,
    alters: (table) => [`ALTER TABLE ${table} DROP COLUMN n`],
    writes: (table) => [insert(table, "id, v", "2, 'new'"), `UPDATE ${table} SET v = 'changed' WHERE id = 1`],
  },
  {
    name: "a selected column renamed",
    select: (table) => `SELECT id, v, n FROM ${table}`,
    isOutdated: true,
    alters: (table) => [`ALTER TABLE ${table} RENAME COLUMN v TO w`],
    writes: (table) => [insert(table, "id, w, n", "2, 'new', 2"), `UPDATE ${table} SET w = 'changed' WHERE id = 1`],
  },
  {
    name: "a column added beside a filter",
    select: filtered,
    alters: (table) => [`ALTER TABLE ${table} ADD COLUMN w TEXT`],
    writes: (table) => [
      insert(table, "id, v, n, w", "2, 'new', 2, 'added'"),
      `UPDATE ${table} SET w = 'added later' WHERE id = 1`,
    ],
  },
  {
    name: "a column dropped",
    select: all,
    alters: (table) => [`ALTER TABLE ${table} DROP COLUMN n`],
    writes: (table) => [insert(table, "id, v", "2, 'new'"), `UPDATE ${table} SET v = 'changed' WHERE id = 1`],
  },
  {
    name: "the table made again",
    select: all,
    alters: (table, make) => [`DROP TABLE ${table}`, ...make(columns)],
    writes: (table) => [insert(table, "id, v, n", "1, 'again', 1"), insert(table, "id, v, n", "2, 'new', 2")],
  },
  {
    name: "the filter's column renamed",
    select: filtered,
    isOutdated: true,
    alters: (table) => [`ALTER TABLE ${table} RENAME COLUMN n TO m`],
    writes: (table) => [insert(table, "id, v, m", "2, 'new', 2"), `UPDATE ${table} SET m = 9 WHERE id = 1`],
  },
  {
    name: "a selected column dropped",
    select: (table) => `SELECT id, v, n FROM ${table}`,
    isOutdated: true,
    alters: (table) => [`ALTER TABLE ${table} DROP COLUMN n`],
    writes: (table) => [insert(table, "id, v", "2, 'new'"), `UPDATE ${table} SET v = 'changed' WHERE id = 1`],
  },
];
