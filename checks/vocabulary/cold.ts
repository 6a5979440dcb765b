/** Rows in cold storage: flushed, and seen to be there. */
import type { Context } from "../../src/check.ts";
import { cellText, rowsOf, saidOf, type Account, type Target } from "../../src/server/target.ts";
import { startFlush } from "./jobs.ts";

const withinMs = 10_000;

/** How many rows of each scope (an account's name, or `shared`) lie in segments. */
export type InSegments = { readonly [scope: string]: number };

/**
 * Flushes a table as this account and waits until there is a segment of each of the scopes. Returns what the manifest
 * shows, however far it came; a sentence where the server would not flush or not tell.
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
  const [namespace = "", name = ""] = table.split(".");
  const manifest = async (): Promise<InSegments | string> => {
    const answer = await target.sql(
      as,
      `SELECT scope, manifest_json FROM system.manifest WHERE namespace_id = '${namespace}' AND table_name = '${name}' LIMIT 500`,
    );
    const rows = rowsOf(answer);
    if (rows === undefined) return `system.manifest could not be read: ${saidOf(answer).message}`;
    return Object.fromEntries(
      rows.map((row) => [cellText(row["scope"]), rowsInSegments(cellText(row["manifest_json"]))]),
    );
  };
  return await context.poll(
    manifest,
    (shown) => typeof shown === "string" || scopes.every((scope) => (shown[scope] ?? 0) > 0),
    { withinMs, everyMs: 40 },
  );
}

function rowsInSegments(manifest: string): number {
  try {
    const { segments = [] } = JSON.parse(manifest) as { segments?: readonly { row_count?: number }[] };
    return segments.reduce((sum, { row_count: count = 0 }) => sum + count, 0);
  } catch {
    return 0;
  }
}
