/** Jobs that are waited for to the end: a flush, a compaction, a backup, a restore. */
import type { Context } from "../../src/check.ts";
import { saidOf, type Account, type Said, type Target } from "../../src/server/target.ts";
import { hasEnded, jobIn, waitForJob, type Job } from "../vocabulary/jobs.ts";
import { isLate, paceText, waitPatiently, whySlow, type Pace } from "../vocabulary/pace.ts";

export type Ended = {
  readonly said: Said;
  readonly job: string | null;
  /** The last status of the job; null if it was not listed. */
  readonly status: string | null;
  /** Of the job, such as why it failed. */
  readonly message: string;
  readonly pace: Pace;
};

/** Sends the statement that starts a job, and waits until it has ended. */
export async function runToEnd(
  target: Pick<Target, "sql">,
  context: Pick<Context, "poll" | "size">,
  as: Account,
  statement: string,
): Promise<Ended> {
  const said = saidOf(await target.sql(as, statement));
  const job = said.kind === "ok" ? jobIn(said.message) : null;
  const floorMs = context.size({ light: 10_000, standard: 30_000, deep: 30_000 });
  const { value, pace } = await waitForEnd(target, context, as, { job, floorMs });
  return { said, job, status: value?.status ?? null, message: value?.message ?? "", pace };
}

/** Waits until the job has ended or is not listed, beside a control; without a job it only measures the control. */
export async function waitForEnd(
  target: Pick<Target, "sql">,
  context: Pick<Context, "poll">,
  as: Account,
  { job, floorMs }: { readonly job: string | null; readonly floorMs: number },
): Promise<{ readonly value: Job | null | undefined; readonly pace: Pace }> {
  return await waitPatiently(target, as, {
    floorMs,
    wait: async (withinMs) => (job === null ? null : await waitForJob(target, context, as, job, withinMs)),
    done: (row) => row === null || (row !== undefined && hasEnded(row)),
  });
}

/** The data of a finding: the job failed, or goes on longer than the pace of the server explains. */
export type Amiss = {
  readonly what: string;
  readonly job: string;
  readonly status: string;
  readonly message: string;
  readonly pace: Pace;
};

export function endedAmiss({ job, status, message, pace }: Ended, what: string): Amiss | undefined {
  if (job === null || status === null || status === "completed") return undefined;
  return hasEnded({ status }) || isLate(pace) ? { what, job, status, message, pace } : undefined;
}

export function sayAmiss({ what, job, status, message, pace }: Amiss): string {
  const why = message === "" ? "" : ` (${message})`;
  return `${what}: ${job} was ${status}, not completed, after ${pace.waitedMs} ms${why}, ${paceText(pace)}`;
}

/** For `unknown`: why the job is not known to have completed; undefined if it has. */
export function whyNotEnded({ said, job, status, pace }: Ended, what: string): string | undefined {
  if (job === null) return `${what} could not be started: ${said.status ?? "no answer"} ${said.message}`;
  if (status === null) return `${what}: the job ${job} is not listed in system.jobs`;
  return status === "completed" ? undefined : `${what}: the job ${job} was ${status}: ${whySlow(pace)}`;
}
