/**
 * Tables of the run's own: made, opened to others, and read whole. The only place that writes CREATE TABLE for a set-up and
 * that knows how this server opens a table to other accounts. (A check about CREATE TABLE itself builds its own statements.)
 */
import type { Context } from "../../src/check.ts";
import type { StateRow } from "../../src/history/state.ts";
import {
  cellText,
  rowsOf,
  valueOf,
  whyNotKnown,
  type Account,
  type Dialect,
  type OwnRole,
  type Target,
} from "../../src/server/target.ts";

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

/** Roles besides dba and system, which always may. Service accounts may read and write every table that is made here. */
export interface Sharing {
  readonly columns: string;
  readonly readers?: readonly Exclude<OwnRole, "dba">[];
  readonly writers?: readonly Exclude<OwnRole, "dba">[];
}

type Opening = Pick<Sharing, "readers" | "writers">;

const servicePolicy = "kr_services";
const readPolicy = "kr_readers";

/**
 * ACCESS_LEVEL of a SHARED table that these roles may read and write. Services read and write whatever the level; only
 * PUBLIC lets users read.
 */
function levelFor({ readers = [] }: Opening): string {
  return readers.includes("user") ? "PUBLIC" : "PRIVATE";
}

/** As the levels do: what a check sees must not depend on how the server opens tables. */
function policiesFor(table: string, { readers = [] }: Opening): string[] {
  return [
    `CREATE POLICY ${servicePolicy} ON ${table} FOR ALL TO service USING (true) WITH CHECK (true)`,
    ...(readers.includes("user") ? [`CREATE POLICY ${readPolicy} ON ${table} FOR SELECT TO user USING (true)`] : []),
  ];
}

/** The statements that make a SHARED table for these readers and writers; none where it is not known how. */
export function createSharedTable(dialect: Pick<Dialect, "sharedAccess">, table: string, sharing: Sharing): string[] {
  if (sharing.writers?.includes("user") === true) throw new Error("no access level lets users write a shared table");
  const { columns } = sharing;
  const access = valueOf(dialect.sharedAccess);
  if (access === "policies") return [createTable(table, { type: "SHARED", columns }), ...policiesFor(table, sharing)];
  if (access === undefined) return [];
  return [createTable(table, { type: "SHARED", columns, options: { ACCESS_LEVEL: levelFor(sharing) } })];
}

/** Makes a SHARED table that these roles may read and write; the observation cannot do without it. Returns its name. */
export async function sharedTable(
  target: Target,
  context: Pick<Context, "need">,
  as: Account,
  table: string,
  sharing: Sharing,
): Promise<string> {
  const why = whyNotKnown(target.dialect, ["sharedAccess"]);
  if (why !== undefined) context.need({ why, whole: true }, "");
  for (const statement of createSharedTable(target.dialect, table, sharing))
    context.need(await target.sql(as, statement), `the table ${table} could not be made`);
  return table;
}

/** The statement that lets users read a shared table of `sharedTable`, or no longer. */
export function changeReaders(
  dialect: Pick<Dialect, "sharedAccess">,
  table: string,
  { open }: { readonly open: boolean },
): string {
  const readers = open ? (["user"] as const) : [];
  if (valueOf(dialect.sharedAccess) !== "policies")
    return `ALTER TABLE ${table} SET TBLPROPERTIES (ACCESS_LEVEL = '${levelFor({ readers })}')`;
  return open ? (policiesFor(table, { readers })[1] ?? "") : `DROP POLICY ${readPolicy} ON ${table}`;
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
