/** What a change frame of the stream says of where it came from: writer and statement, by the mark of its row. */
import type { Json } from "../../../src/wire/json.ts";

export function statementOf(message: {
  readonly [key: string]: Json;
}): { readonly writer: string; readonly statement: string } | undefined {
  const [, writer, statement] =
    /"mark":"w(\d+)-(\d+)-\d+"/.exec(JSON.stringify(message["rows"] ?? message["old_values"] ?? null)) ?? [];
  return writer === undefined || statement === undefined ? undefined : { writer, statement };
}
