/**
 * Statements that ought to be refused, tried one after the other, each on a table name of its own, and then a look at
 * which tables there are: a refusal that leaves something behind is none.
 */
import {
  cellText,
  listed,
  rowsOf,
  saidOf,
  saysNo,
  type Account,
  type Said,
  type Target,
} from "../src/target/target.ts";

/** One line of a table of cases. `sql` gets the qualified name of a table of its own. */
export interface Case {
  readonly name: string;
  readonly sql: (table: string) => string;
}

export type Attempt = {
  readonly case: string;
  readonly sql: string;
  readonly said: Said;
  /** The options of the table as the catalogue shows them; null where it is not listed. */
  readonly made: string | null;
};

/** Null where the catalogue could not be read, so that nobody takes "not seen" for "not there". */
export type Attempts = { readonly attempts: readonly Attempt[]; readonly unread: string | null };

export async function attempt(
  target: Target,
  as: Account,
  namespace: string,
  cases: readonly Case[],
): Promise<Attempts> {
  const tried: Attempt[] = [];
  for (const [at, one] of cases.entries()) {
    const sql = one.sql(`${namespace}.t${at}`);
    tried.push({ case: one.name, sql, said: saidOf(await target.sql(as, sql)), made: null });
  }
  const answer = await target.sql(
    as,
    `SELECT table_name, options FROM system.tables WHERE namespace_id = '${namespace}' ORDER BY table_name LIMIT 500`,
  );
  const rows = rowsOf(answer);
  const options = new Map((rows ?? []).map((row) => [cellText(row["table_name"]), cellText(row["options"])]));
  return {
    attempts: tried.map((one, at) => ({ ...one, made: options.get(`t${at}`) ?? null })),
    unread: rows === undefined || listed(answer) === undefined ? saidOf(answer).message : null,
  };
}

export interface Sorted {
  /** The server said yes, or said no and did it all the same. */
  readonly accepted: readonly Attempt[];
  /** It said no, and the table is there. */
  readonly halfDone: readonly Attempt[];
  readonly refused: readonly Attempt[];
  /** It said neither: no answer, an error of the server's own, too fast, no right. */
  readonly unclear: readonly Attempt[];
}

export function sortAttempts(attempts: readonly Attempt[]): Sorted {
  const said = (no: boolean) => attempts.filter((one) => one.said.kind !== "ok" && saysNo(one.said) === no);
  return {
    accepted: attempts.filter((one) => one.said.kind === "ok"),
    halfDone: said(true).filter((one) => one.made !== null),
    refused: said(true).filter((one) => one.made === null),
    unclear: said(false),
  };
}

/** A sentence for what was neither done nor refused; undefined if there is none. */
export function unclearSentence({ unread }: Attempts, { unclear }: Sorted): string | undefined {
  if (unread !== null) return `the catalogue could not be read: ${unread}`;
  const [first] = unclear;
  if (first === undefined) return undefined;
  return `${first.case}: neither accepted nor refused, but ${first.said.status ?? ""} ${first.said.code} ${first.said.message}`.replace(
    / {2,}/g,
    " ",
  );
}
