/** Sends predicates to the server, several per request, and reads the parts from the answers. */
import { cellText, integerText, type Account, type Answer, type Target } from "../../../src/server/target.ts";
import type { Parts } from "./parts.ts";
import { question } from "./predicates.ts";

const perRequest = 10;
const concurrentRequests = 3;

export type Reply = { readonly parts: Parts | null; readonly why: string; readonly exchange: number };

export async function askAll(
  target: Target,
  as: Account,
  table: string,
  predicates: readonly string[],
): Promise<Reply[]> {
  const chunks = Array.from({ length: Math.ceil(predicates.length / perRequest) }, (_, at) =>
    predicates.slice(at * perRequest, (at + 1) * perRequest),
  );
  const replies: Reply[][] = [];
  const waiting = [...chunks.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      replies[next[0]] = await ask(target, as, table, next[1]);
  };
  await Promise.all(Array.from({ length: concurrentRequests }, worker));
  return replies.flat();
}

/** All in one request; if the server refuses it, each by itself, so that only the refused predicates are lost. */
async function ask(target: Target, as: Account, table: string, predicates: readonly string[]): Promise<Reply[]> {
  const together = await target.sql(as, predicates.map((one) => question(table, one)).join("; "));
  if (together.kind === "ok" && together.results.length === predicates.length)
    return predicates.map((_, at) => partsOf(together, at));
  const replies: Reply[] = [];
  for (const one of predicates) replies.push(partsOf(await target.sql(as, question(table, one)), 0));
  return replies;
}

function partsOf(answer: Answer, at: number): Reply {
  const { exchange } = answer;
  if (answer.kind !== "ok") return { parts: null, why: answer.message, exchange };
  const rows = new Map(
    answer.results[at]?.rows.map(([name, count, mask]) => [
      cellText(name),
      // The sum of no rows is NULL.
      { count: integerText(count) ?? "0", mask: integerText(mask) ?? "0" },
    ]),
  );
  const [yes, no, none, seen] = ["yes", "no", "null", "seen"].map((name) => rows.get(name));
  if (yes === undefined || no === undefined || none === undefined || seen === undefined)
    return { parts: null, why: "the answer does not have its four parts", exchange };
  return { parts: { yes, no, null: none, seen }, why: "", exchange };
}
