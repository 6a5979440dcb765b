/** Compares the pages of a snapshot with the rows that the options asked for. */
import type { Case } from "./cases.ts";

interface Window {
  readonly missing: readonly string[];
  /** Rows that were not asked for. */
  readonly extra: readonly string[];
  readonly doubled: readonly string[];
  readonly wanted: number;
  /** Rows by which a page is longer than asked for. */
  readonly overflow: readonly string[];
}

/** `newest`: keys of all rows, the newest first. */
export function compare(asked: Case, pages: readonly (readonly string[])[], newest: readonly string[]): Window {
  const wanted = asked.newest === "all" ? newest : newest.slice(0, asked.newest);
  const rows = pages.flat();
  const size = asked.options?.batchSize ?? 0;
  const long = size === 0 ? undefined : pages.find((page) => page.length > size);
  return {
    missing: wanted.filter((id) => !rows.includes(id)),
    extra: [...new Set(rows)].filter((id) => !wanted.includes(id)),
    doubled: [...new Set(rows.filter((id, at) => rows.indexOf(id) !== at))],
    wanted: wanted.length,
    overflow: long?.slice(size) ?? [],
  };
}
