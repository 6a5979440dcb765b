/** Statements that ought to be refused: tried, sorted by what the server said, and a look at what there is afterwards. */
import type { Json } from "../../src/wire/json.ts";
import { saidOf, isCleanRefusal, type Account, type Said, type Target } from "../../src/server/target.ts";

/** One line of a table of cases. */
export interface Trial {
  readonly name: string;
  readonly as: Account;
  readonly sql: string;
  readonly params?: readonly Json[];
}

export type Tried = { readonly case: string; readonly role: string; readonly sql: string; readonly said: Said };

/** One after the other: what one leaves behind must not be taken for another's. */
export async function tryAll(target: Target, trials: readonly Trial[]): Promise<Tried[]> {
  const tried: Tried[] = [];
  for (const { name, as, sql, params } of trials) {
    const answer = await target.sql(as, sql, params === undefined ? {} : { params });
    tried.push({ case: name, role: as.role, sql, said: saidOf(answer) });
  }
  return tried;
}

export interface Sorted<T> {
  readonly accepted: readonly T[];
  readonly refused: readonly T[];
  /** Neither: no answer, an error of the server's own, too fast. */
  readonly unclear: readonly T[];
}

/** `noRight`: whether being refused for lack of rights is the reason at hand. */
export function sortTried<T extends { readonly said: Said }>(tried: readonly T[], noRight = false): Sorted<T> {
  const refuses = ({ said }: T): boolean =>
    isCleanRefusal(said) || (noRight && said.kind === "refused" && said.why === "permission");
  return {
    accepted: tried.filter(({ said }) => said.kind === "ok"),
    refused: tried.filter((one) => one.said.kind !== "ok" && refuses(one)),
    unclear: tried.filter((one) => one.said.kind !== "ok" && !refuses(one)),
  };
}

/** Whether it was refused for lack of rights; of a later statement of a batch only the status tells why. */
export function isPermissionDenied({ why, status }: Said): boolean {
  return why === "permission" || (why === "batchPart" && status === 403);
}

/** For `unknown`: what was neither done nor refused; undefined if there is none. */
export function whyUnclear({ unclear }: Sorted<{ readonly case: string; readonly said: Said }>): string | undefined {
  const [first] = unclear;
  if (first === undefined) return undefined;
  return `${first.case}: neither accepted nor refused, but ${first.said.status ?? ""} ${first.said.code} ${first.said.message}`.replace(
    / {2,}/g,
    " ",
  );
}

/** What a query shows, as text to compare before and after; null where it was not answered. */
export async function shown(target: Target, as: Account, sql: string): Promise<string | null> {
  const answer = await target.sql(as, sql);
  return answer.kind === "ok" ? JSON.stringify(answer.results.map((result) => result.rows)) : null;
}
