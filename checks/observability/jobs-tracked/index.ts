import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal, type Said } from "../../../src/server/target.ts";
import { hasEnded, readJob, startFlush, waitForJob, type Flush, type Job } from "../../vocabulary/jobs.ts";

const rowCount = 20;
/** How long a job may stay unlisted after its id was told. */
const listedWithinMs = 2_000;
/** How a flush says that there is nothing to do. */
const idle = /skip|nothing|no pending/i;

/** A job's row: null where it is not listed. */
type Row = Job | "unread" | null;
type Seen = {
  readonly table: string;
  readonly withinMs: number;
  readonly prepared: readonly Said[];
  readonly flushed: Flush | null;
  readonly first: Row;
  readonly last: Row;
  readonly again: Flush | null;
};

export const jobsTracked = defineCheck({
  id: "observability/jobs-tracked",
  title: "A job is listed from its start to its end",
  failureTitle: "A job is not listed, never ends, or is told wrongly",
  description: `Writes ${rowCount} rows and flushes their table: the id that the answer names must be in system.jobs, as a flush of this table, completed within 30 s (10 s at light effort), with times in order. A second flush has nothing to do and must say so.`,
  blindTo: "One small flush; whether the rows are safe after it is for the durability checks.",
  risk: "Nobody can tell whether a flush, a backup or a clean-up is done, so one waits too long or not at all.",
  remedy: "Compare system.jobs with system.manifest, which tells the segments that are there.",
  covers: ["OBS-04"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 500,
  estimateRequests: 10,
  timeoutMs: 90_000,
  findings: {
    missing: { say: (d: { job: string }) => `the flush was answered with ${d.job}, which system.jobs does not list` },
    unnamed: { say: (d: { answer: string }) => `the flush of ${rowCount} new rows names no job: ${d.answer}` },
    stuck: {
      say: (d: { job: string; status: string; message: string; withinMs: number }) =>
        `${d.job} was ${d.status} and not completed after ${d.withinMs / 1000} s${d.message === "" ? "" : `: ${d.message}`}`,
    },
    disordered: {
      say: (d: { job: string; created: string; started: string; finished: string }) =>
        `${d.job} was created at ${d.created}, started at ${d.started}, finished at ${d.finished}`,
    },
    wrong: {
      say: (d: { job: string; what: string; told: string; wanted: string }) =>
        `${d.job} tells ${d.told} as its ${d.what}, without ${d.wanted}`,
    },
    idleJob: {
      say: (d: { answer: string }) => `a second flush with nothing to do did not say so: ${d.answer}`,
      level: "warn",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const table = `${context.scratch}.flushed`;
    const withinMs = context.size({ light: 10_000, standard: 30_000, deep: 30_000 });
    const rows = Array.from({ length: rowCount }, (_, n) => `(${n}, 'row ${n}')`).join(", ");
    const prepared = [
      saidOf(await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`)),
      saidOf(await target.sql(op, `INSERT INTO ${table} (id, v) VALUES ${rows}`)),
    ];
    const nothing = { table, withinMs, prepared, first: null, last: null, again: null };
    if (prepared.some((said) => said.kind !== "ok")) return { ...nothing, flushed: null };
    const flushed = await startFlush(target, op, table);
    const { job } = flushed;
    if (flushed.said.kind !== "ok" || job === null) return { ...nothing, flushed };
    const first = await context.poll(
      async () => await readJob(target, op, job),
      (found) => found !== null,
      { withinMs: listedWithinMs, everyMs: 100 },
    );
    const last = first === null ? null : await waitForJob(target, context, op, job, withinMs);
    const read = (found: Job | null | undefined): Row => (found === undefined ? "unread" : found);
    const again = last?.status === "completed" ? await startFlush(target, op, table) : null;
    return { ...nothing, flushed, first: read(first), last: read(last), again };
  },
  judge({ table, withinMs, prepared, flushed, first, last, again }) {
    const unready = prepared.find((said) => said.kind !== "ok");
    if (unready !== undefined || flushed === null)
      return unknown(`the rows to flush could not be written: ${unready?.message ?? ""}`);
    if (flushed.said.kind !== "ok") return unknown(`the flush was not accepted: ${flushed.said.message}`);
    const { job } = flushed;
    const sent = [flushed.said.exchange];
    if (job === null && idle.test(flushed.said.message))
      return unknown(`something else had flushed the rows before: ${flushed.said.message}`);
    if (job === null) return fail({ name: "unnamed", data: { answer: flushed.said.message }, sent });
    if (first === "unread" || last === "unread") return unknown(`system.jobs was not answered for ${job}`);
    if (first === null || last === null) return fail({ name: "missing", data: { job }, sent });
    if (last.status !== "completed") {
      // A job that ended otherwise will not be completed any more; one that did not had its time.
      const status = hasEnded(last) ? `ended as ${last.status}` : last.status;
      return fail({ name: "stuck", data: { job, status, message: last.message, withinMs }, sent });
    }
    const times = [last.createdAt, last.startedAt, last.finishedAt];
    const [created, started, finished] = times.map((time) => (time === null ? "no time" : time));
    const ordered = times.every(
      (time, at) => time !== null && (at === 0 || BigInt(time) >= BigInt(times[at - 1] ?? time)),
    );
    const found = [
      ...(ordered
        ? []
        : [
            {
              name: "disordered" as const,
              data: { job, created: created ?? "", started: started ?? "", finished: finished ?? "" },
              sent,
            },
          ]),
      ...(/flush/i.test(last.type)
        ? []
        : [
            {
              name: "wrong" as const,
              case: "type",
              data: { job, what: "type", told: last.type, wanted: "flush" },
              sent,
            },
          ]),
      ...(table.split(".").every((name) => last.parameters.includes(name))
        ? []
        : [
            {
              name: "wrong" as const,
              case: "table",
              data: { job, what: "parameters", told: last.parameters, wanted: table },
              sent,
            },
          ]),
    ];
    const busy =
      again !== null && again.said.kind === "ok" && (again.job !== null || !idle.test(again.said.message))
        ? [{ name: "idleJob" as const, data: { answer: again.said.message }, sent: [again.said.exchange] }]
        : [];
    if (found.length + busy.length > 0) return fail(...found, ...busy);
    if (again === null || (again.said.kind !== "ok" && !isCleanRefusal(again.said)))
      return unknown(`the second flush was not answered: ${again?.said.message ?? ""}`);
    const tookMs = BigInt(last.finishedAt ?? 0) - BigInt(last.createdAt ?? 0);
    return pass(`${job} listed, completed after ${tookMs} ms by its own times; a second flush found nothing to do`);
  },
});
