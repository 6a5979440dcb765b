/** Statements that the server should reject: run them, sort the answers, and compare what is there before and after. */
import type { Json } from "../../src/wire/json.ts";
import { saidOf, isCleanRefusal, type Account, type Said, type Target } from "../../src/server/target.ts";

export interface Trial {
  readonly name: string;
  readonly as: Account;
  readonly sql: string;
  readonly params?: readonly Json[];
}

export type Tried = { readonly case: string; readonly role: string; readonly sql: string; readonly said: Said };

export async function tryOne(target: Target, { name, as, sql, params }: Trial): Promise<Tried> {
  const answer = await target.sql(as, sql, params === undefined ? {} : { params });
  return { case: name, role: as.role, sql, said: saidOf(answer) };
}

/** Sequentially, so that a side effect of one statement is not attributed to another. */
export async function tryAll(target: Target, trials: readonly Trial[]): Promise<Tried[]> {
  const tried: Tried[] = [];
  for (const trial of trials) tried.push(await tryOne(target, trial));
  return tried;
}

export interface Sorted<T> {
  readonly accepted: readonly T[];
  readonly refused: readonly T[];
  /** Neither: no answer, a server error, a rate limit. */
  readonly unclear: readonly T[];
}

/** `noRight`: whether missing privileges count as a proper reason to refuse. */
export function sortTried<T extends { readonly said: Said }>(tried: readonly T[], noRight = false): Sorted<T> {
  const refuses = ({ said }: T): boolean =>
    isCleanRefusal(said) || (noRight && said.kind === "refused" && said.why === "permission");
  return {
    accepted: tried.filter(({ said }) => said.kind === "ok"),
    refused: tried.filter((one) => one.said.kind !== "ok" && refuses(one)),
    unclear: tried.filter((one) => one.said.kind !== "ok" && !refuses(one)),
  };
}

/** Whether it was refused for missing privileges. In a later statement of a batch, only the status shows the reason. */
export function isPermissionDenied({ why, status }: Said): boolean {
  return why === "permission" || (why === "batchPart" && status === 403);
}

/** For `unknown`: the first statement that was neither accepted nor rejected; undefined if there is none. */
export function whyUnclear({ unclear }: Sorted<{ readonly case: string; readonly said: Said }>): string | undefined {
  const [first] = unclear;
  if (first === undefined) return undefined;
  const { status, code, message } = first.said;
  return `${first.case}: neither accepted nor rejected: ${status ?? ""} ${code} ${message}`.replace(/ {2,}/g, " ");
}

/** The result of a query as text, to compare before and after; null if it was not answered. */
export async function shown(target: Target, as: Account, sql: string): Promise<string | null> {
  const answer = await target.sql(as, sql);
  return answer.kind === "ok" ? JSON.stringify(answer.results.map((result) => result.rows)) : null;
}
