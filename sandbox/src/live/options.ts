import { dialect } from "../dialect.ts";
import type { Options } from "./notices.ts";
import { LiveRefusal } from "./query.ts";

/** Rows per page unless the client asks for another size. */
export const defaultPageRows = 1000;

export function refuseOptions(options: Options | undefined): void {
  const { batchSize = defaultPageRows, lastRows = 0, unknown } = options ?? {};
  const unsupported = (message: string): LiveRefusal => new LiveRefusal("UNSUPPORTED", message);
  // A misspelled option must not be ignored.
  if (unknown !== undefined) throw unsupported(`Unknown subscription option '${unknown}'`);
  if (batchSize < 1) throw unsupported("batch_size must be at least 1");
  if (lastRows > batchSize) {
    throw unsupported(
      `last_rows (${lastRows}) cannot exceed batch_size (${batchSize}); paginated last_rows replay is not supported`,
    );
  }
}

/** The options as shown in `system.live`. */
export function shownOptions(options: Options | undefined): string | null {
  if (options === undefined) return null;
  const { batchSize, lastRows, from } = options;
  const given = Object.entries({ batch_size: batchSize, last_rows: lastRows, from });
  // Built as text, because JSON.stringify would round the version.
  const written = (name: string, value: number | string): string =>
    name === "from" && dialect.cursor === "text" ? `"from":"${value}"` : `"${name}":${value}`;
  return `{${given.flatMap(([name, value]) => (value === undefined ? [] : written(name, value))).join(",")}}`;
}
