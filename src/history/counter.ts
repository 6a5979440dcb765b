/**
 * A value that only grows: a counter that clients increment, or the number of rows while rows are inserted. As Jepsen's
 * counter checker (`jepsen.checker/counter`): a read is at least the sum of what was acknowledged before it was sent, and at
 * most the sum of what had been sent, and not refused, before it returned. Besides, no read may be below an earlier one.
 */
import { countWhile } from "./ascending.ts";
import { numberIn, readsIn, writesIn, type Operation, type Read, type Write } from "./history.ts";

export interface CounterAnomaly {
  /**
   * `lost`: below what was acknowledged before it. `unexpected`: above what can have happened, or no number. `wentBack`:
   * below a read that had returned before it was sent (a non-monotonic read).
   */
  readonly kind: "lost" | "unexpected" | "wentBack";
  readonly read: Read;
  /** NaN if the read is not one row with a number. */
  readonly value: number;
  /** The bound that it is beyond. */
  readonly bound: number;
}

export interface CounterModel {
  /** The column of the reads that has the value; all reads are of this one counter. */
  readonly column: string;
  /** Before the first operation; 0 where absent. */
  readonly initial?: number;
  /** What a write adds, never negative; 1 where absent. */
  readonly amountOf?: (write: Write) => number;
}

export function judgeCounter(
  operations: readonly Operation[],
  { column, initial = 0, amountOf = () => 1 }: CounterModel,
): CounterAnomaly[] {
  const adds = writesIn(operations).filter(({ outcome }) => outcome !== "refused");
  const acknowledged = runningSum(
    adds.flatMap((add) => (add.outcome === "ok" ? [{ at: add.returnedAt, amount: amountOf(add) }] : [])),
  );
  const sent = runningSum(adds.map((add) => ({ at: add.invokedAt, amount: amountOf(add) })));
  const reads = readsIn(operations).flatMap((read) =>
    read.rows === null ? [] : [{ read, value: valueOf(read.rows, column) }],
  );
  const seen = runningMax(reads.map(({ read, value }) => ({ at: read.returnedAt, value })));
  return reads.flatMap(({ read, value }): CounterAnomaly[] => {
    const least = initial + acknowledged.before(read.invokedAt);
    // What was sent in the very moment of its return may have been before it.
    const most = initial + sent.until(read.returnedAt);
    const before = seen(read.invokedAt);
    return [
      ...(value < least ? [{ kind: "lost", read, value, bound: least } as const] : []),
      ...(value <= most ? [] : [{ kind: "unexpected", read, value, bound: most } as const]),
      ...(value < before ? [{ kind: "wentBack", read, value, bound: before } as const] : []),
    ];
  });
}

function valueOf(rows: NonNullable<Read["rows"]>, column: string): number {
  return numberIn(rows.length === 1 ? rows[0]?.[column] : null);
}

interface Amount {
  readonly at: number;
  readonly amount: number;
}

/** Sums of the amounts strictly before a moment, and up to it. */
function runningSum(amounts: readonly Amount[]): Record<"before" | "until", (moment: number) => number> {
  const inOrder = amounts.toSorted((one, other) => one.at - other.at);
  const sums = [0];
  for (const { amount } of inOrder) sums.push((sums.at(-1) ?? 0) + amount);
  const times = inOrder.map(({ at }) => at);
  return {
    before: (moment) => sums[countWhile(times, (at) => at < moment)] ?? 0,
    until: (moment) => sums[countWhile(times, (at) => at <= moment)] ?? 0,
  };
}

/** The largest value strictly before a moment; -Infinity where there is none. */
function runningMax(values: readonly { readonly at: number; readonly value: number }[]): (moment: number) => number {
  const inOrder = values.filter(({ value }) => !Number.isNaN(value)).toSorted((one, other) => one.at - other.at);
  const largest = [-Infinity];
  for (const { value } of inOrder) largest.push(Math.max(largest.at(-1) ?? -Infinity, value));
  const times = inOrder.map(({ at }) => at);
  return (moment) => largest[countWhile(times, (at) => at < moment)] ?? -Infinity;
}
