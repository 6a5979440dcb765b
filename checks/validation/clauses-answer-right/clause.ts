/** What a query must answer. */
import type { Json } from "../../../src/wire/json.ts";

export type Cell = string | null;

export interface Clause {
  readonly name: string;
  readonly sql: string;
  readonly params?: readonly Json[];
  /** Rows as text. Numbers with a fraction are compared as numbers. */
  readonly rows: readonly (readonly Cell[])[];
  /** The order is part of the answer. */
  readonly ordered?: true;
}

/** One column of values. */
export const list = (...cells: readonly Cell[]): (readonly Cell[])[] => cells.map((cell) => [cell]);

export function clause(name: string, sql: string, rows: Clause["rows"], more: Partial<Clause> = {}): Clause {
  return { name, sql, rows, ...more };
}
export const ordered = { ordered: true } as const;
