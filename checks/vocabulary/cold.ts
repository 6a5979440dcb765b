/** Rows in cold storage: flushed to segments, and listed there by the manifest. */
import type { Context } from "../../src/check.ts";
import { cellText, rowsOf, saidOf, type Account, type Target } from "../../src/server/target.ts";
import { startFlush } from "./jobs.ts";

const withinMs = 10_000;
const pollEveryMs = 100;

/** The number of rows in segments, by scope: an account's name, or `shared`. */
export type InSegments = { readonly [scope: string]: number };

/**
 * Flushes a table and waits until each of the scopes has rows in segments. Returns the last manifest that was read,
 * complete or not; a string if the table could not be flushed or the manifest not be read.
 */
export async function flushToSegments(
  target: Target,
  context: Pick<Context, "poll">,
  as: Account,
  table: string,
  scopes: readonly string[],
): Promise<InSegments | string> {
  const { said } = await startFlush(target, as, table);
  if (said.kind !== "ok") return `STORAGE FLUSH TABLE ${table}: ${said.message}`;
  return await context.poll(
    async () => {
      const segments = await readSegments(target, as, table);
      if (typeof segments === "string") return segments;
      return Object.fromEntries(
        Object.entries(segments).map(([scope, counts]) => [scope, counts.reduce((sum, count) => sum + count, 0)]),
      );
    },
    (rows) => typeof rows === "string" || scopes.every((scope) => (rows[scope] ?? 0) > 0),
    { withinMs, everyMs: pollEveryMs },
  );
}

/** The row count of each segment of a table, by scope; a string if the manifest could not be read. */
export async function readSegments(
  target: Target,
  as: Account,
  table: string,
): Promise<{ readonly [scope: string]: readonly number[] } | string> {
  const [namespace = "", name = ""] = table.split(".");
  const answer = await target.sql(
    as,
    `SELECT scope, manifest_json FROM system.manifest WHERE namespace_id = '${namespace}' AND table_name = '${name}' LIMIT 500`,
  );
  const rows = rowsOf(answer);
  if (rows === undefined) return `system.manifest could not be read: ${saidOf(answer).message}`;
  try {
    return Object.fromEntries(rows.map((row) => [cellText(row["scope"]), rowCounts(cellText(row["manifest_json"]))]));
  } catch {
    return "system.manifest contains a manifest that is not valid JSON";
  }
}

/** Throws for invalid JSON. Other numbers in a manifest lose digits here: they exceed a double, row counts do not. */
function rowCounts(manifest: string): number[] {
  const { segments = [] } = JSON.parse(manifest) as { segments?: readonly { row_count?: number }[] };
  return segments.map(({ row_count: count = 0 }) => count);
}
