/** Rows that each carry a mark of their own: how they are written, what came of it, what was told and what is there. */
import type { Json } from "../../../src/wire/json.ts";
import type { RowWrite, ToldChange } from "../../../src/history/changes.ts";
import { cellText, type Account, type Answer, type Change, type Row, type Target } from "../../../src/server/target.ts";
import { plainRow } from "../../vocabulary/opening.ts";
import { readTable } from "../../vocabulary/tables.ts";

export type MarkedRow = Pick<RowWrite, "kind" | "key" | "mark" | "rest">;

/** One statement for all of them: several rows can be inserted at once, updated and deleted is one. */
export function statementFor(table: string, rows: readonly MarkedRow[]): string {
  const [first] = rows;
  if (first?.kind === "delete") return `DELETE FROM ${table} WHERE id = ${first.key}`;
  if (first?.kind === "update") {
    return `UPDATE ${table} SET mark = '${first.mark}', n = ${literal(first.rest["n"])}, note = ${literal(first.rest["note"])} WHERE id = ${first.key}`;
  }
  const values = rows.map(
    ({ key, mark, rest }) => `(${key}, '${mark}', ${literal(rest["n"])}, ${literal(rest["note"])})`,
  );
  return `INSERT INTO ${table} (id, mark, n, note) VALUES ${values.join(", ")}`;
}

function literal(value: Json | undefined): string {
  if (value === null || value === undefined) return "NULL";
  return typeof value === "number" ? String(value) : `'${cellText(value).replaceAll("'", "''")}'`;
}

/** A statement that changed another number of rows than it had did something else than it says. */
export function outcomeOf(answer: Answer, rows: number): RowWrite["outcome"] {
  if (answer.kind === "refused") return "refused";
  return answer.kind === "ok" && answer.results[0]?.rowCount === rows ? "ok" : "unsure";
}

export function toldOf({ kind, row, old, at }: Change): ToldChange {
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
