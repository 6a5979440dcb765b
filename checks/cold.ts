/** Rows in cold storage: flushed, and seen to be there. */
import type { Context } from "../src/check.ts";
import { cellText, rowsOf, saidOf, type Account, type Target } from "../src/target/target.ts";

const withinMs = 10_000;

/** How many rows of each scope (an account's name, or `shared`) lie in segments. */
export type Flushed = { readonly [scope: string]: number };

/**
 * Flushes a table as this account and waits until there is a segment of each of the scopes. Returns what the manifest
 * shows, however far it came; a sentence where the server would not flush or not tell.
 */
export async function flushed(
  target: Target,
  context: Pick<Context, "poll">,
  as: Account,
  table: string,
  scopes: readonly string[],
): Promise<Flushed | string> {
  const started = await target.sql(as, `STORAGE FLUSH TABLE ${table}`);
  if (started.kind !== "ok") return `STORAGE FLUSH TABLE ${table}: ${saidOf(started).message}`;
  const [namespace = "", name = ""] = table.split(".");
  const manifest = async (): Promise<Flushed | string> => {
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
