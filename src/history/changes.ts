/**
 * Judges of a stream of changes: what was written, what a subscriber received, what the table holds at the end. Each
 * guarantee is one small function over the recorded history (as etcd's robustness tests judge its watch): reliable, unique,
 * ordered, correct, prompt. Marks are unique, so each event leads back to the one write that caused it.
 */
import type { Json } from "../wire/json.ts";
import { lastWrites, type Values, type Write } from "./history.ts";

/** One row of one change frame as the subscriber received it. `row` and `old` without system columns. */
export type DeliveredChange = {
  readonly kind: string;
  readonly row: Values | null;
  readonly old: Values | null;
  /** Milliseconds on the clock of the writes. */
  readonly at: number;
};

export type ChangeHistory = {
  readonly keyColumn: string;
  /** The column whose value is unique to each insert and update; a delete has the mark of the row that it removed. */
  readonly markColumn: string;
  readonly writes: readonly Write[];
  readonly delivered: readonly DeliveredChange[];
  /** Key and mark of each row in the table after the fence. */
  readonly table: readonly (readonly [string, string])[];
};

export interface Missing {
  readonly write: Write;
  /** `delivery`: the table has it, the subscriber did not receive it. `data`: the table does not have it either. */
  readonly lost: "delivery" | "data";
}

/**
 * Acknowledged writes without an event, each looked up in the table. Not a delete after an unsure write of its key: nobody
 * knows which mark it removed.
 */
export function missingChanges(history: ChangeHistory): Missing[] {
  const before = previousRows(history);
  const delivered = new Set(history.delivered.map((change) => identityOf(change, history)));
  const table = new Map(history.table);
  const last = lastWrites(history.writes);
  const inTable = (write: Write): boolean => {
    const final = last.get(write.key);
    // A write that a later one replaced counts as the later one does.
    if (final !== write) return final === undefined || final.outcome !== "ok" || inTable(final);
    const mark = table.get(write.key);
    return write.kind === "delete" ? mark === undefined : mark === markIn(write.values, history);
  };
  return history.writes
    .filter((write) => write.outcome === "ok" && !delivered.has(writeIdentity(write, history)))
    .filter((write) => write.kind !== "delete" || before.has(write))
    .map((write) => ({ write, lost: inTable(write) ? "delivery" : "data" }));
}

/** Events that came more than once: each with the number of times. */
export function duplicateChanges(history: ChangeHistory): { readonly identity: string; readonly times: number }[] {
  const times = new Map<string, number>();
  for (const change of history.delivered) {
    const identity = identityOf(change, history);
    times.set(identity, (times.get(identity) ?? 0) + 1);
  }
  return [...times].filter(([, count]) => count > 1).map(([identity, count]) => ({ identity, times: count }));
}

export interface OutOfOrder {
  readonly earlier: Write;
  readonly later: Write;
  /** `key`: two changes of one row; `client`: two statements of one client. */
  readonly within: "key" | "client";
}

/** Events that came after one that was written later, of the same key or by the same client. */
export function changesOutOfOrder(history: ChangeHistory): OutOfOrder[] {
  const pending = writesByIdentity(history);
  const latest = { key: new Map<string, Write>(), client: new Map<number, Write>() };
  const outOfOrder: OutOfOrder[] = [];
  for (const change of history.delivered) {
    const identity = identityOf(change, history);
    const write = pending.get(identity);
    if (write === undefined) continue;
    // A repeated event is a duplicate, and not out of order as well.
    pending.delete(identity);
    const ofKey = latest.key.get(write.key);
    const ofClient = latest.client.get(write.client);
    if (ofKey !== undefined && ofKey.statement > write.statement)
      outOfOrder.push({ earlier: write, later: ofKey, within: "key" });
    else if (ofClient !== undefined && ofClient.statement > write.statement)
      outOfOrder.push({ earlier: write, later: ofClient, within: "client" });
    if (ofKey === undefined || ofKey.statement <= write.statement) latest.key.set(write.key, write);
    if (ofClient === undefined || ofClient.statement <= write.statement) latest.client.set(write.client, write);
  }
  return outOfOrder;
}

export interface WrongContent {
  readonly what: "row" | "old" | "kind";
  readonly delivered: DeliveredChange;
  readonly wanted: Json;
}

/**
 * Events whose content is not what was written: the kind, the row, the old values. A column that an event leaves out counts
 * as NULL in a row and as unchanged among old values. Events that no write of ours caused are wrong rows, too.
 */
