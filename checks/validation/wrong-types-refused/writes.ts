/** Writes values of the right and the wrong type, and looks up what was stored. */
import type { Context } from "../../../src/check.ts";
import { cellText, integerText, rowsOf, type Account, type Target } from "../../../src/server/target.ts";
import { sampleAtLight } from "../../vocabulary/sample.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { tryAll, type Trial, type Tried } from "../../vocabulary/trials.ts";
import type { Value } from "../../vocabulary/values.ts";
import { wrongValues as columns } from "./wrong-values.ts";

/** Each has the id of the row that it would write. */
const allBad = columns
  .flatMap((column) => Object.entries(column.bad).map(([name, value]) => ({ column, name, value })))
  .map((one, at) => ({ ...one, id: at + 1 }));
const goodId = 1000;
const allGood = columns.map((column, at) => ({ column, name: "fits", value: column.good, id: goodId + at }));
export const [badCount, goodCount] = [allBad.length, allGood.length];

/** How a value gets into a row; each way has its own table. UPDATE needs existing rows, the others insert them. */
const statements: Readonly<
  Record<string, (table: string, column: string, value: Value, id: number) => Omit<Trial, "name" | "as">>
> = {
  literal: (table, column, value, id) => ({
    sql: `INSERT INTO ${table} (id, ${column}) VALUES (${id}, ${value.literal})`,
  }),
  parameter: (table, column, value, id) => ({
    sql: `INSERT INTO ${table} (id, ${column}) VALUES ($1, $2)`,
    params: [id, value.param],
  }),
  update: (table, column, value, id) => ({ sql: `UPDATE ${table} SET ${column} = ${value.literal} WHERE id = ${id}` }),
};
export const ways = Object.keys(statements);

export type Entry = Tried & {
  readonly type: string;
  /** The value as it was written. */
  readonly value: string;
  /** What the row holds; null if nothing. */
  readonly stored: string | null;
};
export type Way = {
  readonly way: string;
  readonly bad: readonly Entry[];
  readonly good: readonly Entry[];
  /** How many values were to be tried. */
  readonly wanted: number;
  /** Whether the rows could be read afterwards. */
  readonly looked: boolean;
};

export async function writeAll(target: Target, context: Context, as: Account, way: string): Promise<Way> {
  const statement = statements[way];
  if (statement === undefined) throw new Error(`unknown way: ${way}`);
  const table = await makeTable(target, context, as, `${context.scratch}.by_${way}`, {
    type: "SHARED",
    columns: ["id BIGINT PRIMARY KEY", ...columns.map(({ name, type }) => `${name} ${type}`)].join(", "),
  });
  const some = new Set(sampleAtLight(context, columns, 5, ({ type }) => type === "BOOLEAN" || type === "UUID"));
  const [bad, good] = [allBad, allGood].map((values) => values.filter(({ column }) => some.has(column))) as [
    typeof allBad,
    typeof allGood,
  ];
  const all = [...bad, ...good];
  if (way === "update")
    context.need(
      await target.sql(as, `INSERT INTO ${table} (id) VALUES ${all.map(({ id }) => `(${id})`).join(", ")}`),
      "the rows to update could not be written",
    );
  const tried = await tryAll(
    target,
    all.map(({ column, name, value, id }) => ({
      name: `${column.type} ${name}, ${way}`,
      as,
      ...statement(table, column.name, value, id),
    })),
  );
  const filled = columns.map(({ name }) => `${name} IS NOT NULL`).join(" OR ");
  const rows = rowsOf(await target.sql(as, `SELECT id FROM ${table} WHERE ${filled} ORDER BY id LIMIT 200`));
  const stored = new Set(rows?.map((row) => integerText(row["id"])));
  const entries: Entry[] = [];
  for (const [at, { column, value, id }] of all.entries()) {
    const one = tried[at];
    if (one === undefined) continue;
    // Only wrong values are read back, each by itself: one may be unreadable.
    const read = async (): Promise<string> =>
      id < goodId ? await readValue(target, as, table, column.name, id) : "something";
    entries.push({
      ...one,
      type: column.type,
      value: cellText(value.param),
      stored: stored.has(String(id)) ? await read() : null,
    });
  }
  return {
    way,
    bad: entries.slice(0, bad.length),
    good: entries.slice(bad.length),
    wanted: all.length,
    looked: rows !== undefined,
  };
}

async function readValue(target: Target, as: Account, table: string, column: string, id: number): Promise<string> {
  const [row] = rowsOf(await target.sql(as, `SELECT ${column} AS v FROM ${table} WHERE id = ${id} LIMIT 1`)) ?? [];
  return row === undefined ? "an unreadable value" : cellText(row["v"]);
}
