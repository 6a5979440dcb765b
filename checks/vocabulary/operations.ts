/** Statements of a workload as the history keeps them: who sent what, when, and what came of it. */
import type { Context } from "../../src/check.ts";
import type { OperationOutcome, Read, Write } from "../../src/history/history.ts";
import { rowsOf, type Account, type Answer, type Target } from "../../src/server/target.ts";
import { plainRow } from "./opening.ts";

/** Which client of the workload sent it, and when it was due (milliseconds); absent where there is no schedule. */
export interface SentBy {
  readonly client: number;
  readonly dueAt?: number;
}

export type PlannedWrite = Pick<Write, "kind" | "key" | "values">;

/** One record for each row that the statement was to write. */
export function writesOf(answer: Answer, by: SentBy, planned: readonly PlannedWrite[]): Write[] {
  const sent = { ...sentOf(answer, by), outcome: writeOutcomeOf(answer, planned.length) };
  return planned.map(({ kind, key, values }) => ({ ...sent, kind, key, values }));
}

/** `key`: the one row that was asked for; null where it was more than one. */
export function readOf(answer: Answer, by: SentBy, key: string | null): Read {
  const rows = rowsOf(answer)?.map(plainRow) ?? null;
  const outcome = answer.kind === "ok" && rows === null ? "unsure" : outcomeOf(answer);
  return { ...sentOf(answer, by), kind: "read", key, rows, outcome };
}

/** A statement that changed another number of rows than it had did something else than it says. */
function writeOutcomeOf(answer: Answer, rows: number): OperationOutcome {
  if (answer.kind === "ok") return answer.results[0]?.rowCount === rows ? "ok" : "unsure";
  return outcomeOf(answer);
}

function outcomeOf(answer: Answer): OperationOutcome {
  // What ran before the failing statement of a batch stays.
  return answer.kind === "refused" && answer.cause === "batchPart" ? "unsure" : answer.kind;
}

function sentOf({ exchange, sentAt, doneAt }: Answer, { client, dueAt = sentAt }: SentBy) {
  return {
    client,
    statement: exchange,
    dueAt: Math.round(dueAt),
    invokedAt: Math.round(sentAt),
    returnedAt: Math.round(doneAt),
  };
}

export interface Scheduled {
  readonly answer: Answer;
  /** When the schedule wanted it sent, milliseconds. */
  readonly dueAt: number;
}

/**
 * Sends statements of one client at a fixed interval, however long the server takes: a slow server makes them late and does
 * not slow the schedule down with it. Where our own pacing holds a statement back the schedule moves, for that is not the
 * server's delay.
 */
export function onSchedule(
  target: Target,
  context: Pick<Context, "poll">,
  as: Account,
  { firstAt, everyMs }: { readonly firstAt: number; readonly everyMs: number },
): (sql: string) => Promise<Scheduled> {
  let nextAt = firstAt;
  return async (sql) => {
    const waitMs = Math.ceil(nextAt - performance.now());
    if (waitMs > 0) {
      await context.poll(
        async () => await Promise.resolve(performance.now()),
        (now) => now >= nextAt,
        { withinMs: 2 * waitMs, everyMs: waitMs },
      );
    }
    const readyAt = performance.now();
    const answer = await target.sql(as, sql);
    const dueAt = nextAt + Math.max(0, answer.sentAt - readyAt);
    nextAt = dueAt + everyMs;
    return { answer, dueAt };
  };
}
