/** A whole table, or what a filter selects of it: page by page, because a server cuts a long answer without a word. */
import type { StateRow } from "../../src/measure/state.ts";
import { cellText, rowsOf, type Account, type Target } from "../../src/target/target.ts";

const pageRows = 500;

/** The rows as records of the given columns; null where a page was not answered. `id` must be among the columns. */
export async function readTable(
  target: Target,
  as: Account,
  table: string,
  columns: readonly string[],
  where = "",
): Promise<StateRow[] | null> {
  const rows: StateRow[] = [];
  for (let after: string | undefined; ;) {
    const conditions = [...(after === undefined ? [] : [`id > ${after}`]), ...(where === "" ? [] : [`(${where})`])];
    const filter = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
    const page = rowsOf(
      await target.sql(as, `SELECT ${columns.join(", ")} FROM ${table}${filter} ORDER BY id LIMIT ${pageRows}`),
    );
    if (page === undefined) return null;
    rows.push(...page);
    after = cellText(rows.at(-1)?.["id"]);
    if (page.length < pageRows) return rows;
  }
}
