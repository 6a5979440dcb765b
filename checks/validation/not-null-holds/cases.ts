/** Statements that would leave a NOT NULL column without a value, and the rows that they would insert or change. */
import type { Json } from "../../../src/wire/json.ts";

export const columns = "id BIGINT PRIMARY KEY, must TEXT NOT NULL, num INT NOT NULL, may TEXT";

/** Enough that a server which stops at the bad row, in whatever order, has almost certainly changed others before it. */
const many = Array.from({ length: 40 }, (_, at) => 50 + at);
/** Of a table with these columns. `ids` are those of the rows that the statement would insert or change. */
export const cases: readonly {
  readonly name: string;
  readonly sql: (table: string) => string;
  readonly params?: readonly Json[];
  readonly ids: readonly number[];
}[] = [
  { name: "text left out", sql: (t) => `INSERT INTO ${t} (id, num) VALUES (10, 1)`, ids: [10] },
  { name: "number left out", sql: (t) => `INSERT INTO ${t} (id, must) VALUES (11, 'x')`, ids: [11] },
  { name: "key left out", sql: (t) => `INSERT INTO ${t} (must, num) VALUES ('x', 1)`, ids: [] },
  { name: "NULL", sql: (t) => `INSERT INTO ${t} (id, must, num) VALUES (12, NULL, 1)`, ids: [12] },
  {
    name: "NULL as a parameter",
    sql: (t) => `INSERT INTO ${t} (id, must, num) VALUES ($1, $2, $3)`,
    params: [13, null, 1],
    ids: [13],
  },
  { name: "NULL key", sql: (t) => `INSERT INTO ${t} (id, must, num) VALUES (NULL, 'x', 1)`, ids: [] },
  {
    name: "NULL among many",
    sql: (t) => `INSERT INTO ${t} (id, must, num) VALUES (14, 'a', 1), (15, NULL, 1), (16, 'c', 1)`,
    ids: [14, 15, 16],
  },
  { name: "NULL from a SELECT", sql: (t) => `INSERT INTO ${t} (id, must, num) SELECT 17, NULL, 1`, ids: [17] },
  {
    name: "NULL in a transaction",
    sql: (t) =>
      `BEGIN; INSERT INTO ${t} (id, must, num) VALUES (18, 'a', 1); INSERT INTO ${t} (id, must, num) VALUES (19, NULL, 1); COMMIT`,
    ids: [18, 19],
  },
  { name: "UPDATE to NULL", sql: (t) => `UPDATE ${t} SET must = NULL WHERE id = 1`, ids: [1] },
  {
    name: "UPDATE to NULL as a parameter",
    sql: (t) => `UPDATE ${t} SET num = $1 WHERE id = 2`,
    params: [null],
    ids: [2],
  },
  {
    name: "UPDATE of one among many",
    sql: (t) => `UPDATE ${t} SET must = CASE WHEN id = 70 THEN NULL ELSE 'z' END WHERE id BETWEEN 50 AND 89`,
    ids: many,
  },
];
export type Row = readonly (string | null)[];

/** The rows to begin with. The empty string and zero are values; they must be stored as they are. */
export const initialRows: readonly Row[] = [
  ["1", "one", "1", null],
  ["2", "", "0", null],
  ...many.map((id) => [String(id), "m", "5", null]),
];

export function idsOf(name: string): readonly number[] {
  return cases.find((one) => one.name === name)?.ids ?? [];
}

/** Rows that a case has inserted or changed. A case without ids gets those that belong to no case. */
export function changedRows(rows: readonly Row[], name: string): readonly Row[] {
  const ids = idsOf(name);
  const known = new Set(cases.flatMap((one) => one.ids));
  const isOwn = (id: number): boolean => (ids.length === 0 ? !known.has(id) : ids.includes(id));
  return rows.filter(
    (row) => isOwn(Number(row[0])) && !initialRows.some((old) => JSON.stringify(old) === JSON.stringify(row)),
  );
}
