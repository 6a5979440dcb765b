/** Work that goes on after its statement was answered: a flush, its job, and what `system.jobs` tells of it. */
import type { Context } from "../../src/check.ts";
import {
  cellText,
  integerText,
  rowsOf,
  saidOf,
  type Account,
  type Said,
  type Target,
} from "../../src/server/target.ts";

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

/** A flush that was asked for: `job` is null where it was refused or the answer names none. */
export type Flush = { readonly said: Said; readonly job: string | null };
/** `status`: of the job when it was last seen; null where there was none, or it could not be seen. */
export type Flushed = Flush & { readonly status: string | null };

/** How long a flush of a few rows may take. */
const flushWithinMs = 10_000;
const jobEveryMs = 50;

/** The job that an answer names. */
export function jobIn(message: string): string | null {
  return /\b[A-Z]{2}-\w+/.exec(message)?.[0] ?? null;
}

export async function startFlush(target: Target, as: Account, table: string): Promise<Flush> {
  const said = saidOf(await target.sql(as, `STORAGE FLUSH TABLE ${table}`));
  return { said, job: said.kind === "ok" ? jobIn(said.message) : null };
}

/** By id; a job that is not listed is not in it. Undefined where the view was not answered. */
async function readJobs(target: Target, as: Account, ids: readonly string[]): Promise<Map<string, Job> | undefined> {
  const rows = rowsOf(
    await target.sql(
      as,
      `SELECT job_id, job_type, status, parameters, message, created_at, started_at, finished_at FROM system.jobs WHERE job_id IN (${ids.map((id) => `'${id}'`).join(", ")}) LIMIT ${ids.length + 1}`,
    ),
  );
  return (
    rows &&
    new Map(
      rows.map((row) => {
        const text = (column: string): string => cellText(row[column] ?? "");
        const time = (column: string): string | null => integerText(row[column]) ?? null;
        const job = {
          type: text("job_type"),
          status: text("status").toLowerCase(),
          parameters: text("parameters"),
          message: text("message").slice(0, 200),
          createdAt: time("created_at"),
          startedAt: time("started_at"),
          finishedAt: time("finished_at"),
        };
        return [text("job_id"), job] as const;
      }),
    )
  );
}

/** Null where it is not listed; undefined where the view was not answered. */
export async function readJob(target: Target, as: Account, id: string): Promise<Job | null | undefined> {
  const jobs = await readJobs(target, as, [id]);
  return jobs && (jobs.get(id) ?? null);
}

/** Until all of them have ended in whatever way, or the time is up; as they were last seen. */
async function waitForJobs(
  target: Target,
  context: Pick<Context, "poll">,
  as: Account,
  ids: readonly string[],
  withinMs: number,
): Promise<Map<string, Job> | undefined> {
  const ended = (job: Job | undefined): boolean => job !== undefined && hasEnded(job);
  return await context.poll(
    async () => await readJobs(target, as, ids),
    (jobs) => jobs !== undefined && ids.every((id) => ended(jobs.get(id))),
    { withinMs, everyMs: jobEveryMs },
  );
}

/** Null where it is not listed; undefined where the view was not answered. */
export async function waitForJob(
  target: Target,
  context: Pick<Context, "poll">,
  as: Account,
  id: string,
  withinMs = flushWithinMs,
): Promise<Job | null | undefined> {
  const jobs = await waitForJobs(target, context, as, [id], withinMs);
  return jobs && (jobs.get(id) ?? null);
}

export function hasEnded({ status }: Job): boolean {
  return !["new", "queued", "pending", "running", "retrying"].includes(status);
}

/** Asks for a flush of each table, and waits until their jobs are over. */
export async function flushAll(
  target: Target,
  context: Pick<Context, "poll">,
  as: Account,
  tables: readonly string[],
): Promise<readonly Flushed[]> {
  const asked = await Promise.all(tables.map(async (table) => await startFlush(target, as, table)));
  const ids = asked.flatMap(({ job }) => job ?? []);
  const jobs = ids.length === 0 ? undefined : await waitForJobs(target, context, as, ids, flushWithinMs);
  return asked.map((one) => ({ ...one, status: jobs?.get(one.job ?? "")?.status ?? null }));
}

export async function flush(
  target: Target,
  context: Pick<Context, "poll">,
  as: Account,
  table: string,
): Promise<Flushed> {
  const [flushed] = await flushAll(target, context, as, [table]);
  if (flushed === undefined) throw new Error("one table gives one answer");
  return flushed;
}

/** For `unknown`: why the flush is not known to have completed; undefined if it has. */
export function whyNotFlushed({ said, job, status }: Flushed): string | undefined {
  if (status === "completed") return undefined;
  return job === null
    ? `the flush could not be started: ${said.status ?? "no answer"} ${said.code} ${said.message}`.replace(
        / {2,}/g,
        " ",
      )
    : `the flush ${job} did not complete: ${status ?? "it is not listed"}`;
}

export type ListedJob = { readonly id: string; readonly type: string; readonly about: string };

/** Which jobs there are for tables of this namespace; null where the server would not tell. */
export async function jobsOf(target: Target, as: Account, namespace: string): Promise<readonly ListedJob[] | null> {
  const answer = await target.sql(
    as,
    `SELECT job_id, job_type, parameters FROM system.jobs WHERE parameters LIKE '%"${namespace}.%' ORDER BY job_id LIMIT 200`,
  );
  // An underscore in LIKE stands for any character, so other names may have come along.
  const jobs = rowsOf(answer)?.map((row) => ({
    id: cellText(row["job_id"]),
    type: cellText(row["job_type"]),
    about: cellText(row["parameters"]),
  }));
  return jobs?.filter((job) => job.about.includes(`"${namespace}.`)) ?? null;
}
