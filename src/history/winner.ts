/**
 * Several inserts of the same key: the key is a lock that nobody gives back (a compare-and-set register of Jepsen with one
 * state change, from absent to present). Linearizability (Herlihy and Wing 1990) allows one insert to succeed; the others
 * are refused after it was sent, and its values stay.
 */
import { cellText } from "../wire/json.ts";
import { groupBy, readsIn, writesIn, type Operation, type Read, type Values, type Write } from "./history.ts";
import { hasValues } from "./set.ts";

export type WinnerAnomaly =
  /** More than one insert of the key was acknowledged, or more than one row is stored for it. */
  | { readonly kind: "severalWinners"; readonly key: string; readonly winners: readonly Write[]; readonly rows: number }
  /** An insert was refused, and no insert that it could have lost to had been sent when it was. */
  | { readonly kind: "noWinner"; readonly key: string; readonly refused: readonly Write[] }
  /** The row is not the winner's: another's values, or no row (null). */
  | {
      readonly kind: "wrongSurvivor";
      readonly key: string;
      readonly row: Values | null;
      /** The insert that was acknowledged; null where all that were not refused are unsure. */
      readonly winner: Write | null;
      readonly read: Read;
    };

/**
 * Judges inserts of the same keys and reads of all rows. Keys may be inserted again later (so that they are in cold storage
 * by then): the first acknowledged insert remains the only one. Refusals must be for the key: others do not belong here.
 */
export function judgeWinners(operations: readonly Operation[], keyColumn: string): WinnerAnomaly[] {
  const inserts = groupBy(
    writesIn(operations).filter(({ kind }) => kind === "insert"),
    ({ key }) => key,
  );
  const reads = readsIn(operations).flatMap((read) =>
    read.key === null && read.rows !== null
      ? [{ read, rows: groupBy(read.rows, (row) => cellText(row[keyColumn])) }]
      : [],
  );
  return [...inserts].flatMap(([key, ofKey]) => {
    const shown = reads.map(({ read, rows }) => ({ read, rows: rows.get(key) ?? [] }));
    return [...winnersOf(key, ofKey, shown), ...losersOf(key, ofKey), ...survivorsOf(key, ofKey, shown)];
  });
}

type Shown = readonly { readonly read: Read; readonly rows: readonly Values[] }[];

function winnersOf(key: string, inserts: readonly Write[], shown: Shown): WinnerAnomaly[] {
  const winners = inserts.filter(({ outcome }) => outcome === "ok");
  const rows = shown.reduce((most, one) => Math.max(most, one.rows.length), 0);
  return winners.length > 1 || rows > 1 ? [{ kind: "severalWinners", key, winners, rows }] : [];
}

function losersOf(key: string, inserts: readonly Write[]): WinnerAnomaly[] {
  const mayWin = inserts.filter(({ outcome }) => outcome !== "refused");
  const firstAt = mayWin.reduce((first, { invokedAt }) => Math.min(first, invokedAt), Infinity);
  // One that may win ends after it was sent.
  const refused = inserts.filter(({ returnedAt }) => returnedAt < firstAt);
  return refused.length > 0 ? [{ kind: "noWinner", key, refused }] : [];
}

function survivorsOf(key: string, inserts: readonly Write[], shown: Shown): WinnerAnomaly[] {
  const winners = inserts.filter(({ outcome }) => outcome === "ok");
  const possible = winners.length > 0 ? winners : inserts.filter(({ outcome }) => outcome === "unsure");
  const [winner = null] = winners;
  // A refusal had met the row, too.
  const since = inserts.reduce(
    (first, { outcome, returnedAt }) => (outcome === "unsure" ? first : Math.min(first, returnedAt)),
    Infinity,
  );
  return shown.flatMap(({ read, rows }): WinnerAnomaly[] => {
    const row = rows.find((one) => !possible.some(({ values }) => hasValues(one, values))) ?? rows[0] ?? null;
    const isRight = row !== null && possible.some(({ values }) => hasValues(row, values));
    const isAbsent = row === null && (possible.length === 0 || since >= read.invokedAt);
    return isRight || isAbsent ? [] : [{ kind: "wrongSurvivor", key, row, winner, read }];
  });
}
