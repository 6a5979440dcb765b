import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Values } from "../../../src/history/history.ts";
import { integerText, onlyRow } from "../../../src/server/target.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { flushToEnd, rowsIn, sayUnended, unendedOf, whyUnflushed, type Flushing, type Unended } from "../flushing.ts";
import { differencesOf, someOf, type Changed } from "../model.ts";
import { atLeast, readUntil, type Reading } from "../reading.ts";
import { restart, restartText, restartTimes, whyNotRestarted, type Restart } from "../restart.ts";

const columns = ["id", "mark", "amount"];

/** COUNT and SUM as text; null where they were not answered. */
type Aggregate = { readonly count: string | null; readonly sum: string | null; readonly exchange: number };
type Seen = {
  readonly expected: readonly Values[];
  readonly flushed: Flushing;
  readonly restart: Restart;
  readonly after: Reading;
  readonly aggregate: Aggregate;
};

export const flushedRowsSurviveRestart = defineCheck({
  id: "durability/flushed-rows-survive-restart",
  title: "Flushed rows survive a restart",
  failureTitle: "Flushed rows are lost or changed by a restart",
  description:
    "Writes 20 rows (1,000 at deep effort) into a SHARED table and flushes it: the job must complete, and the manifest must list a segment. Then the server is asked to stop (SIGTERM) and is started again. The rows, their number and the sum of a column must be exactly as written.",
  blindTo: "It shows nothing about a power loss, about USER tables or about storage other than the table's default.",
  risk: "Data that was moved to cold storage is gone or wrong after the next update of the server.",
  remedy: "Compare system.manifest with the files of the storage, and keep the flushed files in your backups.",
  covers: ["DUR-02"],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 3_500,
  estimateRequests: 30,
  timeoutMs: 250_000,
  findings: {
    flushNeverEnds: {
      say: (d: Unended) => sayUnended(d),
      risk: "Rows stay out of cold storage, and memory or the hot store grows.",
      remedy: "Look for the job in system.jobs and the server's log.",
      timed: true,
    },
    noSegment: {
      say: (d: { job: string; rows: number; segments: number }) =>
        `${d.job} completed, and the manifest lists ${d.segments} segments with fewer than the ${d.rows} rows`,
      risk: "Nobody can tell which rows are in cold storage.",
      remedy: "Look at the storage of the table and its permissions.",
    },
    lostRows: {
      say: (d: { lost: number; of: number; keys: readonly string[]; count: string | null }) =>
        `${someOf(d.keys, d.of)} (${d.lost} in all), are gone after the restart; COUNT(*) is ${d.count ?? "not answered"}`,
    },
    changedRows: {
      say: (d: {
        rows: number;
        first: Changed | null;
        sum: string | null;
        expected: string;
        count: string | null;
        of: number;
      }) =>
        `${d.rows} rows are not as they were flushed${d.first === null ? "" : `: ${d.first.column} of ${d.first.key} was ${d.first.expected} and is ${d.first.shown}`}; ${Number(d.count) > d.of ? `COUNT(*) is ${d.count}, expected ${d.of}; ` : ""}the sum is ${d.sum ?? "not answered"}, expected ${d.expected}`,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const table = await sharedTable(target, context, op, `${context.scratch}.flushed`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT, amount BIGINT",
    });
    const count = context.size({ light: 20, standard: 20, deep: 1_000 });
    const expected = Array.from({ length: count }, (_, at): Values => {
      return { id: String(at + 1), mark: `row ${at + 1}`, amount: String((at + 1) * 1_000_003) };
    });
    for (let at = 0; at < count; at += 100) {
      const rows = expected
        .slice(at, at + 100)
        .map(({ id, mark, amount }) => `(${id as string}, '${mark as string}', ${amount as string})`);
      context.need(
        await target.sql(op, `INSERT INTO ${table} (id, mark, amount) VALUES ${rows.join(", ")}`),
        "the rows could not be written",
      );
    }
    const flushed = await flushToEnd(target, context, op, { table, rows: count });
    const restarted = await restart(target, context, op, "stop");
    const after = await readUntil(target, context, { as: op, table, columns, isWhole: atLeast(count) });
    const answer = await target.sql(op, `SELECT COUNT(*) AS count, SUM(amount) AS sum FROM ${table}`);
    const [rows, sum] = [integerText(onlyRow(answer)?.["count"]), integerText(onlyRow(answer)?.["sum"])];
    const aggregate = { count: rows ?? null, sum: sum ?? null, exchange: answer.exchange };
    return { expected, flushed, restart: restarted, after, aggregate };
  },
  timeline: ({ restart: restarted }) => restartTimes([restarted]),
  judge({ expected, flushed, restart: restarted, after, aggregate }, { found }) {
    const unended = unendedOf(flushed, 1);
    if (unended !== undefined) found.flushNeverEnds(unended, { sent: flushed.said });
    const { job, status, segments } = flushed;
    if (status === "completed" && typeof segments !== "string" && rowsIn(segments) < expected.length)
      found.noSegment({ job: job ?? "", rows: expected.length, segments: segments.length }, { sent: flushed.said });
    const why = whyNotRestarted(restarted) ?? whyUnflushed(flushed);
    if (why !== undefined) return unknown(why);
    const shown = after.cause === "missing" ? [] : after.rows;
    if (shown === null) return unknown(`the rows could not be read: ${after.why}`);
    const { lost, changed, strange, doubled } = differencesOf(expected, shown);
    const { count, sum } = aggregate;
    const wantedSum = String(expected.reduce((total, { amount }) => total + BigInt(amount as string), 0n));
    const sent = [after, aggregate];
    if (lost.length > 0 || (count !== null && Number(count) < expected.length))
      found.lostRows({ lost: lost.length, of: expected.length, keys: lost.slice(0, 5), count }, { sent });
    const odd = changed.length + strange.length + doubled.length;
    const [first = null] = changed;
    const isTooMany = Number(count) > expected.length;
    if (odd > 0 || isTooMany || (lost.length === 0 && sum !== null && sum !== wantedSum))
      found.changedRows({ rows: odd, first, sum, expected: wantedSum, count, of: expected.length }, { sent });
    if (count === null || sum === null) return unknown("COUNT and SUM were not answered after the restart");
    return pass(
      `${expected.length} rows in ${segments.length === 1 ? "a segment" : `${segments.length} segments`}, the same after the restart, with their count and sum; ${restartText([restarted])}`,
    );
  },
});
