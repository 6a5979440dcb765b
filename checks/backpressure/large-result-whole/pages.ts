/** A table read in pages by its key, and what is wrong with the rows that came. */
import { integerText, outcomeOf, rowsOf, type Account, type Target, truncated } from "../../../src/server/target.ts";

type Way = "with one LIMIT" | "in pages upwards" | "in pages downwards";

export type Walk = {
  readonly way: Way;
  /** The rows that should come. */
  readonly of: number;
  readonly pages: number;
  /** Why it did not come to an end; null if it did. */
  readonly ended: string | null;
  /** At most five. */
  readonly missing: readonly number[];
  readonly missingCount: number;
  /** At most five. */
  readonly doubled: readonly number[];
  readonly doubledCount: number;
  /** The first two neighbours in the wrong order. */
  readonly unordered: readonly [number, number] | null;
  readonly exchanges: readonly number[];
};

/** Keys with gaps between them, in no order. Fisher and Yates. */
export function shuffledKeys(count: number, random: () => number): number[] {
  const keys = Array.from({ length: count }, (_, at) => at * 3 - count);
  for (let at = count - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [keys[at], keys[other]] = [keys[other] ?? 0, keys[at] ?? 0];
  }
  return keys;
}

interface Reading {
  readonly table: string;
  readonly keys: readonly number[];
  readonly way: Way;
  readonly page: number;
  readonly most: number;
}

export async function readPages(target: Target, as: Account, reading: Reading): Promise<Walk> {
  const { table, way, page, most, keys } = reading;
  const down = way === "in pages downwards";
  const order = `ORDER BY id${down ? " DESC" : ""} LIMIT ${page}`;
  const got: number[] = [];
  const exchanges: number[] = [];
  let ended: string | null = null;
  let last: number | undefined;
  // A server that repeats pages must not keep us here.
  const pagesMax = Math.ceil(most / page) + 2;
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const where = last === undefined ? "" : ` WHERE id ${down ? "<" : ">"} ${last}`;
    const answer = await target.sql(as, `SELECT id, v FROM ${table}${where} ${order}`);
    exchanges.push(answer.exchange);
    const rows = rowsOf(answer);
    if (rows === undefined) {
      ended = truncated(outcomeOf(answer), 200);
      break;
    }
    const ids = rows.map((row) => Number(integerText(row["id"]) ?? Number.NaN));
    got.push(...ids);
    // Not the last one: rows in the wrong order would make others missing.
    if (ids.length > 0) last = down ? Math.min(...ids) : Math.max(...ids);
    if (ids.length < page || way === "with one LIMIT") break;
  }
  const wanted = keys.toSorted((a, b) => (down ? b - a : a - b)).slice(0, most);
  return { way, of: wanted.length, pages: exchanges.length, ended, ...differences(wanted, got, down), exchanges };
}

export function differences(
  wanted: readonly number[],
  got: readonly number[],
  down: boolean,
): Pick<Walk, "missing" | "missingCount" | "doubled" | "doubledCount" | "unordered"> {
  const times = new Map<number, number>();
  for (const id of got) times.set(id, (times.get(id) ?? 0) + 1);
  const missing = wanted.filter((id) => !times.has(id));
  const doubled = [...times].filter(([, count]) => count > 1).map(([id]) => id);
  const at = got.findIndex((id, n) => {
    const next = got[n + 1];
    return next !== undefined && (down ? next > id : next < id);
  });
  return {
    missing: missing.slice(0, 5),
    missingCount: missing.length,
    doubled: doubled.slice(0, 5),
    doubledCount: doubled.length,
    unordered: at === -1 ? null : [got[at] ?? 0, got[at + 1] ?? 0],
  };
}
