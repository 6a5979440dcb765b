/** Rows as they must be, and how those that were read differ from them. */
import type { Values } from "../../src/history/history.ts";
import { cellText } from "../../src/server/target.ts";

export type Changed = {
  readonly key: string;
  readonly column: string;
  readonly expected: string;
  readonly shown: string;
};

export type Differences = {
  /** Keys that must be there, and are not. */
  readonly lost: readonly string[];
  /** Keys that are there more than once. */
  readonly doubled: readonly string[];
  /** The first column of each row that is not as expected. */
  readonly changed: readonly Changed[];
  /** Keys that must not be there. */
  readonly strange: readonly string[];
};

/** Compares the columns of the expected rows; 64-bit integers come as text. */
export function differencesOf(expected: readonly Values[], shown: readonly Values[]): Differences {
  const wanted = new Map(expected.map((row) => [cellText(row["id"]), row]));
  const seen = new Map<string, number>();
  const changed: Changed[] = [];
  for (const row of shown) {
    const key = cellText(row["id"]);
    seen.set(key, (seen.get(key) ?? 0) + 1);
    const like = wanted.get(key);
    const column = Object.keys(like ?? {}).find((name) => textOf(like, name) !== textOf(row, name));
    if (column !== undefined) changed.push({ key, column, expected: textOf(like, column), shown: textOf(row, column) });
  }
  return {
    lost: [...wanted.keys()].filter((key) => !seen.has(key)),
    doubled: [...seen].flatMap(([key, times]) => (times > 1 ? [key] : [])),
    changed,
    strange: [...seen.keys()].filter((key) => !wanted.has(key)),
  };
}

function textOf(row: Values | undefined, column: string): string {
  const value = row?.[column] ?? null;
  return value === null ? "NULL" : cellText(value);
}

/** `3 of 20 rows, such as 4, 7, 9`. */
export function someOf(keys: readonly string[], of: number): string {
  return `${keys.length} of ${of} rows, such as ${keys.slice(0, 5).join(", ")}`;
}
