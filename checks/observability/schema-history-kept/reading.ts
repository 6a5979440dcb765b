/** Versions and columns of a table, as the system views and DESCRIBE show them. Columns that the server adds are left out. */
import type { Json } from "../../../src/wire/json.ts";
import { cellText, integerText, rowsOf, type Account, type Target } from "../../../src/server/target.ts";

/** A version in system.schemas. */
export type Kept = { readonly version: number; readonly latest: boolean; readonly columns: readonly string[] };

/** What DESCRIBE shows. */
export type Described = {
  readonly versions: readonly number[];
  readonly columns: readonly string[];
  readonly exchange: number;
};

/** The version of the only table of the namespace; null if system.tables does not show it. */
export async function versionOf(target: Target, as: Account, namespace: string): Promise<number | null> {
  const rows = rowsOf(
    await target.sql(as, `SELECT version FROM system.tables WHERE namespace_id = '${namespace}' LIMIT 5`),
  );
  const version = integerText(rows?.[0]?.["version"]);
  return rows?.length === 1 && version !== undefined ? Number(version) : null;
}

export function keptOf(row: Readonly<Record<string, Json>>): Kept {
  const columns = [...cellText(row["columns"]).matchAll(/"column_name"\s*:\s*"([^"]+)"/g)].map(([, name = ""]) => name);
  return {
    version: Number(cellText(row["schema_version"])),
    latest: row["is_latest"] === true,
    columns: ownOf(columns),
  };
}

/** Null if it was not answered. */
export async function describe(target: Target, as: Account, statement: string): Promise<Described | null> {
  const answer = await target.sql(as, statement);
  const rows = rowsOf(answer);
  if (rows === undefined || rows.length === 0) return null;
  return {
    versions: [...new Set(rows.map((row) => Number(cellText(row["schema_version"]))))],
    columns: ownOf([...new Set(rows.map((row) => cellText(row["column_name"])))]),
    exchange: answer.exchange,
  };
}

/** Without the columns that the server adds. */
function ownOf(columns: readonly string[]): string[] {
  return columns.filter((name) => !name.startsWith("_"));
}
