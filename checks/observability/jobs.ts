/** A flush, and what `system.jobs` tells of it. */
import type { Context } from "../../src/check.ts";
import {
  cellText,
  integerText,
  rowsOf,
  saidOf,
  type Account,
  type Said,
  type Target,
} from "../../src/target/target.ts";

/** The row of a job. Times as the server tells them; null where it tells none. */
export type Job = {
  readonly type: string;
  readonly status: string;
  readonly parameters: string;
  readonly message: string;
  readonly createdAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
};

/** A flush that was asked for: `job` is null where the answer names none. */
export type Flush = { readonly said: Said; readonly job: string | null };

const jobEveryMs = 50;

export async function flush(target: Target, as: Account, table: string): Promise<Flush> {
  const said = saidOf(await target.sql(as, `STORAGE FLUSH TABLE ${table}`));
  return { said, job: /\b[A-Z]{2}-[0-9a-f]{6,}\b/.exec(said.message)?.[0] ?? null };
}

/** Null where it is not listed; undefined where the view was not answered. */
export async function readJob(target: Target, as: Account, id: string): Promise<Job | null | undefined> {
  const rows = rowsOf(
    await target.sql(
      as,
      `SELECT job_type, status, parameters, message, created_at, started_at, finished_at FROM system.jobs WHERE job_id = '${id}' LIMIT 2`,
    ),
  );
  if (rows === undefined) return undefined;
  const [row] = rows;
  if (row === undefined) return null;
  const text = (column: string): string => cellText(row[column] ?? "");
  const time = (column: string): string | null => integerText(row[column]) ?? null;
  return {
    type: text("job_type"),
    status: text("status").toLowerCase(),
    parameters: text("parameters"),
    message: text("message").slice(0, 200),
    createdAt: time("created_at"),
    startedAt: time("started_at"),
    finishedAt: time("finished_at"),
  };
}

/** Until it has ended in whatever way, or the time is up. */
export async function untilEnded(
  target: Target,
  context: Context,
  as: Account,
  { id, withinMs }: { id: string; withinMs: number },
): Promise<Job | null | undefined> {
  const ended = (job: Job | null | undefined): boolean => job !== null && job !== undefined && hasEnded(job);
  return await context.poll(async () => await readJob(target, as, id), ended, { withinMs, everyMs: jobEveryMs });
}

export function hasEnded({ status }: Job): boolean {
  return !["new", "queued", "pending", "running", "retrying"].includes(status);
}
