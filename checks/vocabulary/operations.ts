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
  if (answer.kind === "ok") return rowsWritten(answer) === rows ? "ok" : "unsure";
  return outcomeOf(answer);
}

/** A batch has a result for each kind of write, and others for BEGIN, COMMIT and its queries. */
function rowsWritten({ results }: Answer & { readonly kind: "ok" }): number {
  return results.reduce((sum, { columns, rowCount }) => (columns.length === 0 ? sum + rowCount : sum), 0);
}

function outcomeOf(answer: Answer): OperationOutcome {
  // What ran before the failing statement of a batch stays.
  return answer.kind === "refused" && answer.cause === "batchPart" ? "unsure" : answer.kind;
}

function sentOf({ exchange, sentAt, doneAt }: Answer, { client, dueAt = sentAt }: SentBy) {
  return {
    client,
    statement: exchange,
    dueAt: downTo(dueAt),
    invokedAt: downTo(sentAt),
    returnedAt: -downTo(-doneAt),
  };
}

/**
 * To a hundredth of a millisecond, downwards. Rounding may only widen the time that a request was in flight: rounded to the
 * nearest, two concurrent requests could look as if one had been over before the other was sent.
 */
function downTo(ms: number): number {
  return Math.floor(ms * 100) / 100;
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
