/** A stream as a correct server makes it, for proofs: inserts, updates and deletes by four writers in turn. */
import type { RowWrite, ToldChange } from "../../../src/history/changes.ts";
import type { Streamed } from "./index.ts";

/** `count` changes, and for each the event; `delayMs` from write to event. */
export function soundStream(count: number, delayMs = 5): Streamed {
  const writes: RowWrite[] = [];
  const told: ToldChange[] = [];
  const table = new Map<string, string>();
  for (let n = 0; n < count; n += 1) {
    // Of three steps of a key the first inserts, the second updates, the third deletes.
    const [key, step] = [String(Math.floor(n / 3)), n % 3];
    const kind = (["insert", "update", "delete"] as const)[step] ?? "insert";
    const before = table.get(key);
    const mark = kind === "delete" ? (before ?? "") : `m${n}`;
    const rest = { n: kind === "delete" ? n - 1 : n, note: null };
    writes.push({ statement: n, writer: Number(key) % 4, key, kind, mark, rest, outcome: "ok", from: n, to: n + 1 });
    const row = kind === "delete" ? null : { id: key, mark, ...rest };
    told.push({ kind, row, old: before === undefined ? null : { id: key, mark: before }, at: n + delayMs });
    if (kind === "delete") table.delete(key);
    else table.set(key, mark);
  }
  return { why: null, writes, told, table: [...table], fenceMs: 4, notices: [], exchange: 1, lagMs: 3 };
}

/** The same stream with the n-th event replaced. */
export function withEvent(
  stream: Streamed,
  n: number,
  replace: (change: ToldChange) => readonly ToldChange[],
): Streamed {
  return { ...stream, told: stream.told.flatMap((change, at) => (at === n ? replace(change) : [change])) };
}
