/** Rows that each carry a mark of their own: how they are written, what was delivered of them and what is in the table. */
import type { Json } from "../../../src/wire/json.ts";
import type { DeliveredChange } from "../../../src/history/changes.ts";
import { cellText, type Account, type Change, type Row, type Target } from "../../../src/server/target.ts";
import { plainRow } from "../../vocabulary/opening.ts";
import type { PlannedWrite } from "../../vocabulary/operations.ts";
import { readTable } from "../../vocabulary/tables.ts";
import { quoted } from "../../vocabulary/values.ts";

export const keyColumn = "id";
export const markColumn = "mark";
export const markedColumns = "id BIGINT PRIMARY KEY, mark TEXT, n INT, note TEXT";

/** One statement for all of them: several rows can be inserted at once, updated and deleted is one. */
export function statementFor(table: string, rows: readonly PlannedWrite[]): string {
  const [first] = rows;
  if (first?.kind === "delete") return `DELETE FROM ${table} WHERE id = ${first.key}`;
  if (first?.kind === "update") {
    const { mark, n, note } = first.values;
    return `UPDATE ${table} SET mark = ${literal(mark)}, n = ${literal(n)}, note = ${literal(note)} WHERE id = ${first.key}`;
  }
  const values = rows.map(
    ({ key, values: { mark, n, note } }) => `(${key}, ${literal(mark)}, ${literal(n)}, ${literal(note)})`,
  );
  return `INSERT INTO ${table} (id, mark, n, note) VALUES ${values.join(", ")}`;
}

function literal(value: Json | undefined): string {
  if (value === null || value === undefined) return "NULL";
  return typeof value === "number" ? String(value) : quoted(cellText(value));
}

/** A write in words, for sentences. */
export function writeText({ kind, key, values }: PlannedWrite): string {
  return `${kind} of key ${key} (${cellText(values[markColumn])})`;
}

export function deliveredOf({ kind, row, old, at }: Change): DeliveredChange {
  const plain = (one: Row | null): Row | null => (one === null ? null : plainRow(one));
  return { kind, row: plain(row), old: plain(old), at: Math.round(at) };
}

/** Key and mark of every row, or of those that a condition selects; null where a page was not answered. */
export async function marksIn(
  target: Target,
  as: Account,
  table: string,
  where?: string,
): Promise<[string, string][] | null> {
  const rows = await readTable(target, as, table, ["id", "mark"], where);
  return rows?.map((row) => [cellText(row["id"]), cellText(row["mark"])]) ?? null;
}
