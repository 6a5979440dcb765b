/** What a subscriber believes the table holds: snapshot and changes folded together, and how that differs from the table. */
import type { Json } from "../wire/json.ts";

export type StateRow = { readonly [column: string]: Json };

/** Rows by key, from a snapshot and what followed it. A column that a change leaves out is NULL. */
export function foldChanges(
  keyColumn: string,
  snapshot: readonly StateRow[],
  changes: readonly { readonly row: StateRow | null; readonly old: StateRow | null; readonly kind: string }[],
): Map<string, StateRow> {
  const state = new Map(snapshot.map((row) => [keyOf(row, keyColumn), row] as const));
  for (const { row, old } of changes) {
    if (row !== null) state.set(keyOf(row, keyColumn), row);
    else if (old !== null) state.delete(keyOf(old, keyColumn));
  }
  return state;
}

export interface StateDifference {
  /** In the table, not believed. */
  readonly missing: readonly string[];
  /** Believed, not in the table. */
  readonly ghosts: readonly string[];
  /** Believed with another content. */
  readonly stale: readonly string[];
}

/** Compares by the columns of the table's rows; a NULL and a column that is left out are the same. */
export function differenceOf(
  keyColumn: string,
  believed: ReadonlyMap<string, StateRow>,
  table: readonly StateRow[],
): StateDifference {
  const rows = new Map(table.map((row) => [keyOf(row, keyColumn), row] as const));
  return {
    missing: [...rows.keys()].filter((key) => !believed.has(key)),
    ghosts: [...believed.keys()].filter((key) => !rows.has(key)),
    stale: [...rows]
      .filter(([key, row]) => believed.has(key) && !agree(believed.get(key) ?? {}, row))
      .map(([key]) => key),
  };
}

export function isSame({ missing, ghosts, stale }: StateDifference): boolean {
  return missing.length + ghosts.length + stale.length === 0;
}

function agree(believed: StateRow, row: StateRow): boolean {
  return Object.entries(row).every(
    ([column, value]) => JSON.stringify(believed[column] ?? null) === JSON.stringify(value),
  );
}

function keyOf(row: StateRow, keyColumn: string): string {
  const key = row[keyColumn];
  return typeof key === "string" ? key : JSON.stringify(key ?? null);
}