export function wrongContents(history: ChangeHistory): WrongContent[] {
  const byIdentity = writesByIdentity(history);
  const before = previousRows(history);
  const wrong: WrongContent[] = [];
  for (const delivered of history.delivered) {
    const write = byIdentity.get(identityOf(delivered, history));
    if (write === undefined) {
      wrong.push({ what: "row", delivered, wanted: null });
      continue;
    }
    if (delivered.kind !== write.kind) wrong.push({ what: "kind", delivered, wanted: write.kind });
    if (write.outcome === "refused") wrong.push({ what: "row", delivered, wanted: null });
    const row = rowAfter(write, history);
    if (!sameRow(delivered.row, row)) wrong.push({ what: "row", delivered, wanted: row });
    const old = before.get(write);
    if (old !== undefined && !fits(delivered.old, old, write.kind)) wrong.push({ what: "old", delivered, wanted: old });
  }
  return wrong;
}

/** The row before each write, null where there was none; absent where an unsure write leaves it open. */
function previousRows(history: ChangeHistory): Map<Write, Values | null> {
  const rows = new Map<string, Values | null | undefined>();
  const before = new Map<Write, Values | null>();
  for (const write of history.writes) {
    const known = rows.has(write.key) ? rows.get(write.key) : null;
    if (known !== undefined) before.set(write, known);
    if (write.outcome === "refused") continue;
    rows.set(write.key, write.outcome === "unsure" ? undefined : rowAfter(write, history));
  }
  return before;
}

/** The row as a write leaves it; null after a delete. */
function rowAfter({ kind, key, values }: Write, { keyColumn }: ChangeHistory): Values | null {
  return kind === "delete" ? null : { [keyColumn]: key, ...values };
}

function sameRow(delivered: Values | null, wanted: Values | null): boolean {
  if (delivered === null || wanted === null) return delivered === wanted;
  for (const column in wanted) if (!same(delivered[column] ?? null, wanted[column] ?? null)) return false;
  for (const column in delivered) if (!(column in wanted) && delivered[column] !== null) return false;
  return true;
}

/** An insert has no old values; those of an update and a delete must be what the row had, as far as they are delivered. */
function fits(delivered: Values | null, before: Values | null, kind: Write["kind"]): boolean {
  if (kind === "insert" || before === null) return delivered === null || kind !== "insert";
  if (delivered === null) return false;
  return Object.entries(delivered).every(([column, value]) => same(value, before[column] ?? null));
}

function same(one: Json, other: Json): boolean {
  if (one === other || one === null || other === null) return one === other;
  return typeof one === "object" && typeof other === "object" && JSON.stringify(one) === JSON.stringify(other);
}

export interface Delays {
  /** Milliseconds from when each write was due to be sent until its first event, in the order of the events. */
  readonly delays: readonly number[];
  /** Of the same events: milliseconds from the acknowledgement of the write, 0 where the event came first. */
  readonly afterAck: readonly number[];
  /** Acknowledged writes: as many events there had to be. (An unsure write that shows has its delay, and is not expected.) */
  readonly expected: number;
  /** Acknowledged writes without an event: their delays are not known, and not among the delays. */
  readonly missing: number;
}

/** How long changes took, and how many did not come at all: a share of the delays says little where events are missing. */
export function delaysOf(history: ChangeHistory): Delays {
  const pending = writesByIdentity(history);
  const delays: number[] = [];
  const afterAck: number[] = [];
  for (const change of history.delivered) {
    const identity = identityOf(change, history);
    const write = pending.get(identity);
    if (write === undefined) continue;
    delays.push(change.at - write.dueAt);
    afterAck.push(Math.max(0, change.at - write.returnedAt));
    pending.delete(identity);
  }
  const acknowledged = (writes: Iterable<Write>): number =>
    [...writes].filter(({ outcome }) => outcome === "ok").length;
  return { delays, afterAck, expected: acknowledged(history.writes), missing: acknowledged(pending.values()) };
}

/** The value that a share of the values does not exceed (nearest rank); NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function writesByIdentity(history: ChangeHistory): Map<string, Write> {
  return new Map(history.writes.map((write) => [writeIdentity(write, history), write]));
}

/** Which change it is, whatever its kind is called: a mark is written to a row once and removed from it once. */
function writeIdentity({ kind, values }: Write, history: ChangeHistory): string {
  return `${kind === "delete" ? "removal" : "write"} of ${markIn(values, history)}`;
}

/** The event of a delete has the mark of the old row. */
function identityOf({ row, old }: DeliveredChange, history: ChangeHistory): string {
  return `${row === null ? "removal" : "write"} of ${markIn(row ?? old ?? {}, history)}`;
}

function markIn(values: Values, { markColumn }: ChangeHistory): string {
  const mark = values[markColumn];
  return typeof mark === "string" ? mark : "";
}
