/** Which rows of a batch are in the table. */
import { cellText, rowsOf, type Account, type Target } from "../../../src/server/target.ts";

/** Lists are samples of at most five keys. */
export type Stored = {
  /** Rows with a key of the batch, whatever their value. */
  readonly count: number;
  readonly present: readonly string[];
  readonly missing: readonly string[];
  readonly changed: readonly string[];
  readonly changedCount: number;
  /** The requests that show it. */
  readonly exchanges: readonly number[];
};

const pageRows = 500;
const sampleMax = 5;

/**
 * Reads the rows whose keys are between the first and the last; null if a page was not answered. Where all should be there,
 * missing ones are asked for by their key before they count as missing.
 */
export async function storedOf(
  target: Target,
  as: Account,
  table: string,
  wanted: ReadonlyMap<string, string>,
  allExpected: boolean,
): Promise<Stored | null> {
  const keys = [...wanted.keys()];
  const [first, last] = [keys[0] ?? "0", keys.at(-1) ?? "0"];
  const got = new Map<string, string>();
  const exchanges: number[] = [];
  for (let from = BigInt(first); from <= BigInt(last); from += BigInt(pageRows)) {
    const to = from + BigInt(pageRows);
    const answer = await target.sql(
      as,
      `SELECT id, v FROM ${table} WHERE id >= ${from} AND id < ${to} AND id <= ${last} LIMIT ${pageRows}`,
    );
    const rows = rowsOf(answer);
    if (rows === undefined) return null;
    for (const row of rows) got.set(cellText(row["id"]), cellText(row["v"]));
    const full = Math.min(pageRows, Number(BigInt(last) - from) + 1);
    if (rows.length !== (allExpected ? full : 0) && exchanges.length < sampleMax) exchanges.push(answer.exchange);
  }
  const missing = keys.filter((key) => !got.has(key));
  if (allExpected && missing.length > 0) {
    const answer = await target.sql(
      as,
      `SELECT id, v FROM ${table} WHERE id IN (${missing.slice(0, pageRows).join(", ")}) LIMIT ${pageRows}`,
    );
    const rows = rowsOf(answer);
    if (rows === undefined) return null;
    exchanges.push(answer.exchange);
    for (const row of rows) got.set(cellText(row["id"]), cellText(row["v"]));
  }
  const present = keys.filter((key) => got.has(key));
  const changed = present.filter((key) => got.get(key) !== wanted.get(key));
  return {
    count: present.length,
    present: present.slice(0, sampleMax),
    missing: keys.filter((key) => !got.has(key)).slice(0, sampleMax),
    changed: changed.slice(0, sampleMax),
    changedCount: changed.length,
    exchanges,
  };
}
