/** CREATE TABLE statements that ought to be refused, each on a table name of its own, and then a look at which tables there are. */
import { cellText, rowsOf, saidOf, type Account, type Target } from "../../src/server/target.ts";
import { sortTried, tryAll, whyUnclear, type Sorted, type Tried } from "./trials.ts";

/** One line of a table of cases. `sql` gets the qualified name of a table of its own. */
export interface Case {
  readonly name: string;
  readonly sql: (table: string) => string;
}

/** `made`: the options of the table as the catalogue shows them; null where it is not listed. */
export type Attempt = Tried & { readonly made: string | null };

/** `unread`: why the catalogue could not be read, so that nobody takes "not seen" for "not there". */
export type Attempts = { readonly attempts: readonly Attempt[]; readonly unread: string | null };

export async function attempt(
  target: Target,
  as: Account,
  namespace: string,
  cases: readonly Case[],
): Promise<Attempts> {
  const tried = await tryAll(
    target,
    cases.map(({ name, sql }, at) => ({ name, as, sql: sql(`${namespace}.t${at}`) })),
  );
  const answer = await target.sql(
    as,
    `SELECT table_name, options FROM system.tables WHERE namespace_id = '${namespace}' ORDER BY table_name LIMIT 500`,
  );
  const rows = rowsOf(answer);
  const options = new Map((rows ?? []).map((row) => [cellText(row["table_name"]), cellText(row["options"])]));
  return {
    attempts: tried.map((one, at) => ({ ...one, made: options.get(`t${at}`) ?? null })),
    unread: rows === undefined ? saidOf(answer).message : null,
  };
}

export interface SortedAttempts extends Sorted<Attempt> {
  /** The server said no, and the table is there. */
  readonly halfDone: readonly Attempt[];
}

export function sortAttempts(attempts: readonly Attempt[]): SortedAttempts {
  const sorted = sortTried(attempts);
  return {
    ...sorted,
    refused: sorted.refused.filter((one) => one.made === null),
    halfDone: sorted.refused.filter((one) => one.made !== null),
  };
}

/** For `unknown`: why it cannot be told; undefined if it can. */
export function whyUnknown(unread: string | null, sorted: SortedAttempts): string | undefined {
  return unread === null ? whyUnclear(sorted) : `the catalogue could not be read: ${unread}`;
}
