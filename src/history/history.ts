/**
 * The record of a workload: each operation that its clients sent to the server, and what came of it. One shape for every
 * judge: of live changes, of concurrent writers, of what survives a crash, of delays under load. It follows the histories of
 * Jepsen (process, invoked, completed; ok, fail, info) and holds JSON only, so that it can be kept as evidence.
 */
import { cellText, type Json } from "../wire/json.ts";

/** Values by column, without the columns that the server adds. */
export type Values = { readonly [column: string]: Json };

/**
 * Only `ok` obliges the server. `refused` had no effect and must not show. `unsure` (no answer, or none that is understood)
 * may have taken effect, may take effect later, or never will.
 */
export type OperationOutcome = "ok" | "refused" | "unsure";

/** What reads and writes have in common. Times are milliseconds on this process's one monotonic clock (`performance.now()`). */
type Sent = {
  /** Which of the workload's clients sent it. A client has at most one request in flight. */
  readonly client: number;
  /** Number of the request in the run's recording (`Answer.exchange`): equal for rows of one request, increasing within a client. */
  readonly statement: number;
  /**
   * When the workload's schedule wanted it sent; `invokedAt` where there is no schedule. Delays count from here: a server
   * that holds a client up would otherwise hide the delay of what that client could not send (coordinated omission).
   */
  readonly dueAt: number;
  /** When it was sent. */
  readonly invokedAt: number;
  /** When its answer was complete; for `unsure`, when we stopped waiting. It took effect in between, an unsure one maybe later. */
  readonly returnedAt: number;
  readonly outcome: OperationOutcome;
};

/** One row of one writing statement. */
export type Write = Sent & {
  readonly kind: "insert" | "update" | "delete";
  readonly key: string;
  /** The other columns as this write leaves them; for a delete, as it found them. */
  readonly values: Values;
};

/** One query. */
export type Read = Sent & {
  readonly kind: "read";
  /** The one row that was asked for; null where it was more than one. */
  readonly key: string | null;
  /** The rows seen, with their keys; null unless the outcome is `ok`. No rows is an answer, too. */
  readonly rows: readonly Values[] | null;
};

export type Operation = Write | Read;

/** The writes among operations, in the order of the operations. */
export function writesIn(operations: readonly Operation[]): Write[] {
  return operations.filter((operation) => operation.kind !== "read");
}

/** The reads among operations, in the order of the operations. */
export function readsIn(operations: readonly Operation[]): Read[] {
  return operations.filter((operation) => operation.kind === "read");
}

/**
 * Whether one operation was over before the other was sent, so that no order of effects may turn them round (the real-time
 * order of linearizability, Herlihy and Wing 1990). Neither before the other: they were concurrent. An unsure one is never
 * over, and of two events at the same reading of the clock neither is known to be the first.
 */
export function precedes(one: Operation, other: Operation): boolean {
  return one.outcome !== "unsure" && one.returnedAt < other.invokedAt;
}

/** The number that a cell shows, also as text; NaN where it shows none. */
export function numberIn(cell: Json | undefined): number {
  // An empty text would be zero.
  return Number(cellText(cell) || "none");
}

/** The items by what `keyOf` returns for them, each group in the order of the items. */
export function groupBy<Key, Item>(items: Iterable<Item>, keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** The last write of each key that did or may have taken effect, by key. Writes of a key must come in their order. */
export function lastWrites(writes: readonly Write[]): Map<string, Write> {
  const last = new Map<string, Write>();
  for (const write of writes) if (write.outcome !== "refused") last.set(write.key, write);
  return last;
}
