/** Statements that insert many rows at once, all valid or with one bad row. */

/** `full`: how many of the batch's own keys there are if everything but a bad row without a key of its own was stored. */
export const flaws = {
  null: { name: "a NULL in a NOT NULL column in the middle", full: (rows: number) => rows },
  key: { name: "an existing key in the last row", full: (rows: number) => rows - 1 },
} as const;
export type Flaw = keyof typeof flaws;

export interface Batch {
  readonly rows: number;
  readonly flaw: Flaw | null;
  /** The first key; the others follow it. */
  readonly base: number;
  /** The characters of each value. */
  readonly valueChars: number;
}

/** Each value names its key, so that a row with the value of another one shows. */
export function valueOf(key: number, chars: number): string {
  return `r${key} `.padEnd(chars, "x");
}

/** Key and value of the rows that the batch would add. */
export function keysOf({ rows, flaw, base, valueChars }: Batch): Map<string, string> {
  const own = flaw === "key" ? rows - 1 : rows;
  return new Map(Array.from({ length: own }, (_, at) => [String(base + at), valueOf(base + at, valueChars)]));
}

export function batchSql(table: string, batch: Batch): string {
  const all = [...keysOf(batch)].map(([key, value], at) => {
    const isBad = batch.flaw === "null" && at === Math.floor(batch.rows / 2);
    return `(${key}, ${isBad ? "NULL" : `'${value}'`})`;
  });
  if (batch.flaw === "key") all.push("(1, 'again')");
  return `INSERT INTO ${table} (id, v) VALUES ${all.join(", ")}`;
}
