import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { flush, hasEnded, jobIn, whyNotFlushed } from "../../vocabulary/jobs.ts";
import { isLate, paceText, whySlow, type Pace } from "../../vocabulary/pace.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { waitFor } from "../crash.ts";
import {
  change,
  differencesFrom,
  digest,
  digestColumns,
  fill,
  refusedColumns,
  sayDifference,
  whyUnanswered,
  type Ask,
  type Column,
  type Difference,
  type Digest,
} from "../digest.ts";
import { runToEnd, waitForEnd, whyNotEnded, type Ended } from "../jobs.ts";
import {
  identify,
  lifecycleOf,
  restartText,
  restartTimes,
  startAgain,
  whyNotRestarted,
  type Restart,
} from "../restart.ts";

const half = 40;
const all = { from: 1, count: 2 * half };
/** From the answer that the job has been started to the kill. */
const killWithinMs = 200;

type Round = {
  readonly kind: "flush" | "compaction";
  /** How the job was started. */
  readonly said: Said;
  readonly job: string | null;
  readonly killedAfterMs: number;
  readonly restart: Restart;
  readonly before: Digest;
  readonly after: Digest;
  /** The last status of the job after the start, and the wait for its end; null if it is not listed. */
  readonly status: string | null;
  readonly pace: Pace;
  /** How one more row was written, and what was answered then. */
  readonly written: Said | null;
  readonly rewritten: Digest;
  /** The flush after that, and what was answered in the end. */
  readonly next: Ended;
  readonly final: Digest;
};

type Seen = {
  readonly rounds: readonly Round[];
  /** Why a round could not be prepared, which ended them; null if all were. */
  readonly undone: string | null;
};

