/** The ways to write rows by SQL, each on keys of its own. */
import type { Json } from "../../../../src/wire/json.ts";

export const tableKinds = ["USER", "SHARED"] as const;
export type TableKind = (typeof tableKinds)[number];

export interface Place {
  /** The qualified name, its parts, and the table that rows are copied from. */
  readonly table: string;
  readonly namespace: string;
  readonly name: string;
  readonly source: string;
  /** The first of the keys that the way may use. */
  readonly base: number;
  /** The user whom a service acts as. */
  readonly user: string;
}

export interface Statement {
  readonly sql: string;
  readonly params?: readonly Json[];
  readonly namespace?: string;
}

export interface Way {
  readonly name: string;
  /** KalamDB may not have it: then a refusal is noted. */
  readonly isOptional?: true;
  /** A service account acts as the user, whose rows these are. */
  readonly asUser?: true;
  /** Counted from `base`: how many statements write each key. */
  readonly plan: { readonly [key: number]: number };
  readonly make: (place: Place) => Statement;
}

export const waySpan = 100;
/** Before each way there are these rows, counted from `base`; `n` is their key. */
export const baseKeys = [1, 2, 3, 4];
/** In the source, counted from `base`. */
export const sourceKeys = [21, 22, 23];

const manyRows = Array.from({ length: 20 }, (_, at) => 11 + at);
const once = (...keys: readonly number[]): Way["plan"] => Object.fromEntries(keys.map((key) => [key, 1]));

const oddText = "it's ä 😀";

export const ways: readonly Way[] = [
  {
    name: "INSERT with parameters",
    plan: once(11),
    make: ({ table, base }) => ({
      sql: `INSERT INTO ${table} (id, v, n) VALUES ($1, $2, $3)`,
      params: [base + 11, oddText, null],
    }),
  },
  {
    name: "UPDATE with parameters",
    plan: once(1),
    make: ({ table, base }) => ({ sql: `UPDATE ${table} SET v = $1 WHERE id = $2`, params: [oddText, base + 1] }),
  },
  {
    name: "DELETE with a parameter",
    plan: once(1),
    make: ({ table, base }) => ({ sql: `DELETE FROM ${table} WHERE id = $1`, params: [base + 1] }),
  },
  {
    name: "INSERT of many rows",
    plan: once(...manyRows),
    make: ({ table, base }) => {
      const rows = manyRows.map((key) => `(${base + key}, ${key % 3 === 0 ? "NULL" : `'row ${key}'`}, ${key})`);
      return { sql: `INSERT INTO ${table} (id, v, n) VALUES ${rows.join(", ")}` };
    },
  },
  {
    name: "INSERT … SELECT",
    isOptional: true,
    plan: once(...sourceKeys),
    make: ({ table, source, base }) => ({
      sql: `INSERT INTO ${table} (id, v, n) SELECT id, v, n FROM ${source} WHERE id > ${base} AND id < ${base + waySpan}`,
    }),
  },
  {
    name: "UPDATE by a predicate",
    plan: once(1, 2, 3),
    make: ({ table, base }) => ({
      sql: `UPDATE ${table} SET v = 'predicate' WHERE n >= ${base + 1} AND n <= ${base + 3}`,
    }),
  },
  {
    name: "UPDATE by an expression",
    plan: once(...baseKeys),
    make: ({ table, base }) => ({
      sql: `UPDATE ${table} SET n = n + 1000000 WHERE id > ${base} AND id < ${base + waySpan}`,
    }),
  },
  {
    name: "DELETE by a predicate",
    plan: once(2, 3, 4),
    make: ({ table, base }) => ({ sql: `DELETE FROM ${table} WHERE n >= ${base + 2} AND n <= ${base + 4}` }),
  },
  {
    name: "INSERT … ON CONFLICT DO UPDATE",
    isOptional: true,
    plan: once(1, 11),
    make: ({ table, base }) => ({
      sql: `INSERT INTO ${table} (id, v, n) VALUES (${base + 1}, 'upsert', 1), (${base + 11}, 'upsert', 2) ON CONFLICT (id) DO UPDATE SET v = excluded.v`,
    }),
  },
  {
    name: "INSERT … RETURNING",
    isOptional: true,
    plan: once(11),
    make: ({ table, base }) => ({
      sql: `INSERT INTO ${table} (id, v, n) VALUES (${base + 11}, 'returning', 1) RETURNING id`,
    }),
  },
  {
    name: "an unqualified name",
    plan: once(11, 1),
    make: ({ namespace, name, base }) => ({
      sql: `INSERT INTO ${name} (id, v, n) VALUES (${base + 11}, 'unqualified', 1); UPDATE ${name} SET v = 'unqualified' WHERE id = ${base + 1}`,
      namespace,
    }),
  },
  {
    name: "several statements in one request",
    plan: { 11: 2, 1: 1, 2: 1 },
    make: ({ table, base }) => ({
      sql: [
        `INSERT INTO ${table} (id, v, n) VALUES (${base + 11}, 'first', 1)`,
        `UPDATE ${table} SET v = 'second' WHERE id = ${base + 11}`,
        `UPDATE ${table} SET v = 'second' WHERE id = ${base + 1}`,
        `DELETE FROM ${table} WHERE id = ${base + 2}`,
      ].join("; "),
    }),
  },
  {
    name: "INSERT by EXECUTE AS",
    asUser: true,
    plan: once(11, 12),
    make: ({ table, base, user }) => ({
      sql: `EXECUTE AS USER '${user}' (INSERT INTO ${table} (id, v, n) VALUES (${base + 11}, 'as', 1), (${base + 12}, 'as', 2))`,
    }),
  },
  {
    name: "UPDATE by EXECUTE AS",
    asUser: true,
    plan: once(1, 2),
    make: ({ table, base, user }) => ({
      sql: `EXECUTE AS USER '${user}' (UPDATE ${table} SET v = 'as' WHERE n >= ${base + 1} AND n <= ${base + 2})`,
    }),
  },
  {
    name: "DELETE by EXECUTE AS",
    asUser: true,
    plan: once(3),
    make: ({ table, base, user }) => ({
      sql: `EXECUTE AS USER '${user}' (DELETE FROM ${table} WHERE id = ${base + 3})`,
    }),
  },
];

/** The ways into a table of this kind: only rows in USER tables belong to a user. */
export function waysInto(kind: TableKind): readonly Way[] {
  return kind === "USER" ? ways : ways.filter(({ asUser }) => asUser !== true);
}

export const baseOf = (way: Way): number => waySpan * (1 + ways.indexOf(way));
