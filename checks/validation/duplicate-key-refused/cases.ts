/** Ways to insert a key that is there, and the rows to begin with. */
import type { Json } from "../../../src/wire/json.ts";

export const columns = "id BIGINT PRIMARY KEY, v TEXT";
/** Half of them for each stage: keys from 1 are tried in memory, keys from 101 after they were flushed. */
export const stages = [
  { name: "in memory", from: 0 },
  { name: "flushed", from: 100 },
] as const;

const firstKeys = [1, 2, 3, 4, 5, 6];
export const initialRows: readonly (readonly [id: string, v: string])[] = stages.flatMap(({ from }) =>
  firstKeys.map((key) => [String(from + key), `first ${from + key}`] as const),
);

export interface Case {
  readonly name: string;
  /** `key` numbers the keys of the stage: `key(1)` to `key(6)` are there. */
  readonly sql: (table: string, key: (n: number) => number) => string;
  readonly params?: (key: (n: number) => number) => readonly Json[];
  /** The numbers of the keys that it would insert. */
  readonly keys: readonly number[];
}

export const cases: readonly Case[] = [
  { name: "one row", keys: [1], sql: (t, key) => `INSERT INTO ${t} (id, v) VALUES (${key(1)}, 'again')` },
  {
    name: "parameters",
    keys: [2],
    sql: (t) => `INSERT INTO ${t} (id, v) VALUES ($1, $2)`,
    params: (key) => [key(2), "again"],
  },
  {
    name: "among new rows",
    keys: [20, 3, 21],
    sql: (t, key) => `INSERT INTO ${t} (id, v) VALUES (${key(20)}, 'new'), (${key(3)}, 'again'), (${key(21)}, 'new')`,
  },
  {
    name: "the same values",
    keys: [4],
    sql: (t, key) => `INSERT INTO ${t} (id, v) VALUES (${key(4)}, 'first ${key(4)}')`,
  },
  { name: "from a SELECT", keys: [5], sql: (t, key) => `INSERT INTO ${t} (id, v) SELECT ${key(5)}, 'again'` },
  {
    name: "in a transaction",
    keys: [22, 6],
    sql: (t, key) =>
      `BEGIN; INSERT INTO ${t} (id, v) VALUES (${key(22)}, 'new'); INSERT INTO ${t} (id, v) VALUES (${key(6)}, 'again'); COMMIT`,
  },
  {
    name: "twice in one statement",
    keys: [23],
    sql: (t, key) => `INSERT INTO ${t} (id, v) VALUES (${key(23)}, 'one'), (${key(23)}, 'two')`,
  },
];