export const crashInFlushHarmless = defineCheck({
  id: "durability/crash-in-flush-harmless",
  title: "A crash during a flush or compaction does no harm",
  failureTitle: "A crash during a flush or compaction does harm",
  description: `In rounds on fresh tables, a flush or a compaction is started, and the server's process is killed with SIGKILL within ${killWithinMs} ms and started again. All rows, their number, sums and eight predicates must be answered as before; the job must end, or be gone; and after one more row is written, another flush must complete and change nothing.`,
  blindTo:
    "Whether the kill met the job in the middle is not told by the server. It is the end of a process and shows nothing about a power loss.",
  risk: "A crash at the wrong moment loses or doubles rows that were safe, or ends all flushes of the table.",
  remedy: "Compare the tables after a crash with a backup, and look in system.jobs for flushes that do not end.",
  covers: [],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 12_000,
  estimateRequests: 300,
  timeoutMs: 400_000,
  findings: {
    lostRows: {
      say: (d: Difference & { round: number; kind: Round["kind"]; killedAfterMs: number; when: string }) =>
        `round ${d.round}: killed ${d.killedAfterMs} ms after a ${d.kind} was started; ${d.when}, ${sayDifference(d)}`,
    },
    doubledRows: {
      say: (d: Difference & { round: number; kind: Round["kind"]; killedAfterMs: number; when: string }) =>
        `round ${d.round}: killed ${d.killedAfterMs} ms after a ${d.kind} was started; ${d.when}, ${sayDifference(d)}`,
      risk: "Sums and counts are too high after a crash, or show what nobody wrote.",
    },
    jobStuck: {
      say: (d: { round: number; kind: Round["kind"]; job: string; status: string; pace: Pace }) =>
        `round ${d.round}: the ${d.kind} ${d.job}, in which the server was killed, was still ${d.status} ${d.pace.waitedMs} ms after the start, ${paceText(d.pace)}`,
      risk: "The table is not flushed any more, since a flush is said to be running.",
      remedy: "Cancel the job with KILL JOB, and flush the table by hand.",
      timed: true,
    },
    flushBroken: {
      say: (d: { round: number; kind: Round["kind"]; said: string }) =>
        `round ${d.round}: the next flush after a crash in a ${d.kind} failed: ${d.said}`,
      risk: "Rows of the table stay out of cold storage for good, and memory or the hot store grows.",
      remedy: "Look in the server's log for what the flush trips over.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const rounds: Round[] = [];
    const count = context.size({ light: 2, standard: 4, deep: 14 });
    let without: readonly Column[] = [];
    let undone: string | null = null;
    for (let round = 1; round <= count; round += 1) {
      const table = await sharedTable(target, context, op, `${context.scratch}.crashed_${round}`, {
        columns: digestColumns,
      });
      if (round === 1) without = await refusedColumns(context, async (sql) => await target.sql(op, sql), table);
      const one = await crashInJob(target, context, op, {
        kind: round % 2 === 1 ? "flush" : "compaction",
        table,
        without,
      });
      if ("why" in one) {
        undone = `round ${round}: ${one.why}`;
        break;
      }
      rounds.push(one);
      if (one.restart.failed !== null) break;
    }
    return { rounds, undone };
  },
  timeline: ({ rounds }) => restartTimes(rounds.map(({ restart }) => restart)),
  judge({ rounds, undone }, { found }) {
    const whys: string[] = [];
    for (const [at, one] of rounds.entries()) {
      const { kind, job, killedAfterMs, restart, before, after, rewritten, final, status, pace, next } = one;
      const round = at + 1;
      const looks = { "after the start": [before, after], "after the next flush": [rewritten, final] } as const;
      for (const [when, [then, now]] of Object.entries(looks)) {
        const [first] = differencesFrom(then, now);
        if (first === undefined) continue;
        const { exchange, ...difference } = first;
        const data = { round, kind, killedAfterMs, when, ...difference };
        const report = difference.added === null ? found.lostRows : found.doubledRows;
        report(data, { case: `${kind}, ${when}`, sent: [exchange] });
        break;
      }
      const isOpen = status !== null && !hasEnded({ status });
      if (job !== null && isOpen && isLate(pace))
        found.jobStuck({ round, kind, job, status, pace }, { case: kind, sent: one.said });
      const { said, message } = next;
      const isFailed = said.kind === "refused" || /^(failed|cancelled)$/.test(next.status ?? "");
      if (isFailed) found.flushBroken({ round, kind, said: message === "" ? said.message : message }, { sent: said });
      const why =
        whyNotRestarted(restart) ??
        (job === null ? `the ${kind} could not be started: ${one.said.message}` : undefined) ??
        whyUnanswered([...before, ...after, ...rewritten, ...final]) ??
        (one.written?.kind === "ok" ? undefined : `no row could be written after the start: ${one.written?.message}`) ??
        (isOpen ? `the ${kind} ${job} was ${status} after the start: ${whySlow(pace)}` : undefined) ??
        whyNotEnded(next, "the next flush");
      if (why !== undefined) whys.push(`round ${round}: ${why}`);
    }
    const why = whys[0] ?? undone;
    if (why !== null) return unknown(why);
    const times = (["flush", "compaction"] as const).map((kind) => {
      const after = rounds.filter((one) => one.kind === kind).map(({ killedAfterMs }) => killedAfterMs);
      return `${after.length} in a ${kind} (${after.join(", ")} ms after its start)`;
    });
    if (rounds.length < 2) return unknown(`${rounds.length} round was done; one with each kind of job is needed`);
    return pass(
      `${rounds.length} kills, ${times.join(", ")}: ${rounds[0]?.before.length} queries answered as before each time, and after another flush; ${restartText(rounds.map(({ restart }) => restart))}`,
    );
  },
});

interface Place {
  readonly kind: Round["kind"];
  readonly table: string;
  readonly without: readonly Column[];
}

async function crashInJob(
  target: Target,
  context: Context,
  op: Account,
  place: Place,
): Promise<Round | { readonly why: string }> {
  const { kind, table, without } = place;
  const ask: Ask = async (sql) => await target.sql(op, sql);
  const [first, second] = [
    { from: 1, count: half },
    { from: half + 1, count: half },
  ];
  await fill(context, ask, table, first, without);
  const unflushed = kind === "compaction" ? whyNotFlushed(await flush(target, context, op, table)) : undefined;
  await fill(context, ask, table, second, without);
  // Only rows that are not flushed yet: what becomes of changes to flushed ones is for other checks.
  await change(context, ask, table, second);
  const why = unflushed ?? (kind === "compaction" ? whyNotFlushed(await flush(target, context, op, table)) : undefined);
  if (why !== undefined) return { why };
  const before = await digest(ask, table, all);

  const lifecycle = lifecycleOf(target, context);
  const running = await identify(target, op, lifecycle);
  const said = saidOf(await target.sql(op, `STORAGE ${kind === "flush" ? "FLUSH" : "COMPACT"} TABLE ${table}`));
  const startedAt = performance.now();
  const waitMs = Math.floor(context.random("moment of the kill")() * killWithinMs);
  if (waitMs > 0) await waitFor(context, waitMs);
  const killedAt = performance.now();
  await lifecycle.kill();
  const goneMs = Math.round(performance.now() - killedAt);
  const restart = await startAgain(target, context, op, { by: "kill", before: running, goneMs });

  const after = restart.failed === null ? await digest(ask, table, all) : [];
  const job = said.kind === "ok" ? jobIn(said.message) : null;
  const runs = restart.failed === null;
  const { value, pace } = await waitForEnd(target, context, op, {
    job: runs ? job : null,
    floorMs: context.size({ light: 10_000, standard: 20_000, deep: 30_000 }),
  });
  const extra = `INSERT INTO ${table} (id, mark) VALUES (${all.count + 1}, 'after the crash')`;
  const written = runs ? saidOf(await target.sql(op, extra)) : null;
  const rewritten = runs ? await digest(ask, table, all) : [];
  const next = await runToEnd(target, context, op, `STORAGE FLUSH TABLE ${table}`);
  const final = runs ? await digest(ask, table, all) : [];
  return {
    kind,
    said,
    job,
    killedAfterMs: Math.round(killedAt - startedAt),
    restart,
    before,
    after,
    status: value?.status ?? null,
    pace,
    written,
    rewritten,
    next,
    final,
  };
}
