/**
 * Balances that transfers move and never make: every read of all of them has the same sum. The model and the names of
 * Jepsen's bank workload (`jepsen.tests.bank`): a read whose sum is off saw a part of a transaction, a read skew (Adya's
 * G-single, in "Weak Consistency", 1999); where no transfer was in flight any more, money was made or destroyed.
 */
import { cellText } from "../wire/json.ts";
import { numberIn, readsIn, writesIn, type Operation, type Read } from "./history.ts";

export interface BankModel {
  readonly keyColumn: string;
  readonly balanceColumn: string;
  /** The keys of all rows. */
  readonly keys: readonly string[];
  /** The sum of their balances. */
  readonly total: number;
}

export type BankAnomaly =
  /** The sum is another; `settled`: with no transfer in flight, or unsure before, so that it stays another. */
  | { readonly kind: "wrongTotal"; readonly read: Read; readonly total: number; readonly settled: boolean }
  /** A row is missing, twice there, or of no account. */
  | { readonly kind: "wrongKeys"; readonly read: Read; readonly keys: readonly string[] }
  /** A balance that is not a number. */
  | { readonly kind: "noNumber"; readonly read: Read; readonly keys: readonly string[] };

/**
 * Judges reads of all rows, each by one statement: several statements see several moments. Whether a transfer counts as
 * acknowledged plays no part in it: whether it happened or not, the sum is the same.
 */
export function judgeBank(operations: readonly Operation[], model: BankModel): BankAnomaly[] {
  const transfers = writesIn(operations);
  // Unsure transfers may be in flight for ever.
  const lastEnd = transfers.reduce(
    (last, { outcome, returnedAt }) => Math.max(last, outcome === "unsure" ? Infinity : returnedAt),
    -Infinity,
  );
  const expected = new Set(model.keys);
  return readsIn(operations).flatMap((read): BankAnomaly[] => {
    if (read.key !== null || read.rows === null) return [];
    const keys = read.rows.map((row) => cellText(row[model.keyColumn]));
    const missing = new Set(expected);
    const wrong = [...keys.filter((key) => !missing.delete(key)), ...missing];
    if (wrong.length > 0) return [{ kind: "wrongKeys", read, keys: wrong }];
    const balances = read.rows.map((row) => numberIn(row[model.balanceColumn]));
    const noNumber = keys.filter((_, at) => Number.isNaN(balances[at]));
    if (noNumber.length > 0) return [{ kind: "noNumber", read, keys: noNumber }];
    const total = balances.reduce((sum, balance) => sum + balance, 0);
    return total === model.total ? [] : [{ kind: "wrongTotal", read, total, settled: lastEnd < read.invokedAt }];
  });
}
