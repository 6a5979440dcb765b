import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import type { Account, Target } from "../../../src/server/target.ts";
import { makeTable, sharedTable } from "../../vocabulary/tables.ts";
import {
  askLine,
  change,
  differencesFrom,
  askAll,
  digestColumns,
  digestQueries,
  fill,
  refusedColumns,
  sayDifference,
  typesOf,
  whyUnanswered,
  type Ask,
  type Column,
  type Difference,
  type Digest,
  type Line,
  type Range,
} from "../digest.ts";
import { endedAmiss, runToEnd, sayAmiss, whyNotEnded, type Amiss, type Ended } from "../jobs.ts";

/** Fewer answers while the flush ran show nothing about it. */
const duringMin = 3;
const askers = { light: 2, standard: 4, deep: 4 };
/** Left out at light effort: conditions of the same kind as others. */
const likeOthers = new Set([
  "a range of keys",
  "a range of values",
  "a boolean or a decimal",
  "a date",
  "a prefix",
  "IS NULL",
]);

type Job = { readonly what: "the first flush" | "the flush" | "the compaction"; readonly ended: Ended };
type Look = {
  readonly type: "SHARED" | "USER";
  readonly rows: number;
  /** Columns whose values the server refused. */
  readonly without: readonly Column[];
  readonly jobs: readonly Job[];
  readonly before: Digest;
  /** Asked from before the flush until its job had ended; what was answered alike several times is here once. */
  readonly during: readonly (Line & { readonly times: number })[];
  readonly flushed: Digest;
  readonly compacted: Digest;
};

export const flushChangesNothing = defineCheck({
  id: "durability/flush-changes-nothing",
  title: "Flush and compaction change no answer",
  failureTitle: "A flush or compaction changes what queries answer",
  description:
    "Fills a SHARED and a USER table with rows of all types and NULLs, flushes half of them, and updates and deletes some of both halves. Then the number of rows, sums, all rows in order and eight predicates (two at light effort) are queried, again and again while the table is flushed, once after the flush, and once after a compaction. Each answer must be the same as before.",
  blindTo:
    "It compares answers with earlier ones: what is wrong from the beginning is for validation/types-round-trip.",
  risk: "Reports change by themselves: rows vanish, come back or change when the server moves them to cold storage.",
  remedy: "Raise flush.default_row_limit and the time interval until this passes, and report the query that changed.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 3_000,
  estimateRequests: 250,
  timeoutMs: 180_000,
  findings: {
    digestChanged: {
      say: (d: Difference & { when: string; type: string; queries: number }) =>
        `${d.when} of the ${d.type} table, ${sayDifference(d)}; ${d.queries} queries answer differently`,
    },
    flushNeverEnds: {
      say: (d: Amiss) => sayAmiss(d),
      risk: "Rows stay out of cold storage, and memory or the hot store grows.",
      remedy: "Look for the job in system.jobs and the server's log.",
      timed: true,
    },
  },
  async observe(target, context): Promise<readonly Look[]> {
    const [op, user] = [await target.account("dba"), await target.account("user")];
    const [shared, own] = [`${context.scratch}.shared`, `${context.scratch}.own`];
    await sharedTable(target, context, op, shared, { columns: digestColumns });
    await makeTable(target, context, op, own, { columns: digestColumns });
    const without = await refusedColumns(context, async (sql) => await target.sql(op, sql), shared);
    return await Promise.all([
      look(target, context, op, { type: "SHARED", table: shared, as: op, without }),
      look(target, context, op, { type: "USER", table: own, as: user, without }),
    ]);
  },
  judge(looks, { found }) {
    const whys: string[] = [];
    for (const { type, jobs, before, during, flushed, compacted } of looks) {
      for (const { what, ended } of jobs) {
        const amiss = endedAmiss(ended, `${what} of the ${type} table`);
        if (amiss !== undefined) found.flushNeverEnds(amiss, { case: type, sent: ended.said });
        const why = whyNotEnded(ended, `${what} of the ${type} table`);
        if (why !== undefined) whys.push(why);
      }
      const phases = { "during the flush": during, "after the flush": flushed, "after the compaction": compacted };
      for (const [when, now] of Object.entries(phases)) {
        const differences = differencesFrom(before, now);
        const [first] = differences;
        if (first === undefined) continue;
        const { exchange, ...difference } = first;
        found.digestChanged(
          { when, type, queries: new Set(differences.map(({ query }) => query)).size, ...difference },
          { case: `${type} ${when}`, sent: [exchange] },
        );
      }
      const unanswered = whyUnanswered([...before, ...flushed, ...compacted]);
      if (unanswered !== undefined) whys.push(`the ${type} table could not be queried: ${unanswered}`);
      const answers = answersDuring(during);
      if (answers < duringMin)
        whys.push(
          `${answers} queries of the ${type} table were answered during its flush; at least ${duringMin} are needed`,
        );
    }
    const [why] = whys;
    if (why !== undefined) return unknown(why);
    const sizes = looks.map(({ type, rows, before }) => `${rows} rows of the ${type} table (${before.length} queries)`);
    const without = [...new Set(looks.flatMap((one) => one.without))];
    const left = without.length === 0 ? "" : `, without ${typesOf(without)}, whose values it refuses`;
    const during = looks.reduce((sum, one) => sum + answersDuring(one.during), 0);
    return pass(
      `${sizes.join(" and ")}: the same before, during (${during} answers) and after a flush, and after a compaction${left}`,
    );
  },
});

