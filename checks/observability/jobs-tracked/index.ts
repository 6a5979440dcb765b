import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isCleanRefusal } from "../../../src/server/target.ts";
import { hasEnded, readJob, startFlush, waitForJob, type Flush, type Job } from "../../vocabulary/jobs.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { isLate, paceText, waitPatiently, whySlow, type Pace } from "../../vocabulary/pace.ts";

const rowCount = 20;
/** How long a job may be missing from the list after its id was returned. */
const listedWithinMs = 2_000;
/** How a flush reports that there is nothing to do. */
const idle = /skip|nothing|no pending/i;

/** The row of a job; null if it is not listed. */
type Row = Job | "unread" | null;
type Seen = {
  readonly table: string;
  readonly flushed: Flush;
  readonly first: Row;
  readonly last: Row;
  /** Of the wait for the row, and of the wait for its end. */
  readonly listing: Pace | null;
  readonly ending: Pace | null;
  readonly again: Flush | null;
};

export const jobsTracked = defineCheck({
  id: "observability/jobs-tracked",
  title: "A job is listed from start to end",
  failureTitle: "A job is not listed, never ends or is listed incorrectly",
  description: `Writes ${rowCount} rows and flushes the table. system.jobs must list the job id from the answer as a flush of this table, completed within 30 s (10 s at light effort), with its times in order. A second flush has nothing to do and must say so.`,
  blindTo: "One small flush; whether the flushed rows are durable is left to the durability category.",
  risk: "Operators cannot tell whether a flush, a backup or a clean-up has finished.",
  remedy: "Check system.manifest, which lists the flushed segments, instead of system.jobs.",
  covers: ["OBS-04"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 500,
  estimateRequests: 10,
  timeoutMs: 90_000,
  findings: {
    missing: {
      say: (d: { job: string; pace: Pace }) =>
        `the flush returned ${d.job}, which system.jobs did not list within ${d.pace.waitedMs} ms, ${paceText(d.pace)}`,
      timed: true,
    },
    unnamed: {
      say: (d: { answer: string }) => `the answer to a flush of ${rowCount} new rows names no job: ${d.answer}`,
    },
    stuck: {
      say: (d: { job: string; status: string; message: string; pace: Pace }) =>
        `${d.job} was ${d.status}, not completed, after ${d.pace.waitedMs} ms, ${paceText(d.pace)}${d.message === "" ? "" : `: ${d.message}`}`,
      risk: "Rows stay out of cold storage, and a job that never ends can block the next one.",
      remedy: "Look for the job in the server's log, and check free space and permissions of the storage.",
      timed: true,
    },
    disordered: {
      say: (d: { job: string; created: string; started: string; finished: string }) =>
        `${d.job} was created at ${d.created}, started at ${d.started}, finished at ${d.finished}`,
      risk: "Durations computed from these times are wrong.",
      remedy: "Measure the duration of jobs from outside.",
    },
    wrong: {
      say: (d: { job: string; what: string; told: string; wanted: string }) =>
        `the ${d.what} of ${d.job} is ${d.told === "" ? "empty" : d.told}; expected ${d.wanted}`,
    },
    idleJob: {
      say: (d: { answer: string }) => `a second flush with nothing to do did not say so: ${d.answer}`,
      level: "warn",
      risk: "Scheduled flushes fill the job list with jobs that do nothing.",
      remedy: "Flush only tables that have been written to.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const floorMs = context.size({ light: 10_000, standard: 30_000, deep: 30_000 });
    const table = await makeTable(target, context, op, `${context.scratch}.flushed`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, v TEXT",
    });
    const rows = Array.from({ length: rowCount }, (_, n) => `(${n}, 'row ${n}')`).join(", ");
    context.need(
      await target.sql(op, `INSERT INTO ${table} (id, v) VALUES ${rows}`),
      "the rows to flush could not be written",
    );
    const flushed = await startFlush(target, op, table);
    context.need(flushed.said, "the flush was not accepted");
    const { job } = flushed;
    if (job === null) return { table, flushed, first: null, last: null, listing: null, ending: null, again: null };
    const isListed = (row: Job | null | undefined): boolean => row !== null;
    const { value: first, pace: listing } = await waitPatiently(target, op, {
      floorMs: listedWithinMs,
      wait: async (withinMs) =>
        await context.poll(async () => await readJob(target, op, job), isListed, { withinMs, everyMs: 100 }),
      done: isListed,
    });
    const { value: last, pace: ending } = await waitPatiently(target, op, {
      floorMs,
      wait: async (withinMs) => (first === null ? null : await waitForJob(target, context, op, job, withinMs)),
      done: (row) => row === null || (row !== undefined && hasEnded(row)),
    });
    const read = (row: Job | null | undefined): Row => (row === undefined ? "unread" : row);
    const again = last?.status === "completed" ? await startFlush(target, op, table) : null;
    return { table, flushed, first: read(first), last: read(last), listing, ending, again };
  },
  judge({ table, flushed, first, last, listing, ending, again }, { found }) {
    const { job, said } = flushed;
    if (job === null) {
      if (idle.test(said.message)) return unknown(`something else flushed the rows before: ${said.message}`);
      found.unnamed({ answer: said.message }, { sent: said });
      return unknown("the flush names no job");
    }
    if (first === "unread" || last === "unread") return unknown(`system.jobs could not be read for ${job}`);
    if (first === null || last === null) {
      // One that was listed before has gone, however long that took.
      if (listing !== null && (first !== null || isLate(listing)))
        found.missing({ job, pace: listing }, { sent: said });
      return unknown(`${job} is not listed; ${listing === null ? "nobody waited for it" : whySlow(listing)}`);
    }
    if (last.status !== "completed") {
      // A job that ended otherwise will never complete; one that has not ended had its time.
      const ended = hasEnded(last);
      const status = ended ? `ended as ${last.status}` : last.status;
      const pace = ending ?? { waitedMs: 0, controlMs: null };
      if (ended || isLate(pace)) found.stuck({ job, status, message: last.message, pace }, { sent: said });
      return unknown(`${job} did not complete; ${whySlow(pace)}`);
    }
    const times = [last.createdAt, last.startedAt, last.finishedAt];
    const [created = "", started = "", finished = ""] = times.map((time) => time ?? "no time");
    if (times.some((time, at) => time === null || BigInt(time) < BigInt(times[at - 1] ?? time)))
      found.disordered({ job, created, started, finished }, { sent: said });
    if (!/flush/i.test(last.type))
      found.wrong({ job, what: "type", told: last.type, wanted: "a flush" }, { case: "type", sent: said });
    if (!table.split(".").every((name) => last.parameters.includes(name)))
      found.wrong({ job, what: "parameters", told: last.parameters, wanted: table }, { case: "table", sent: said });
    if (again?.said.kind === "ok" && (again.job !== null || !idle.test(again.said.message)))
      found.idleJob({ answer: again.said.message }, { sent: again.said });
    if (again === null || (again.said.kind !== "ok" && !isCleanRefusal(again.said)))
      return unknown(`the second flush was not answered: ${again?.said.message ?? ""}`);
    const tookMs = BigInt(last.finishedAt ?? 0) - BigInt(last.createdAt ?? 0);
    return pass(`${job} listed, completed after ${tookMs} ms by its own times; a second flush found nothing to do`);
  },
});
