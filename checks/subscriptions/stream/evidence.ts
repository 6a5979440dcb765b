/** A stream as a correct server makes it, for proofs: inserts, updates and deletes by four clients in turn. */
import type { DeliveredChange } from "../../../src/history/changes.ts";
import type { Values, Write } from "../../../src/history/history.ts";
import type { Streamed } from "./index.ts";

/** `count` changes, and for each the event; `delayMs` from write to event. */
export function soundStream(count: number, delayMs = 5): Streamed {
  const writes: Write[] = [];
  const delivered: DeliveredChange[] = [];
  const table = new Map<string, Values & { mark: string }>();
  for (let n = 0; n < count; n += 1) {
    // Of three steps of a key the first inserts, the second updates, the third deletes.
    const [key, step] = [String(Math.floor(n / 3)), n % 3];
    const kind = (["insert", "update", "delete"] as const)[step] ?? "insert";
    const before = table.get(key);
    const values = kind === "delete" && before !== undefined ? before : { mark: `m${n}`, n, note: null };
    const sent = { client: Number(key) % 4, statement: n, dueAt: n, invokedAt: n, returnedAt: n + 1 };
    writes.push({ ...sent, key, kind, values, outcome: "ok" });
    const row = kind === "delete" ? null : { id: key, ...values };
    const old = before === undefined ? null : { id: key, mark: before.mark };
    delivered.push({ kind, row, old, at: n + delayMs });
    if (kind === "delete") table.delete(key);
    else table.set(key, values);
  }
  const marks = [...table].map(([key, { mark }]) => [key, mark] as const);
  return {
    writes,
    delivered,
    table: marks,
    fenceMs: 4,
    phases: [{ from: 0, controlMs: 12 }],
    notices: [],
    exchange: 1,
  };
}

/** The same stream with the n-th event replaced. */
export function withEvent(
  stream: Streamed,
  n: number,
  replace: (change: DeliveredChange) => readonly DeliveredChange[],
): Streamed {
  return { ...stream, delivered: stream.delivered.flatMap((change, at) => (at === n ? replace(change) : [change])) };
}
