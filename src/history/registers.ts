/**
 * Registers: rows that are written again and again with values that never repeat, and read one at a time. Whether a history
 * of one register is linearizable is then decided by its zones (P. B. Gibbons and E. Korach, "Testing Shared Memories", SIAM
 * Journal on Computing 26(4), 1997; W. Golab, X. Li and M. A. Shah, "Analyzing Consistency Properties for Fun and Profit",
 * PODC 2011). The cluster of a value is its write and every read of it. Its zone lies between the earliest end and the latest
 * start among them: forward if the earliest end comes first, so that the register held the value throughout, else backward.
 * The history is linearizable if each read has a write that did not begin after it, no two forward zones overlap, and no
 * backward zone lies within a forward one. Registers are judged apart, for linearizability is local (Herlihy and Wing 1990).
 */
import { cellText } from "../wire/json.ts";
import { groupBy, readsIn, writesIn, type Operation, type Read, type Write } from "./history.ts";

export type RegisterAnomaly =
  /** A value that nobody wrote to this register, or another number of rows than one (Elle: garbage read). */
  | { readonly kind: "garbage"; readonly read: Read; readonly value: string | null }
  /** The value of a refused write (Adya's and Elle's G1a, aborted read). */
  | { readonly kind: "aborted"; readonly read: Read; readonly write: Write }
  /** A value whose write was sent only after the read had returned. */
  | { readonly kind: "future"; readonly read: Read; readonly write: Write }
  /** The value of `write`, although an operation that was over before the read was sent had found or written a newer one. */
  | { readonly kind: "stale"; readonly read: Operation; readonly write: Write; readonly newer: Operation };

/**
 * Judges single-row reads and the inserts and updates of their rows. An unsure write never ends: it counts as soon as a read
 * shows its value, and otherwise as if it had not been sent. Throws where a value is written to a register twice, by whatever
 * outcome: then no read leads back to one write.
 */
export function judgeRegisters(operations: readonly Operation[], column: string): RegisterAnomaly[] {
  const registers = groupBy(
    operations.filter(({ key }) => key !== null),
    ({ key }) => key ?? "",
  );
  return [...registers.values()].flatMap((ofKey) => judgeRegister(ofKey, column));
}

function judgeRegister(operations: readonly Operation[], column: string): RegisterAnomaly[] {
  const writes = new Map<string, Write>();
  for (const write of writesIn(operations)) {
    const value = cellText(write.values[column]);
    if (writes.has(value)) throw new Error(`${value} is written twice to ${column} of ${write.key}`);
    writes.set(value, write);
  }
  const clusters = new Map<string, Cluster>();
  for (const [value, write] of writes) if (write.outcome === "ok") clusters.set(value, { write, reads: [] });
  const anomalies: RegisterAnomaly[] = [];
  for (const read of readsIn(operations)) {
    if (read.rows === null) continue;
    const value = read.rows.length === 1 ? cellText(read.rows[0]?.[column]) : null;
    const write = writes.get(value ?? "");
    if (value === null || write === undefined) anomalies.push({ kind: "garbage", read, value });
    else if (write.outcome === "refused") anomalies.push({ kind: "aborted", read, write });
    else if (read.returnedAt < write.invokedAt) anomalies.push({ kind: "future", read, write });
    else {
      const cluster = clusters.get(value) ?? { write, reads: [] };
      clusters.set(value, cluster);
      cluster.reads.push(read);
    }
  }
  return [...anomalies, ...staleIn([...clusters.values()].map(zoneOf))];
}

interface Cluster {
  readonly write: Write;
  readonly reads: Read[];
}

interface Zone {
  readonly write: Write;
  /** The operation of the cluster that ended first, and when. */
  readonly first: Operation;
  readonly end: number;
  /** The one that was sent last, and when. In a forward zone it is a read: none of them ends before its write is sent. */
  readonly last: Operation;
  readonly start: number;
}

function zoneOf({ write, reads }: Cluster): Zone {
  let first: Operation = write;
  let last: Operation = write;
  for (const read of reads) {
    if (endOf(read) < endOf(first)) first = read;
    if (read.invokedAt > last.invokedAt) last = read;
  }
  return { write, first, end: endOf(first), last, start: last.invokedAt };
}

function endOf({ outcome, returnedAt }: Operation): number {
  return outcome === "unsure" ? Infinity : returnedAt;
}

function isForward({ end, start }: Zone): boolean {
  return end < start;
}

/**
 * In the order of their beginnings, each zone conflicts with an earlier one if it ends (a backward one) or begins (a forward
 * one) before the earlier one's end; both are the earliest end of its cluster. Only forward zones can be that earlier one,
 * and among them the one that reaches furthest is enough.
 */
function staleIn(zones: readonly Zone[]): RegisterAnomaly[] {
  const beginning = ({ end, start }: Zone): number => Math.min(end, start);
  // A backward zone that begins with a forward one does not lie within it, so that it must come first.
  const inOrder = zones.toSorted(
    (one, other) => beginning(one) - beginning(other) || Number(isForward(one)) - Number(isForward(other)),
  );
  const stale: RegisterAnomaly[] = [];
  let furthest: Zone | undefined;
  for (const zone of inOrder) {
    if (furthest !== undefined && zone.end < furthest.start) stale.push(staleOf(furthest, zone));
    // Backward zones, too: what comes after one ends after it began.
    if (zone.start > (furthest?.start ?? -Infinity)) furthest = zone;
  }
  return stale;
}

/**
 * Of two zones that conflict. Between two forward ones either value may be the newer, and the read that was sent last shows
 * the older one.
 */
function staleOf(one: Zone, other: Zone): RegisterAnomaly {
  const [old, newer] = other.start > one.start ? [other, one] : [one, other];
  return { kind: "stale", read: old.last, write: old.write, newer: newer.first };
}
