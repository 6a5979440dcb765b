/**
 * Judging a stream of changes: what was written, what a subscriber was told, what the table holds at the end. Each
 * guarantee is one small function over the recorded history (the way etcd's robustness tests judge its watch): reliable,
 * unique, ordered, right. Values are unique, so every event leads back to the one write that caused it.
 */
import type { Json } from "../wire/json.ts";

/** One row of one statement. Times are milliseconds on one monotonic clock. */
export type RowWrite = {
  /** Rows of one statement share its number; a writer's statements follow each other. */
  readonly statement: number;
  readonly writer: number;
  readonly key: string;
  readonly kind: "insert" | "update" | "delete";
  /** Unique: what `mark` the row has afterwards; for a delete, the one that it had. */
  readonly mark: string;
  /** The other columns afterwards (for a delete: before). */
  readonly rest: { readonly [column: string]: Json };
  /** Only `ok` obliges the server; `unsure` may or may not appear; `refused` must not. */
  readonly outcome: "ok" | "refused" | "unsure";
  readonly from: number;
  readonly to: number;
};

/** One row of one change frame. `row` and `old` without system columns. */
export type ToldChange = {
  readonly kind: string;
  readonly row: { readonly [column: string]: Json } | null;
  readonly old: { readonly [column: string]: Json } | null;
  readonly at: number;
};

export type ChangeHistory = {
  readonly keyColumn: string;
  readonly markColumn: string;
  readonly writes: readonly RowWrite[];
  readonly told: readonly ToldChange[];
  /** Key and mark of each row in the table after the fence. */
  readonly table: readonly (readonly [string, string])[];
};

export interface Missing {
  readonly write: RowWrite;
  /** `way`: the table has it, the subscriber was not told. `data`: the table does not have it either. */
  readonly lost: "way" | "data";
}

/** Acknowledged writes without an event, each looked up in the table. */
export function missingChanges(history: ChangeHistory): Missing[] {
  const told = new Set(history.told.map((change) => identityOf(change, history)));
  const table = new Map(history.table);
  const last = lastWrites(history.writes);
  return history.writes
    .filter((write) => write.outcome === "ok" && !told.has(writeIdentity(write)))
    .map((write) => ({ write, lost: inTable(write, last.get(write.key), table) ? "way" : "data" }));
}

/** Whether the table shows that the write took effect; of one that a later write replaced, that later one speaks for it. */
function inTable(write: RowWrite, last: RowWrite | undefined, table: ReadonlyMap<string, string>): boolean {
  if (last !== write) return last === undefined || last.outcome !== "ok" || inTable(last, last, table);
  const mark = table.get(write.key);
  return write.kind === "delete" ? mark === undefined : mark === write.mark;
}

/** Events that came more than once: each with the number of times. */
export function doubledChanges(history: ChangeHistory): { readonly identity: string; readonly times: number }[] {
  const times = new Map<string, number>();
  for (const change of history.told) {
    const identity = identityOf(change, history);
    times.set(identity, (times.get(identity) ?? 0) + 1);
  }
  return [...times].filter(([, count]) => count > 1).map(([identity, count]) => ({ identity, times: count }));
}

export interface WentBack {
  readonly earlier: RowWrite;
  readonly later: RowWrite;
  /** `key`: two changes of one row; `writer`: two statements of one writer. */
  readonly within: "key" | "writer";
}

/** Events that came after one that was written later, of the same key or by the same writer. */
export function changesOutOfOrder(history: ChangeHistory): WentBack[] {
  const position = new Map(history.writes.map((write, at) => [writeIdentity(write), at] as const));
  const latest = { key: new Map<string, number>(), writer: new Map<number, number>() };
  const back: WentBack[] = [];
  const seen = new Set<number>();
  for (const change of history.told) {
    const at = position.get(identityOf(change, history));
    const write = at === undefined ? undefined : history.writes[at];
    // A repeated event is doubled, and not out of order as well.
    if (at === undefined || write === undefined || seen.has(at)) continue;
    seen.add(at);
    const ofKey = history.writes[latest.key.get(write.key) ?? -1];
    const ofWriter = history.writes[latest.writer.get(write.writer) ?? -1];
    if (ofKey !== undefined && ofKey.statement > write.statement)
      back.push({ earlier: write, later: ofKey, within: "key" });
    else if (ofWriter !== undefined && ofWriter.statement > write.statement)
      back.push({ earlier: write, later: ofWriter, within: "writer" });
    if (ofKey === undefined || ofKey.statement <= write.statement) latest.key.set(write.key, at);
    if (ofWriter === undefined || ofWriter.statement <= write.statement) latest.writer.set(write.writer, at);
  }
  return back;
}

