/** Which client and which of its statements a change frame of the stream came from, by the mark of its row. */
import type { Json } from "../../../src/wire/json.ts";

export function statementOf(message: {
  readonly [key: string]: Json;
}): { readonly client: string; readonly statement: string } | undefined {
  const [, client, statement] =
    /"mark":"w(\d+)-(\d+)-\d+"/.exec(JSON.stringify(message["rows"] ?? message["old_values"] ?? null)) ?? [];
  return client === undefined || statement === undefined ? undefined : { client, statement };
}
