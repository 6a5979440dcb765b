/** Attempts to write the columns that the server keeps for itself. */
import {
  cellText,
  rowsOf,
  saidOf,
  isCleanRefusal,
  type Account,
  type Said,
  type Target,
} from "../../../src/server/target.ts";

/** Nobody's row version, as small as none has been since KalamDB was written. */
const forgedVersion = "77";

/** One line a way to write a system column: `{k}` the key, `{c}` the column, `{x}` the value. */
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

/** A row as far as this check cares; null where it is not there. */
export type Row = { readonly version: string; readonly deleted: string } | null;

export type Assigned = {
  readonly case: string;
  readonly role: string;
  readonly sql: string;
  readonly said: Said;
  readonly column: string;
  /** Null where it could not be read. */
  readonly before: { readonly row: Row } | null;
  readonly after: { readonly row: Row } | null;
};

/** Each way with each column, on a row of its own; the same statement without the column before it. */
export async function assignAll(
  target: Target,
  as: Account,
  table: string,
  columns: readonly string[],
  also: (as: Account, sql: string) => Promise<void>,
): Promise<Assigned[]> {
  const version = columns.find((column) => column !== "_deleted") ?? "_seq";
  const read = async (key: number): Promise<{ row: Row } | null> => {
    const rows = rowsOf(await target.sql(as, `SELECT * FROM ${table} WHERE id = ${key}`));
    const row = rows?.[0];
    if (rows === undefined) return null;
    return { row: row === undefined ? null : { version: cellText(row[version]), deleted: cellText(row["_deleted"]) } };
  };
  const assigned: Assigned[] = [];
  let key = 10;
  for (const column of columns) {
    for (const { name, sql, inserts, params } of assignments) {
      key += 1;
      const value = column === "_deleted" ? "true" : forgedVersion;
      const text = sql
        .replaceAll("{t}", table)
        .replaceAll("{c}", column)
        .replaceAll("{k}", String(key))
        .replaceAll("{x}", value);
      if (!inserts) await also(as, `INSERT INTO ${table} (id, v) VALUES (${key}, 'kept')`);
      const before = await read(key);
      const given = params === undefined ? {} : { params: [column === "_deleted" ? true : Number(forgedVersion)] };
      const said = saidOf(await target.sql(as, text, given));
      assigned.push({
        case: `${name} of ${column}, as ${as.role}`,
        role: as.role,
        sql: text,
        said,
        column,
        before,
        after: await read(key),
      });
    }
  }
  await also(as, `UPDATE ${table} SET v = 'b' WHERE id = 1`);
  return assigned;
}

/** Whether the row is what the statement wanted of the system's column, or is gone, or came although it was refused. */
export function isForged({ said, before, after, column }: Assigned): boolean {
  if (before === null || after === null || (said.kind !== "ok" && !isCleanRefusal(said))) return false;
  if (said.kind !== "ok") return JSON.stringify(before.row) !== JSON.stringify(after.row);
  if (after.row === null) return true;
  return column === "_deleted" ? after.row.deleted === "true" : after.row.version === forgedVersion;
}

export function rowText(row: Row): string {
  return row === null ? "gone with the row" : `${row.version}, deleted ${row.deleted}`;
}
