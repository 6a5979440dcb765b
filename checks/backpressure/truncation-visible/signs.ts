/** A query, and whatever in its answer may say that there are more rows than it has. */
import {
  integerText,
  onlyRow,
  saidOf,
  type Account,
  type Said,
  type Target,
  truncated,
} from "../../../src/server/target.ts";
import { isRecord, type Json } from "../../../src/wire/json.ts";

export type Asked = {
  readonly way: string;
  readonly said: Said;
  /** Rows in the answer; null if it has none to count. */
  readonly got: number | null;
  /** Rows in the table: as written, and by COUNT(*). */
  readonly of: number;
  readonly there: number | null;
  /** Null if the request that looks for them was not answered. */
  readonly signs: readonly string[] | null;
};

/** Fields that every answer has. */
const ordinary = new Set(["status", "results", "took", "error", "schema", "rows", "row_count", "as_user"]);
const tells = /trunc|limit|more|partial|incomplete|\bcut\b|total|next|cursor|continu|only the first/i;

/**
 * Sends the statement twice: as a statement, for its outcome, and as a plain request, because signs may stand where no
 * other answer has anything.
 */
export async function ask(
  target: Target,
  as: Account,
  {
    way,
    sql,
    table,
    rows,
  }: { readonly way: string; readonly sql: string; readonly table: string; readonly rows: number },
): Promise<Asked> {
  const answer = await target.sql(as, sql);
  const reply = await target.request(as, {
    method: "POST",
    path: "/v1/api/sql",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ sql }),
  });
  const counted = onlyRow(await target.sql(as, `SELECT COUNT(*) AS n FROM ${table}`))?.["n"];
  const there = integerText(counted);
  const [result] = answer.kind === "ok" ? answer.results : [];
  return {
    way,
    said: saidOf(answer),
    got: result === undefined || result.columns.length === 0 ? null : result.rows.length,
    of: rows,
    there: there === undefined ? null : Number(there),
    signs:
      reply.kind === "answered" && reply.status === 200 && reply.json !== undefined
        ? [...signsIn(reply.json, rows), ...headerSigns(reply.headers)]
        : null,
  };
}

/** Fields beyond the ordinary ones that speak of more rows, and messages that do. */
export function signsIn(json: Json | undefined, rows: number): string[] {
  if (!isRecord(json)) return [];
  const results = json["results"];
  const [first] = Array.isArray(results) ? (results as readonly Json[]) : [];
  return [json, first].flatMap((record) => {
    if (!isRecord(record)) return [];
    return Object.entries(record).flatMap(([name, value]) => {
      if (ordinary.has(name) || value === null || value === false) return [];
      const text = typeof value === "string" ? value : JSON.stringify(value);
      // `total_rows: 130` says it; `message: "130 rows"` says it, too.
      const says = tells.test(name) || tells.test(text) || new RegExp(`\\b${rows}\\b`).test(text);
      return says ? [`${name}: ${truncated(text, 80)}`] : [];
    });
  });
}

/** Limits of the rate, and of the connection, are about something else. */
function headerSigns(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers)
    .filter(([name]) =>
      /trunc|partial|incomplete|total-count|(^|-)rows?(-|$)|^(content-range|link|warning)$/i.test(name),
    )
    .map(([name, value]) => `${name}: ${truncated(value, 80)}`);
}
