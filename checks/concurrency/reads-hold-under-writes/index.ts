import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { judgeCounter, type CounterAnomaly } from "../../../src/history/counter.ts";
import type { Operation } from "../../../src/history/history.ts";
import { overlapOf } from "../../../src/history/overlap.ts";
import type { Answer } from "../../../src/server/target.ts";
import {
  connectAll,
  exchangesOf,
  makeWorkload,
  readWhile,
  spreadOver,
  together,
  type Client,
} from "../../vocabulary/clients.ts";
import { flushAfter, whyNotMidway, type MidwayFlush } from "../../vocabulary/midway.ts";
import { isLate } from "../../vocabulary/pace.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { inFlightWith } from "../in-flight.ts";

const accountCount = 4;
const writerCount = 3;
const readerCount = 5;
/** Reads that were in flight together with a write. */
const readsMin = 10;

/** A request that was not answered in time, by what kind of client. */
type Silent = { readonly exchange: number; readonly by: "reader" | "writer" };

type Seen = {
  readonly operations: readonly Operation[];
  readonly flush: MidwayFlush | null;
  readonly silent: readonly Silent[];
  /** How long each request was waited for. */
  readonly timeoutMs: number;
  /** How long the same read took when everything else had ended; null if it was not answered either. */
  readonly controlMs: number | null;
};

export const readsHoldUnderWrites = defineCheck({
  id: "concurrency/reads-hold-under-writes",
  title: "Row counts stay correct while others insert",
  failureTitle: "Row counts are wrong while others insert",
  description: `${readerCount} clients count the rows of a SHARED table, with and without a filter, while ${writerCount} others insert and the table is flushed. A count is at least the number of rows acknowledged before it was sent, at most the number sent before it returned, and never below an earlier count. All clients must finish.`,
  blindTo: "It counts rows; concurrency/reads-never-go-back compares values.",
  risk: "Totals jump back and forth while the table is written to, or readers hang.",
  remedy: "Do not compute totals on a table that is being written to until this passes.",
  covers: ["CON-03"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 200,
  from: { effort: "standard", needs: "many reads beside writes" },
  findings: {
    wentBack: {
      say: (d: { count: number; before: number; times: number }) =>
        `a count of ${d.count} rows was returned after one of ${d.before}, although no row was deleted (${d.times} times)`,
    },
    missedRows: {
      say: (d: { count: number; acknowledged: number; times: number }) =>
        `a count of ${d.count} rows was returned when ${d.acknowledged} were acknowledged before it (${d.times} times)`,
    },
    sawTooMany: {
      say: (d: { count: number | null; sent: number; times: number }) =>
        `a count of ${d.count ?? "no number"} rows was returned when only ${d.sent} had been sent (${d.times} times)`,
    },
    stuck: {
      say: (d: { by: string; requests: number; timeoutMs: number; controlMs: number }) =>
        `${d.requests} requests were not answered within ${d.timeoutMs} ms, the first by a ${d.by}; alone, the same read took ${d.controlMs} ms`,
      risk: "Clients hang as soon as reads and writes meet.",
      remedy: "Give every request a time limit, and look in the server's log for what it was waiting for.",
      timed: true,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const accounts = await spreadOver(target, "service", accountCount);
    const table = await sharedTable(target, context, op, `${context.scratch}.counted`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
    });
    const { clients, history } = makeWorkload(target, accounts, writerCount + readerCount);
    const [writers, readers] = [clients.slice(0, writerCount), clients.slice(writerCount)];
    const each = context.size({ light: 7, standard: 40, deep: 150 });
    const timeoutMs = context.size({ light: 5_000, standard: 10_000, deep: 15_000 });
    const midway = flushAfter(target, context, op, { table, steps: Math.ceil((writerCount * each) / 3) });
    const silent: Silent[] = [];
    /** False ends a client: one that is stuck would wait again and again. */
    const goesOn = (answer: Answer, by: Silent["by"]): boolean => {
      const isSilent = answer.kind === "unsure" && answer.because === "timeout";
      if (isSilent) silent.push({ exchange: answer.exchange, by });
      return !isSilent;
    };
    const count = async (client: Client, turn: number): Promise<Answer> =>
      await client.read(
        `SELECT COUNT(*) AS n FROM ${table}${turn % 2 === 0 ? "" : " WHERE mark LIKE 'w%'"}`,
        undefined,
        { timeoutMs },
      );

    await connectAll(target, clients);
    const writing = together(writers, async (client) => {
      for (let n = 0; n < each; n += 1) {
        const key = String(client.number * 1_000 + n);
        const values = { mark: `w${client.number}-${n}` };
        const sql = `INSERT INTO ${table} (id, mark) VALUES (${key}, '${values.mark}')`;
        const answer = await client.write(sql, [{ kind: "insert", key, values }], { timeoutMs });
        midway.step();
        if (!goesOn(answer, "writer")) return;
      }
    });
    await readWhile(writing, readers, each, async (client, turn) => goesOn(await count(client, turn), "reader"));
    const flush = await midway.ended();
    const [last] = readers;
    const alone = last && (await count(last, 0));
    return {
      operations: history(),
      flush,
      silent,
      timeoutMs,
      controlMs: alone?.kind === "ok" ? Math.round(alone.doneAt - alone.sentAt) : null,
    };
  },
  judge({ operations, flush, silent, timeoutMs, controlMs }, { found }) {
    const anomalies = judgeCounter(operations, { column: "n" });
    const of = (kind: CounterAnomaly["kind"]): readonly CounterAnomaly[] =>
      anomalies.filter((one) => one.kind === kind);
    const [back, missed, tooMany] = [of("wentBack"), of("lost"), of("unexpected")];
    for (const { value, bound, read } of back.slice(0, 1))
      found.wentBack({ count: value, before: bound, times: back.length }, { sent: exchangesOf([read]) });
    for (const { value, bound, read } of missed.slice(0, 1))
      found.missedRows({ count: value, acknowledged: bound, times: missed.length }, { sent: exchangesOf([read]) });
    for (const { value, bound, read } of tooMany.slice(0, 1))
      found.sawTooMany(
        { count: Number.isNaN(value) ? null : value, sent: bound, times: tooMany.length },
        { sent: exchangesOf([read]) },
      );
    for (const { by } of silent.slice(0, 1)) {
      if (controlMs === null || !isLate({ waitedMs: timeoutMs, controlMs })) continue;
      found.stuck({ by, requests: silent.length, timeoutMs, controlMs }, { sent: silent });
    }
    if (silent.length > 0) return unknown(`${silent.length} requests were not answered within ${timeoutMs} ms`);
    const [reads, writes] = ["read", "insert"].map((kind) =>
      operations.filter((one) => one.kind === kind && one.outcome === "ok"),
    ) as [Operation[], Operation[]];
    const during = inFlightWith(reads, writes);
    if (during.length < readsMin)
      return unknown(
        `only ${during.length} counts were in flight together with an insert; at least ${readsMin} are needed`,
      );
    const why = whyNotMidway(flush, writes);
    if (why !== undefined) return unknown(why);
    return pass(
      `${reads.length} counts of up to ${writes.length} rows, ${during.length} of them in flight with an insert, up to ${overlapOf(operations).requests} requests together, flushed midway`,
    );
  },
});