export interface WrongContent {
  readonly what: "row" | "old" | "kind";
  readonly told: ToldChange;
  readonly wanted: Json;
}

/**
 * Events whose content is not what was written: the kind, the row, the old values. A column that an event leaves out counts
 * as NULL in a row and as unchanged among old values. Events that no write of ours caused are wrong rows, too.
 */
export function wrongContents(history: ChangeHistory): WrongContent[] {
  const { keyColumn, markColumn } = history;
  const byIdentity = new Map(history.writes.map((write) => [writeIdentity(write), write] as const));
  const before = previousRows(history);
  const wrong: WrongContent[] = [];
  for (const told of history.told) {
    const write = byIdentity.get(identityOf(told, history));
    if (write === undefined) {
      wrong.push({ what: "row", told, wanted: null });
      continue;
    }
    if (told.kind !== write.kind) wrong.push({ what: "kind", told, wanted: write.kind });
    if (write.outcome === "refused") wrong.push({ what: "row", told, wanted: null });
    const row = write.kind === "delete" ? null : { [keyColumn]: write.key, [markColumn]: write.mark, ...write.rest };
    if (!sameRow(told.row, row)) wrong.push({ what: "row", told, wanted: row });
    const old = before.get(write);
    if (old !== undefined && !fits(told.old, old, write.kind)) wrong.push({ what: "old", told, wanted: old });
  }
  return wrong;
}

/** The row before each write, null where there was none; absent where an unsure write leaves it open. */
function previousRows({
  writes,
  keyColumn,
  markColumn,
}: ChangeHistory): Map<RowWrite, { readonly [column: string]: Json } | null> {
  const rows = new Map<string, { readonly [column: string]: Json } | null | undefined>();
  const before = new Map<RowWrite, { readonly [column: string]: Json } | null>();
  for (const write of writes) {
    const known = rows.has(write.key) ? rows.get(write.key) : null;
    if (known !== undefined) before.set(write, known);
    if (write.outcome === "refused") continue;
    const after = write.kind === "delete" ? null : { [keyColumn]: write.key, [markColumn]: write.mark, ...write.rest };
    rows.set(write.key, write.outcome === "unsure" ? undefined : after);
  }
  return before;
}

function sameRow(told: ToldChange["row"], wanted: ToldChange["row"]): boolean {
  if (told === null || wanted === null) return told === wanted;
  for (const column in wanted) if (!same(told[column] ?? null, wanted[column] ?? null)) return false;
  for (const column in told) if (!(column in wanted) && told[column] !== null) return false;
  return true;
}

/** An insert has no old values; those of an update and a delete must be what the row had, as far as they are told. */
function fits(told: ToldChange["old"], before: ToldChange["row"], kind: RowWrite["kind"]): boolean {
  if (kind === "insert" || before === null) return told === null || kind !== "insert";
  if (told === null) return false;
  return Object.entries(told).every(([column, value]) => same(value, before[column] ?? null));
}

function same(one: Json, other: Json): boolean {
  if (one === other || one === null || other === null) return one === other;
  return typeof one === "object" && typeof other === "object" && JSON.stringify(one) === JSON.stringify(other);
}

/** From the moment each write was meant to be sent to its event, in milliseconds. */
export function delaysOf(history: ChangeHistory): number[] {
  const writes = new Map(history.writes.map((write) => [writeIdentity(write), write] as const));
  return history.told.flatMap((change) => {
    const write = writes.get(identityOf(change, history));
    return write === undefined ? [] : [change.at - write.from];
  });
}

/** The value that a share of the values does not exceed (nearest rank); NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Which change it is, whatever its kind is called: a mark comes into a row once and goes out of it once. */
function writeIdentity({ kind, mark }: RowWrite): string {
  return kind === "delete" ? `gone ${mark}` : `now ${mark}`;
}

function identityOf(change: ToldChange, { markColumn }: ChangeHistory): string {
  return `${change.row === null ? "gone" : "now"} ${markOf(change, markColumn)}`;
}

/** A delete tells of the row that was. */
function markOf({ row, old }: ToldChange, markColumn: string): string {
  const mark = (row ?? old)?.[markColumn];
  return typeof mark === "string" ? mark : "";
}

function lastWrites(writes: readonly RowWrite[]): Map<string, RowWrite> {
  const last = new Map<string, RowWrite>();
  // A refused write changes nothing; an unsure one may have been the last.
  for (const write of writes) if (write.outcome !== "refused") last.set(write.key, write);
  return last;
}
