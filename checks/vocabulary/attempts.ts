/** CREATE TABLE statements that the server should reject, each with a table name of its own, and which tables exist afterwards. */
import { cellText, rowsOf, saidOf, type Account, type Target } from "../../src/server/target.ts";
import { createTable, type TableSpec } from "./tables.ts";
import { sortTried, tryAll, whyUnclear, type Sorted, type Tried } from "./trials.ts";

/** `sql` gets the qualified name of the case's own table. */
export interface Case {
  readonly name: string;
  readonly sql: (table: string) => string;
}

/** For statements that `createTable` can print; others write their own. */
export function tableCase(name: string, spec: TableSpec): Case {
  return { name, sql: (table) => createTable(table, spec) };
}

/** `made`: the table's options as the catalogue shows them; null if the table is not listed. */
export type Attempt = Tried & { readonly made: string | null };

/** `unread`: why the catalogue could not be read; without it, an unlisted table does not exist. */
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

/** Statements to reject, and a valid one: a server that rejects everything proves nothing by doing so. */
export type ControlledAttempts = {
  readonly bad: readonly Attempt[];
  readonly control: Attempt | null;
  readonly unread: string | null;
};

export async function attemptWithControl(
  target: Target,
  as: Account,
  namespace: string,
  bad: readonly Case[],
  control: Case,
): Promise<ControlledAttempts> {
  const { attempts, unread } = await attempt(target, as, namespace, [...bad, control]);
  return { bad: attempts.slice(0, -1), control: attempts.at(-1) ?? null, unread };
}

export interface SortedAttempts extends Sorted<Attempt> {
  /** Rejected, but the table exists. */
  readonly halfDone: readonly Attempt[];
  /** Accepted or half done. */
  readonly created: readonly Attempt[];
}

export function sortAttempts(attempts: readonly Attempt[]): SortedAttempts {
  const sorted = sortTried(attempts);
  const halfDone = sorted.refused.filter((one) => one.made !== null);
  return {
    ...sorted,
    refused: sorted.refused.filter((one) => one.made === null),
    halfDone,
    created: [...sorted.accepted, ...halfDone],
  };
}

/** For `unknown`: why the attempts cannot be judged; undefined if they can. */
export function whyUnknown(unread: string | null, sorted: SortedAttempts): string | undefined {
  return unread === null ? whyUnclear(sorted) : `the catalogue could not be read: ${unread}`;
}

/** The error for the valid statement. A rate limit is no reason against the statement. */
export function controlRefusal({ control }: ControlledAttempts): string | undefined {
  return control?.said.kind === "refused" && control.said.why !== "rate" ? control.said.message : undefined;
}

/** What is wrong with the valid table, whose options must match `expected`; undefined if nothing is known to be. */
export function controlFailure(seen: ControlledAttempts, expected: RegExp): string | undefined {
  const { control, unread } = seen;
  if (control?.said.kind !== "ok" || unread !== null) return controlRefusal(seen);
  if (control.made === null) return "it was accepted, but the table is not listed";
  return expected.test(control.made) ? undefined : `the catalogue shows its options as ${control.made}`;
}

/** For `unknown`: why the rejections prove nothing; undefined if they do. */
export function whyInconclusive({ bad, control, unread }: ControlledAttempts, expected: number): string | undefined {
  const why = whyUnknown(unread, sortAttempts(bad));
  if (why !== undefined) return why;
  if (control === null || bad.length < expected) return `only ${bad.length} of ${expected} statements were tried`;
  if (control.said.kind === "ok" && control.made !== null) return undefined;
  return `the valid statement did not create a table either: ${control.said.message}`;
}
