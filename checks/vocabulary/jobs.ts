/** Jobs: work that continues after its statement was answered, such as a flush, and its row in `system.jobs`. */
import type { Context } from "../../src/check.ts";
import {
  cellText,
  integerText,
  rowsOf,
  saidOf,
  type Account,
  type Said,
  type Target,
  truncated,
} from "../../src/server/target.ts";

/** The row of a job. Times are as the server reports them; null where it reports none. */
export type Job = {
  readonly type: string;
  readonly status: string;
  readonly parameters: string;
  readonly message: string;
  readonly createdAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
};

/** A requested flush. `job` is null if the flush was refused or the answer names no job. */
export type Flush = { readonly said: Said; readonly job: string | null };
/** `status`: the last status of the job; null if there is no job or it could not be read. */
export type Flushed = Flush & { readonly status: string | null };

/** How long a flush of a few rows may take. */
const flushWithinMs = 10_000;
const pollEveryMs = 50;

/** The job id in the message of an answer. */
export function jobIn(message: string): string | null {
  return /\b[A-Z]{2}-\w+/.exec(message)?.[0] ?? null;
}

export async function startFlush(target: Pick<Target, "sql">, as: Account, table: string): Promise<Flush> {
  const said = saidOf(await target.sql(as, `STORAGE FLUSH TABLE ${table}`));
  return { said, job: said.kind === "ok" ? jobIn(said.message) : null };
}

const columns = "job_id, job_type, status, parameters, message, created_at, started_at, finished_at";

/** The listed ones of these jobs, by id; undefined if the view could not be read. */
async function readJobs(
  target: Pick<Target, "sql">,
  as: Account,
  ids: readonly string[],
): Promise<Map<string, Job> | undefined> {
  const list = ids.map((id) => `'${id}'`).join(", ");
  const rows = rowsOf(
    await target.sql(as, `SELECT ${columns} FROM system.jobs WHERE job_id IN (${list}) LIMIT ${ids.length + 1}`),
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
          message: truncated(text("message"), 200),
          createdAt: time("created_at"),
          startedAt: time("started_at"),
          finishedAt: time("finished_at"),
        };
        return [text("job_id"), job] as const;
      }),
    )
  );
}

/** Null if the job is not listed; undefined if the view could not be read. */
export async function readJob(target: Pick<Target, "sql">, as: Account, id: string): Promise<Job | null | undefined> {
  const jobs = await readJobs(target, as, [id]);
  return jobs && (jobs.get(id) ?? null);
}

/** Waits until all jobs have ended, successfully or not, or the time is up. Returns the last rows read. */
async function waitForJobs(
  target: Pick<Target, "sql">,
  context: Pick<Context, "poll">,
  as: Account,
  ids: readonly string[],
  withinMs: number,
): Promise<Map<string, Job> | undefined> {
  const ended = (job: Job | undefined): boolean => job !== undefined && hasEnded(job);
  return await context.poll(
    async () => await readJobs(target, as, ids),
    (jobs) => jobs !== undefined && ids.every((id) => ended(jobs.get(id))),
    { withinMs, everyMs: pollEveryMs },
  );
}

/** Null if the job is not listed; undefined if the view could not be read. */
export async function waitForJob(
  target: Pick<Target, "sql">,
  context: Pick<Context, "poll">,
  as: Account,
  id: string,
  withinMs = flushWithinMs,
): Promise<Job | null | undefined> {
  const jobs = await waitForJobs(target, context, as, [id], withinMs);
  return jobs && (jobs.get(id) ?? null);
}

/** A status that this version does not know counts as ended. */
export function hasEnded({ status }: Pick<Job, "status">): boolean {
  return !["new", "queued", "pending", "running", "retrying"].includes(status);
}

/** Flushes the tables concurrently and waits for their jobs to end. */
export async function flushAll(
  target: Pick<Target, "sql">,
  context: Pick<Context, "poll">,
  as: Account,
  tables: readonly string[],
): Promise<readonly Flushed[]> {
  const started = await Promise.all(tables.map(async (table) => await startFlush(target, as, table)));
  const ids = started.flatMap(({ job }) => job ?? []);
  const jobs = ids.length === 0 ? undefined : await waitForJobs(target, context, as, ids, flushWithinMs);
  return started.map((one) => ({ ...one, status: jobs?.get(one.job ?? "")?.status ?? null }));
}

export async function flush(
  target: Pick<Target, "sql">,
  context: Pick<Context, "poll">,
  as: Account,
  table: string,
): Promise<Flushed> {
  const [flushed] = await flushAll(target, context, as, [table]);
  if (flushed === undefined) throw new Error("flushAll returned nothing for one table");
  return flushed;
}

/** For `unknown`: why the flush is not known to have completed; undefined if it has. */
export function whyNotFlushed({ said, job, status }: Flushed): string | undefined {
  if (status === "completed") return undefined;
  if (job !== null) return `the flush ${job} did not complete: ${status ?? "it is not listed"}`;
  const answer = [said.status ?? "no answer", said.code, said.message].filter((part) => part !== "").join(" ");
  return `the flush could not be started: ${answer}`;
}

export type ListedJob = { readonly id: string; readonly type: string; readonly about: string };

/** The jobs for tables of this namespace; null if the view could not be read. */
export async function jobsOf(
  target: Pick<Target, "sql">,
  as: Account,
  namespace: string,
): Promise<readonly ListedJob[] | null> {
  const answer = await target.sql(
    as,
    `SELECT job_id, job_type, parameters FROM system.jobs WHERE parameters LIKE '%"${namespace}.%' ORDER BY job_id LIMIT 200`,
  );
  const jobs = rowsOf(answer)?.map((row) => ({
    id: cellText(row["job_id"]),
    type: cellText(row["job_type"]),
    about: cellText(row["parameters"]),
  }));
  // An underscore in LIKE matches any character, so jobs of other namespaces may be among them.
  return jobs?.filter((job) => job.about.includes(`"${namespace}.`)) ?? null;
}
