/** Statements that assign a value to a system column, each on a row of its own. */
import {
  cellText,
  rowsOf,
  saidOf,
  isCleanRefusal,
  type Account,
  type Said,
  type Target,
} from "../../../src/server/target.ts";

/** Smaller than any real row version. */
const forgedVersion = "77";

/** `{t}` is the table, `{k}` the key, `{c}` the system column, `{x}` the value. */
export const assignments: readonly {
  readonly name: string;
  readonly sql: string;
  readonly inserts: boolean;
  readonly params?: true;
}[] = [
  { name: "INSERT", sql: "INSERT INTO {t} (id, v, {c}) VALUES ({k}, 'forged', {x})", inserts: true },
  {
    name: "INSERT … SELECT",
    sql: "INSERT INTO {t} (id, v, {c}) SELECT {k}, v, {x} FROM {t} WHERE id = 1",
    inserts: true,
  },
  { name: "UPDATE", sql: "UPDATE {t} SET {c} = {x} WHERE id = {k}", inserts: false },
  {
    name: "UPDATE beside another column",
    sql: "UPDATE {t} SET v = 'forged', {c} = {x} WHERE id = {k}",
    inserts: false,
  },
  { name: "UPDATE with a parameter", sql: "UPDATE {t} SET {c} = $1 WHERE id = {k}", inserts: false, params: true },
];

/** The system columns of a row; null if there is no row. */
export type Row = { readonly version: string; readonly deleted: string } | null;

export type Assigned = {
  readonly case: string;
  readonly role: string;
  readonly sql: string;
  readonly said: Said;
  readonly column: string;
  /** Null if it could not be read. */
  readonly before: { readonly row: Row } | null;
  readonly after: { readonly row: Row } | null;
};

/**
 * Runs every statement with every column. `control` runs valid statements, which must work. Each has a row of its own, so all are
 * written at once, and read at once before the first and after the last.
 */
export async function assignAll(
  target: Target,
  as: Account,
  table: string,
  columns: readonly string[],
  control: (as: Account, sql: string) => Promise<void>,
  kinds: typeof assignments = assignments,
): Promise<Assigned[]> {
  const version = columns.find((column) => column !== "_deleted") ?? "_seq";
  const read = async (): Promise<ReadonlyMap<string, Row> | null> => {
    const rows = rowsOf(await target.sql(as, `SELECT * FROM ${table} WHERE id > 10 ORDER BY id LIMIT 100`));
    if (rows === undefined) return null;
    return new Map(
      rows.map((row) => [cellText(row["id"]), { version: cellText(row[version]), deleted: cellText(row["_deleted"]) }]),
    );
  };
  const all = columns
    .flatMap((column) => kinds.map((kind) => ({ ...kind, column })))
    .map((one, at) => ({ ...one, key: String(11 + at) }));
  const kept = all.flatMap(({ inserts, key }) => (inserts ? [] : [`(${key}, 'kept')`]));
  await control(as, `INSERT INTO ${table} (id, v) VALUES ${kept.join(", ")}`);
  const before = await read();
  const tried: Omit<Assigned, "before" | "after">[] = [];
  for (const { name, sql, params, column, key } of all) {
    const value = column === "_deleted" ? "true" : forgedVersion;
    const text = sql.replaceAll("{t}", table).replaceAll("{c}", column).replaceAll("{k}", key).replaceAll("{x}", value);
    const given = params === undefined ? {} : { params: [column === "_deleted" ? true : Number(forgedVersion)] };
    const said = saidOf(await target.sql(as, text, given));
    tried.push({ case: `${name} of ${column}, as ${as.role}`, role: as.role, sql: text, said, column });
  }
  const after = await read();
  await control(as, `UPDATE ${table} SET v = 'b' WHERE id = 1`);
  const rowIn = (rows: ReadonlyMap<string, Row> | null, key: string) => rows && { row: rows.get(key) ?? null };
  return tried.map((one, at) => {
    const key = all[at]?.key ?? "";
    return { ...one, before: rowIn(before, key), after: rowIn(after, key) };
  });
}

/** Whether the assignment took effect: the row has the value or is gone, or it changed although the statement was rejected. */
export function isForged({ said, before, after, column }: Assigned): boolean {
  if (before === null || after === null || (said.kind !== "ok" && !isCleanRefusal(said))) return false;
  if (said.kind !== "ok") return JSON.stringify(before.row) !== JSON.stringify(after.row);
  if (after.row === null) return true;
  return column === "_deleted" ? after.row.deleted === "true" : after.row.version === forgedVersion;
}

export function rowText(row: Row): string {
  return row === null ? "gone with the row" : `${row.version}, deleted ${row.deleted}`;
}
