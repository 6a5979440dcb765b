/** Work that goes on after its statement was answered: which jobs there are for a namespace of ours, and a flush to its end. */
import type { Context } from "../src/check.ts";
import { cellText, rowsOf, saidOf, type Account, type Said, type Target } from "../src/target/target.ts";

export type Job = { readonly id: string; readonly type: string; readonly about: string };

/** Which jobs there are for tables of this namespace; null where the server would not tell. */
export async function jobsOf(target: Target, as: Account, namespace: string): Promise<readonly Job[] | null> {
  const answer = await target.sql(
    as,
    `SELECT job_id, job_type, parameters FROM system.jobs WHERE parameters LIKE '%"${namespace}.%' ORDER BY job_id LIMIT 200`,
  );
  // An underscore in LIKE stands for any sign, so other names may have come along.
  const jobs = rowsOf(answer)?.map((row) => ({
    id: cellText(row["job_id"]),
    type: cellText(row["job_type"]),
    about: cellText(row["parameters"]),
  }));
  return jobs?.filter((job) => job.about.includes(`"${namespace}.`)) ?? null;
}

/** The job that an answer names. */
export function jobIn(message: string): string | null {
  return /\bJob ID: ([\w-]+)/.exec(message)?.[1] ?? null;
}

/** `status`: of the job when it was last seen; null where there was none, or it could not be seen. */
export type Flushed = { readonly said: Said; readonly job: string | null; readonly status: string | null };

/** How long a flush of a few rows may take. */
const flushWithinMs = 10_000;
const open: ReadonlySet<string> = new Set(["new", "queued", "running", "retrying"]);

/** Asks for a flush of each table, and waits until their jobs are over. */
export async function flushAll(
  target: Target,
  context: Context,
  as: Account,
  tables: readonly string[],
): Promise<readonly Flushed[]> {
  const asked = await Promise.all(
    tables.map(async (table) => {
      const said = saidOf(await target.sql(as, `STORAGE FLUSH TABLE ${table}`));
      return { said, job: said.kind === "ok" ? jobIn(said.message) : null };
    }),
  );
  const jobs = asked.flatMap(({ job }) => job ?? []);
  if (jobs.length === 0) return asked.map((one) => ({ ...one, status: null }));
  const named = jobs.map((job) => `'${job}'`).join(", ");
  const statuses = await context.poll(
    async () => {
      const answer = await target.sql(
        as,
        `SELECT job_id, status FROM system.jobs WHERE job_id IN (${named}) LIMIT ${jobs.length}`,
      );
      const rows = rowsOf(answer) ?? [];
      return new Map(rows.map((row) => [cellText(row["job_id"]), cellText(row["status"])]));
    },
    (seen) => jobs.every((job) => !open.has(seen.get(job) ?? "new")),
    { withinMs: flushWithinMs, everyMs: 50 },
  );
  return asked.map((one) => ({ ...one, status: one.job === null ? null : (statuses.get(one.job) ?? null) }));
}

export async function flush(target: Target, context: Context, as: Account, table: string): Promise<Flushed> {
  const [flushed] = await flushAll(target, context, as, [table]);
  if (flushed === undefined) throw new Error("one table gives one answer");
  return flushed;
}

/** For `unknown`: why the flush did not come to its end; undefined if it did. */
export function unflushedSentence({ said, job, status }: Flushed): string | undefined {
  if (status === "completed") return undefined;
  return job === null
    ? `a flush could not be started: ${said.status ?? "no answer"} ${said.code} ${said.message}`.replace(/ {2,}/g, " ")
    : `the flush ${job} did not come to its end: ${status ?? "it is not listed"}`;
}
