import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Operation, Values } from "../../../src/history/history.ts";
import { overlapOf } from "../../../src/history/overlap.ts";
import { judgeSet } from "../../../src/history/set.ts";
import {
  connectAll,
  countOutcomes,
  exchangesOf,
  makeWorkload,
  readWhile,
  sampleOf,
  spreadOver,
  together,
  type Client,
} from "../../vocabulary/clients.ts";
import { flushAfter, whyNotMidway, type MidwayFlush } from "../../vocabulary/midway.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

const accountCount = 5;
const [writerCount, writersAtLight] = [10, 7];
const readerCount = 2;
const overlapMin = 3;
/** Fewer acknowledged rows show nothing about many writers. */
const acknowledgedMin = 20;
/** A row that is missing at the end is late if it shows within this time, and lost otherwise. */
const lateWithinMs = 2_000;

type Seen = { readonly operations: readonly Operation[]; readonly flush: MidwayFlush | null };

export const parallelInsertsAllLand = defineCheck({
  id: "concurrency/parallel-inserts-all-land",
  title: "Concurrent inserts are all stored, once and unchanged",
  failureTitle: "Rows of concurrent inserts are lost, duplicated or changed",
  description: `${writerCount} clients (${writersAtLight} at light effort) of ${accountCount} service accounts insert rows into one SHARED table, each value unique; ${readerCount} others read the table meanwhile, and it is flushed in the middle. Every acknowledged row must be in each read sent after its acknowledgement, once, as its writer wrote it; rows that were rejected or never written must not appear.`,
  blindTo: "One table, one row per statement, at most a few hundred rows; nothing restarts.",
  risk: "Data that the server acknowledged is missing or wrong as soon as several clients write at the same time.",
  remedy: "Do not let several clients write to one table until this passes; report the requests to KalamDB.",
  covers: ["CON-01"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 150,
  findings: {
    lostRows: {
      say: (d: { lost: number; of: number; keys: readonly string[] }) =>
        `${d.lost} of ${d.of} acknowledged rows are not in the table: ${d.keys.join(", ")}`,
    },
    lateRows: {
      say: (d: { late: number; first: string; afterMs: number }) =>
        `row ${d.first} was missing from a read sent ${d.afterMs} ms after its insert had ended, and appeared later (missing rows in all such reads: ${d.late})`,
      risk: "A client does not find what it has just stored, and stores it again or reports an error.",
      remedy: "Until this passes, do not read data right after writing it.",
    },
    strangeRows: {
      say: (d: { rows: readonly Values[] }) =>
        `rows that no accepted statement wrote: ${d.rows.map((row) => JSON.stringify(row)).join(", ")}`,
      risk: "Programs act on rows whose insert was rejected, or that nobody wrote.",
    },
    doubledRows: {
      say: (d: { key: string; times: number; reads: number }) =>
        `row ${d.key} appears ${d.times} times in one read (reads with duplicates: ${d.reads})`,
      risk: "Sums and counts are wrong while the table is written to.",
    },
    changedRows: {
      say: (d: { wrote: Values; read: Values }) =>
        `a row was written as ${JSON.stringify(d.wrote)} and read as ${JSON.stringify(d.read)}`,
      risk: "One client's data ends up in another client's row.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const accounts = await spreadOver(target, "service", accountCount);
    const table = await sharedTable(target, context, op, `${context.scratch}.landed`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
    });
    const ofWriters = context.size({ light: writersAtLight, standard: writerCount, deep: writerCount });
    const { clients, history } = makeWorkload(target, accounts, ofWriters + readerCount);
    const [writers, readers] = [clients.slice(0, ofWriters), clients.slice(ofWriters)];
    const each = context.size({ light: 3, standard: 10, deep: 40 });
    const midway = flushAfter(target, context, op, { table, steps: Math.ceil((ofWriters * each) / 3) });
    const readAll = async (client: Client): Promise<unknown> =>
      await client.read(`SELECT id, mark FROM ${table} ORDER BY id LIMIT 1000`);

    await connectAll(target, clients);
    const writing = together(writers, async (client) => {
      const random = context.random(`writer ${client.number}`);
      for (let n = 0; n < each; n += 1) {
        const key = String(client.number * 1_000 + n);
        const values = { mark: `w${client.number}-${n}-${Math.floor(random() * 1e9)}` };
        const sql = `INSERT INTO ${table} (id, mark) VALUES (${key}, '${values.mark}')`;
        await client.write(sql, [{ kind: "insert", key, values }]);
        midway.step();
      }
    });
    await readWhile(writing, readers, 2 * each, readAll);
    await together(readers, readAll);
    const flush = await midway.ended();
    await context.poll(
      async () => {
        await together(readers.slice(0, 1), readAll);
        return judgeSet(history(), "id").lost.length;
      },
      (lost) => lost === 0,
      { withinMs: lateWithinMs, everyMs: 400 },
    );
    return { operations: history(), flush };
  },
  judge({ operations, flush }, { found }) {
    const { lost, stale, unexpected, duplicated, changed, acknowledged, final } = judgeSet(operations, "id");
    if (lost.length > 0)
      found.lostRows(
        { lost: lost.length, of: acknowledged, keys: sampleOf(lost.map(({ key }) => key)) },
        { sent: exchangesOf([...sampleOf(lost), ...(final === null ? [] : [final])]) },
      );
    for (const { write, read } of stale.slice(0, 1))
      found.lateRows(
        { late: stale.length, first: write.key, afterMs: Math.max(0, Math.round(read.invokedAt - write.returnedAt)) },
        { sent: exchangesOf([write, read]) },
      );
    if (unexpected.length > 0)
      found.strangeRows(
        { rows: sampleOf(unexpected.map(({ row }) => row)) },
        { sent: exchangesOf(unexpected.map(({ read }) => read)) },
      );
    for (const { key, times, read } of duplicated.slice(0, 1))
      found.doubledRows(
        { key, times, reads: new Set(duplicated.map((one) => one.read)).size },
        { sent: exchangesOf([read]) },
      );
    for (const { row, write, read } of changed.slice(0, 1))
      found.changedRows({ wrote: { id: write.key, ...write.values }, read: row }, { sent: exchangesOf([write, read]) });

    const writes = operations.filter(({ kind }) => kind === "insert");
    if (acknowledged < acknowledgedMin)
      return unknown(
        `only ${acknowledged} of ${writes.length} inserts were acknowledged; at least ${acknowledgedMin} are needed`,
      );
    const { requests } = overlapOf(writes);
    if (requests < overlapMin)
      return unknown(`at most ${requests} inserts were in flight together; at least ${overlapMin} are needed`);
    const why = final === null ? "the table could not be read at the end" : whyNotMidway(flush, writes);
    if (why !== undefined) return unknown(why);
    const reads = countOutcomes(operations.filter(({ kind }) => kind === "read")).ok;
    return pass(
      `${acknowledged} acknowledged rows, all stored; ${reads} reads meanwhile and afterwards, up to ${requests} inserts in flight together, flushed midway`,
    );
  },
});
