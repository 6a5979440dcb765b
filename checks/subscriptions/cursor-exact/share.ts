/** What one reader received of its share of the keys. */
import { integerText, type Row } from "../../../src/server/target.ts";

export type Share = {
  readonly from: number;
  readonly to: number;
  readonly pages: number;
  /** Why the snapshot did not come to its end; null where it did. */
  readonly ended: string | null;
  readonly missing: readonly string[];
  readonly missingCount: number;
  readonly doubled: readonly string[];
  readonly doubledCount: number;
  readonly exchange: number;
};

interface Reading {
  readonly from: number;
  readonly to: number;
  readonly pages: readonly (readonly Row[])[];
  readonly ended: string | null;
  readonly exchange: number;
}

/** What a reader of the keys from `from` to before `to` received of them. */
export function shareOf({ from, to, pages, ended, exchange }: Reading): Share {
  const times = new Map<string, number>();
  for (const row of pages.flat()) {
    const id = integerText(row["id"]) ?? "";
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  const wanted = Array.from({ length: to - from }, (_, at) => String(from + at));
  // Before the end nothing is missing yet.
  const missing = ended === null ? wanted.filter((id) => !times.has(id)) : [];
  const doubled = [...times].filter(([, count]) => count > 1).map(([id]) => id);
  return {
    from,
    to,
    pages: pages.length,
    ended,
    missing: missing.slice(0, 5),
    missingCount: missing.length,
    doubled: doubled.slice(0, 5),
    doubledCount: doubled.length,
    exchange,
  };
}
