/**
 * Tables of the run's own: made, opened to others, and read whole. The only place that writes CREATE TABLE for a set-up and
 * that knows how this server opens a table to other accounts. (A check about CREATE TABLE itself builds its own statements.)
 */
import type { Context } from "../../src/check.ts";
import type { StateRow } from "../../src/history/state.ts";
import { cellText, rowsOf, type Account, type OwnRole, type Target } from "../../src/server/target.ts";

export interface TableSpec {
  /** `USER` where absent: rows that belong to whoever wrote them. */
  readonly type?: "USER" | "SHARED" | "STREAM";
  /** Such as `id BIGINT PRIMARY KEY, mark TEXT`. */
  readonly columns: string;
  /** Further options by name, such as `{ TTL_SECONDS: 10 }`. */
  readonly options?: Readonly<Record<string, string | number>>;
}

/** The statement that makes a table. */
export function createTable(table: string, { type = "USER", columns, options = {} }: TableSpec): string {
  const all = Object.entries({ TYPE: type, ...options }).map(
    ([name, value]) => `${name}=${typeof value === "number" ? value : `'${value}'`}`,
  );
  return `CREATE TABLE ${table} (${columns}) WITH (${all.join(", ")})`;
}

/** Makes a table that the observation cannot do without; returns its name. */
export async function makeTable(
  target: Target,
  context: Pick<Context, "need">,
  as: Account,
  table: string,
  spec: TableSpec,
): Promise<string> {
  context.need(await target.sql(as, createTable(table, spec)), `the table ${table} could not be made`);
  return table;
}

/** Roles besides dba and system, which always may. */
export interface Sharing {
  readonly columns: string;
  readonly readers?: readonly Exclude<OwnRole, "dba">[];
  readonly writers?: readonly Exclude<OwnRole, "dba">[];
}

/** Options of a SHARED table that these roles may read and write. Throws where no option of this server says so. */
function sharingOptions({ readers = [], writers = [] }: Sharing): Readonly<Record<string, string>> {
  // Services read and write whatever the level; only PUBLIC lets users read, and nothing lets them write.
  if (writers.includes("user")) throw new Error("no access level lets users write a shared table");
  return { ACCESS_LEVEL: readers.includes("user") ? "PUBLIC" : "PRIVATE" };
}

/** The statement that makes a SHARED table for these readers and writers. */
export function createSharedTable(table: string, sharing: Sharing): string {
  return createTable(table, { type: "SHARED", columns: sharing.columns, options: sharingOptions(sharing) });
}

/** Makes a SHARED table that these roles may read and write; the observation cannot do without it. Returns its name. */
export async function sharedTable(
  target: Target,
  context: Pick<Context, "need">,
  as: Account,
  table: string,
  sharing: Sharing,
): Promise<string> {
  context.need(await target.sql(as, createSharedTable(table, sharing)), `the table ${table} could not be made`);
  return table;
}

/** The statement that closes a shared table to everybody but dba, or opens it to readers again. */
export function changeSharing(table: string, sharing: Omit<Sharing, "columns">): string {
  const options = Object.entries(sharingOptions({ columns: "", ...sharing }));
  return `ALTER TABLE ${table} SET TBLPROPERTIES (${options.map(([name, value]) => `${name} = '${value}'`).join(", ")})`;
}

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
