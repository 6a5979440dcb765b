import type { Options } from "./news.ts";
import { LiveRefusal } from "./query.ts";

/** How many rows a page has when nobody says. */
export const defaultPageRows = 1000;

export function refuseOptions(options: Options | undefined): void {
  const { batchSize = defaultPageRows, lastRows = 0, unknown } = options ?? {};
  const unsupported = (message: string): LiveRefusal => new LiveRefusal("UNSUPPORTED", message);
  // One that is misspelt must not be taken for one that was never given.
  if (unknown !== undefined) throw unsupported(`Unknown subscription option '${unknown}'`);
  if (batchSize < 1) throw unsupported("batch_size must be at least 1");
  if (lastRows > batchSize) {
    throw unsupported(
      `last_rows (${lastRows}) cannot exceed batch_size (${batchSize}); paginated last_rows replay is not supported`,
    );
  }
}

/** As `system.live` shows them. */
export function shownOptions(options: Options | undefined): string | null {
  if (options === undefined) return null;
  const { batchSize, lastRows, from } = options;
  const given = Object.entries({ batch_size: batchSize, last_rows: lastRows, from });
  // By hand, because the version is a number that JSON.stringify could not write.
  return `{${given.flatMap(([name, value]) => (value === undefined ? [] : `"${name}":${value}`)).join(",")}}`;
}
