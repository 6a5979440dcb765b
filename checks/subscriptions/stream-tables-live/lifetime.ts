/** Which rows were read when, against how long they should live. Times in milliseconds since just before the first insert. */

/** Two clocks are involved; a row missing this close to its end is not missing early. */
const edgeMs = 20;

/** When a SELECT was sent and answered, and the rows it returned; null where it was not answered. */
export type Read = {
  readonly from: number;
  readonly to: number;
  readonly rows: readonly string[] | null;
  readonly exchange: number;
};

export type Written = {
  readonly id: string;
  readonly acknowledged: boolean;
  readonly from: number;
  readonly to: number;
  /** When its event arrived; null if it did not. */
  readonly deliveredAt: number | null;
};

/** Sent after the row was acknowledged, and answered before it can have expired. */
export function isDuringLife(row: Written, { from, to }: Read, lifeMs: number): boolean {
  return from > row.to && to - row.from < lifeMs - edgeMs;
}

interface Shown {
  readonly row: Written;
  readonly read: Read;
}

/** The first row and read for which it holds, row by row. */
function firstOf(
  rows: readonly Written[],
  reads: readonly Read[],
  holds: (row: Written, read: Read) => boolean,
): Shown | undefined {
  for (const row of rows) {
    const read = reads.find((one) => holds(row, one));
    if (read !== undefined) return { row, read };
  }
  return undefined;
}

/** A row that was missing while it should have lived. */
export function goneEarly(rows: readonly Written[], reads: readonly Read[], lifeMs: number): Shown | undefined {
  return firstOf(rows, reads, (row, read) => isDuringLife(row, read, lifeMs) && read.rows?.includes(row.id) === false);
}

/** A row that was still read more than `graceMs` after its end, at the last such read. */
export function goneLate(
  rows: readonly Written[],
  reads: readonly Read[],
  { lifeMs, graceMs }: { readonly lifeMs: number; readonly graceMs: number },
): Shown | undefined {
  return firstOf(
    rows,
    reads.toReversed(),
    (row, read) => read.from - row.to > lifeMs + graceMs && read.rows?.includes(row.id) === true,
  );
}

/** The reads that all of these rows had to be in. */
export function readsDuring(rows: readonly Written[], reads: readonly Read[], lifeMs: number): readonly Read[] {
  return reads.filter((read) => read.rows !== null && rows.every((row) => isDuringLife(row, read, lifeMs)));
}