function answersDuring(during: Look["during"]): number {
  return during.reduce((sum, { lines, times }) => sum + (lines === null ? 0 : times), 0);
}

interface Place {
  readonly type: Look["type"];
  readonly table: string;
  readonly as: Account;
  readonly without: readonly Column[];
}

async function look(target: Target, context: Context, op: Account, { type, table, as, without }: Place): Promise<Look> {
  const ask: Ask = async (sql) => await target.sql(as, sql);
  const half = context.size({ light: 12, standard: 60, deep: 150 });
  const [cold, hot] = [
    { from: 1, count: half },
    { from: half + 1, count: half },
  ];
  const all: Range = { from: 1, count: 2 * half };
  await fill(context, ask, table, cold, without);
  const first = await runToEnd(target, context, op, `STORAGE FLUSH TABLE ${table}`);
  await fill(context, ask, table, hot, without);
  const rows = await change(context, ask, table, all);
  const queries = Object.fromEntries(
    Object.entries(digestQueries(table, all)).filter(([name]) => context.effort !== "light" || !likeOthers.has(name)),
  );
  const before = await askAll(ask, queries);
  let isOver = false;
  const asking = askWhile(ask, { queries, askers: context.size(askers) }, () => !isOver);
  const flush = await runToEnd(target, context, op, `STORAGE FLUSH TABLE ${table}`).finally(() => (isOver = true));
  const during = await asking;
  const flushed = await askAll(ask, queries);
  const compaction = await runToEnd(target, context, op, `STORAGE COMPACT TABLE ${table}`);
  const jobs = [
    { what: "the first flush", ended: first },
    { what: "the flush", ended: flush },
    { what: "the compaction", ended: compaction },
  ] as const;
  return { type, rows, without, jobs, before, during, flushed, compacted: await askAll(ask, queries) };
}

/** Several ask one query after the other, round and round. */
async function askWhile(
  ask: Ask,
  { queries, askers: count }: { readonly queries: Readonly<Record<string, string>>; readonly askers: number },
  goesOn: () => boolean,
): Promise<Look["during"]> {
  const seen = new Map<string, Line & { times: number }>();
  const all = Object.entries(queries);
  let turn = 0;
  const one = async (): Promise<void> => {
    while (goesOn()) {
      const [query = "", sql = ""] = all[turn % all.length] ?? [];
      turn += 1;
      const line = await askLine(ask, query, sql);
      // What was answered when the flush had ended shows nothing about its course.
      if (!goesOn()) break;
      const key = `${query} ${JSON.stringify(line.lines)}`;
      seen.set(key, { ...line, times: (seen.get(key)?.times ?? 0) + 1 });
    }
  };
  await Promise.all(Array.from({ length: count }, one));
  return [...seen.values()];
}
