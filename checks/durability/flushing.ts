/** Flushes that are waited for: the job, and the segments that it leaves. */
import type { Context } from "../../src/check.ts";
import type { Account, Target } from "../../src/server/target.ts";
import { readSegments } from "../vocabulary/cold.ts";
import { paceText, whySlow, type Pace } from "../vocabulary/pace.ts";
import { endedAmiss, runToEnd, type Ended } from "./jobs.ts";

/** `segments`: the rows of each segment of the table afterwards; a string if that could not be read. */
export type Flushing = Ended & { readonly segments: readonly number[] | string };

const segmentsWithinMs = 3_000;

/** Flushes a SHARED table to the end, then waits until its segments hold at least so many rows. */
export async function flushToEnd(
  target: Target,
  context: Pick<Context, "poll" | "size">,
  as: Account,
  { table, rows }: { readonly table: string; readonly rows: number },
): Promise<Flushing> {
  const ended = await runToEnd(target, context, as, `STORAGE FLUSH TABLE ${table}`);
  const segments = await context.poll(
    async () => await readSegments(target, as, table),
    (found) => typeof found === "string" || rowsIn(found["shared"] ?? []) >= rows,
    { withinMs: ended.job === null ? 0 : segmentsWithinMs, everyMs: 50 },
  );
  return { ...ended, segments: typeof segments === "string" ? segments : (segments["shared"] ?? []) };
}

export function rowsIn(segments: readonly number[]): number {
  return segments.reduce((sum, count) => sum + count, 0);
}

/** The data of a finding: the job went on, or failed, and the server is not slow altogether. */
export type Unended = { readonly flush: number; readonly job: string; readonly status: string; readonly pace: Pace };

export function unendedOf(flushing: Flushing, flush: number): Unended | undefined {
  const amiss = endedAmiss(flushing, "the flush");
  return amiss && { flush, job: amiss.job, status: amiss.status, pace: amiss.pace };
}

export function sayUnended({ flush, job, status, pace }: Unended): string {
  return `flush ${flush}: ${job} was ${status}, not completed, after ${pace.waitedMs} ms, ${paceText(pace)}`;
}

/** For `unknown`: why the flush is not known to have ended; undefined if it has. */
export function whyUnflushed({ said, job, status, pace, segments }: Flushing): string | undefined {
  if (job === null) return `the flush could not be started: ${said.status ?? "no answer"} ${said.message}`;
  if (status === null) return `the flush ${job} is not listed in system.jobs`;
  if (status !== "completed") return `the flush ${job} was ${status}: ${whySlow(pace)}`;
  return typeof segments === "string" ? segments : undefined;
}
