/** The rows for which a predicate is true, false and unknown. */

/** How many rows, and the sum of their bits, which identifies them. In `seen` the count is that of all rows. */
export type Part = { readonly count: string; readonly mask: string };
export type Parts = { readonly yes: Part; readonly no: Part; readonly null: Part; readonly seen: Part };

/** Whether each of the rows is in exactly one of the three parts and the counts agree. */
export function isPartition({ yes, no, null: none }: Parts, everything: bigint): boolean {
  const parts = [yes, no, none];
  const [a = 0n, b = 0n, c = 0n] = parts.map(({ mask }) => BigInt(mask));
  const overlap = (a & b) | (a & c) | (b & c);
  // A row that one WHERE finds twice adds its bit twice, which looks like another row: only the counts reveal it.
  return overlap === 0n && (a | b | c) === everything && parts.every(isCounted);
}

function isCounted({ count, mask }: Part): boolean {
  return idsIn(mask).length === Number(count);
}

function idsIn(mask: string): readonly number[] {
  const bits = BigInt(mask);
  return Array.from({ length: 63 }, (_, id) => id).filter((id) => ((bits >> BigInt(id)) & 1n) === 1n);
}

export function partsText({ yes, no, null: none }: Parts): string {
  return `true for ${rowsText(yes)}, false for ${rowsText(no)}, unknown for ${rowsText(none)}`;
}

/** The count and the first ids. */
export function rowsText({ mask, count }: { readonly mask: string; readonly count?: string }): string {
  const ids = idsIn(mask);
  return `${count ?? ids.length} rows (${ids.length > 8 ? `${ids.slice(0, 8).join(", ")}, …` : ids.join(", ")})`;
}
