import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { groupBy } from "../../../src/history/history.ts";
import { overlapOf } from "../../../src/history/overlap.ts";
import { cellText, type Account, type Answer, type Target, truncated } from "../../../src/server/target.ts";
import { connectAll, makeWorkload, sampleOf, spreadOver, together } from "../../vocabulary/clients.ts";
import { flush, whyNotFlushed, type Flushed } from "../../vocabulary/jobs.ts";
import { readTable, sharedTable } from "../../vocabulary/tables.ts";

const accountCount = 5;
/** Keys that are inserted after the flush are only in hot storage, the others only in cold storage. */
const isHot = (key: number): boolean => key % 2 === 0;
const racedMin = 3;

/** One DELETE: the keys that it names, and the number of rows that it says it deleted; null without a clear answer. */
type Deletion = {
  readonly keys: readonly number[];
  readonly rows: number | null;
  readonly outcome: Answer["kind"];
  readonly message: string;
  readonly sentAt: number;
  readonly doneAt: number;
  readonly exchange: number;
};

type Seen = {
  /** How many rows there were. */
  readonly inserted: number;
  readonly deletions: readonly Deletion[];
  readonly flushedBefore: Flushed;
  readonly flushedAfter: Flushed;
  /** The keys that are left, before and after the last flush; null if the table could not be read. */
  readonly left: readonly string[] | null;
  readonly leftAfterFlush: readonly string[] | null;
};

async function insertRows(target: Target, context: Context, as: Account, table: string, keys: readonly number[]) {
  const values = keys.map((key) => `(${key}, 'row ${key}')`).join(", ");
  context.need(
    await target.sql(as, `INSERT INTO ${table} (id, mark) VALUES ${values}`),
    "the rows could not be inserted",
  );
}

async function keysLeft(target: Target, as: Account, table: string): Promise<readonly string[] | null> {
  return (await readTable(target, as, table, ["id"]))?.map(({ id }) => cellText(id)) ?? null;
}

export const deletesCountOnce = defineCheck({
  id: "concurrency/deletes-count-once",
  title: "Concurrent deletes count each row once",
  failureTitle: "Concurrent deletes count rows twice or leave them behind",
  description:
    "Several clients delete the rows of a SHARED table, half of them in hot and half in cold storage: each a range of its own, then all of them the same keys at once. The row counts of the answers must add up to the number of rows, one for each key; nothing may be left, and nothing may come back after a flush.",
  blindTo: "It deletes by key and by key range, not by other columns.",
  risk: "Two clients each believe that they removed the row, such as the same job from a queue, and both do its work.",
  remedy: "Do not decide by the row count of a DELETE who has taken a row, until this passes.",
  covers: ["CON-05"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 2_000,
  estimateRequests: 160,
  from: { effort: "standard", needs: "many concurrent deletes" },
  findings: {
    countedTwice: {
      say: (d: { key: number; clients: number; keys: number }) =>
        `${d.clients} clients were told that they deleted row ${d.key}; rows counted twice: ${d.keys}`,
    },
    notCounted: {
      say: (d: { keys: readonly number[]; rows: number }) =>
        `the rows are gone, and the answers to their deletes counted ${d.rows}: ${d.keys.join(", ")}`,
      risk: "No client knows that it has deleted the row.",
    },
    leftBehind: {
      say: (d: { keys: readonly string[]; rows: number }) =>
        `deleted rows are still there (${d.rows}): ${d.keys.join(", ")}`,
      risk: "Data that was to be deleted stays readable.",
      remedy: "Read after deleting, and delete again what is left.",
    },
    cameBack: {
      say: (d: { keys: readonly string[]; rows: number }) =>
        `deleted rows came back after a flush (${d.rows}): ${d.keys.join(", ")}`,
      risk: "Data that was deleted, and seen to be gone, is readable again.",
      remedy: "Report the requests to KalamDB; do not store here what must be deleted for certain.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const accounts = await spreadOver(target, "service", accountCount);
    const table = await sharedTable(target, context, op, `${context.scratch}.deleted`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
    });
    const { clients } = makeWorkload(target, accounts, context.size({ light: 5, standard: 10, deep: 10 }));
    const sharedCount = context.size({ light: 4, standard: 10, deep: 40 });
    const [rangeSize, base] = [9, 1_000];
    const ranges = clients.map((_, at) => Array.from({ length: rangeSize }, (_key, n) => base * (at + 1) + n));
    const shared = Array.from({ length: sharedCount }, (_, n) => n + 1);
    const all = [...shared, ...ranges.flat()];
    await insertRows(
      target,
      context,
      op,
      table,
      all.filter((key) => !isHot(key)),
    );
    const flushedBefore = await flush(target, context, op, table);
    await insertRows(target, context, op, table, all.filter(isHot));

    const deletions: Deletion[] = [];
    const remove = async (as: Account, condition: string, keys: readonly number[]): Promise<void> => {
      const answer = await target.sql(as, `DELETE FROM ${table} WHERE ${condition}`);
      const { kind: outcome, sentAt, doneAt, exchange } = answer;
      const rows = answer.kind === "ok" ? (answer.results[0]?.rowCount ?? null) : null;
      const message = answer.kind === "ok" ? "" : truncated(answer.message, 200);
      deletions.push({ keys, rows, outcome, message, sentAt, doneAt, exchange });
    };
    await connectAll(target, clients);
    await together(clients, async ({ as }, at) => {
      const [first, last] = [base * (at + 1), base * (at + 1) + rangeSize - 1];
      await remove(as, `id BETWEEN ${first} AND ${last}`, ranges[at] ?? []);
    });
    for (const key of shared) await together(clients, async ({ as }) => await remove(as, `id = ${key}`, [key]));

    // What is still there is looked up again before it counts as left behind.
    const left = await context.poll(
      async () => await keysLeft(target, op, table),
      (keys) => keys?.length === 0,
      { withinMs: 2_000, everyMs: 400 },
    );
    const flushedAfter = await flush(target, context, op, table);
    const leftAfterFlush = await keysLeft(target, op, table);
    return { inserted: all.length, deletions, flushedBefore, flushedAfter, left, leftAfterFlush };
  },
  judge({ inserted, deletions, flushedBefore, flushedAfter, left, leftAfterFlush }, { found }) {
    const groups = [...groupBy(deletions, ({ keys }) => keys.join(" ")).values()].map((same) => ({
      keys: same[0]?.keys ?? [],
      counted: same.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
      isAcknowledged: same.some(({ outcome }) => outcome === "ok"),
      isOpen: same.some(({ outcome }) => outcome === "unsure"),
      winners: same.filter(({ rows }) => (rows ?? 0) > 0),
      same,
    }));
    const twice = groups.filter(({ keys, counted }) => counted > keys.length);
    for (const { keys, winners } of twice.slice(0, 1))
      found.countedTwice({ key: keys[0] ?? 0, clients: winners.length, keys: twice.length }, { sent: winners });
    // An unanswered one may have deleted the rest; and rows that are still there are another finding.
    const isGone = (keys: readonly number[]): boolean =>
      left !== null && keys.every((key) => !left.includes(String(key)));
    const uncounted = groups.filter(({ keys, counted, isOpen }) => counted < keys.length && !isOpen && isGone(keys));
    for (const { keys, counted, same } of uncounted.slice(0, 1))
      found.notCounted({ keys: sampleOf(keys), rows: counted }, { sent: sampleOf(same) });
    const acknowledged = new Set(
      groups.flatMap(({ keys, isAcknowledged }) => (isAcknowledged ? keys.map(String) : [])),
    );
    const remaining = (left ?? []).filter((key) => acknowledged.has(key));
    const sentFor = (keys: readonly string[]): readonly Deletion[] =>
      sampleOf(deletions.filter((one) => one.keys.some((key) => String(key) === keys[0])));
    if (remaining.length > 0)
      found.leftBehind({ keys: sampleOf(remaining), rows: remaining.length }, { sent: sentFor(remaining) });
    const back = (leftAfterFlush ?? []).filter((key) => acknowledged.has(key) && left?.includes(key) === false);
    if (back.length > 0) found.cameBack({ keys: sampleOf(back), rows: back.length }, { sent: sentFor(back) });

    const bad = deletions.filter(({ outcome }) => outcome === "unsure");
    if (bad.length > deletions.length / 10)
      return unknown(`${bad.length} of ${deletions.length} deletes got no clear answer: ${bad[0]?.message ?? ""}`);
    if (left === null || leftAfterFlush === null) return unknown("the table could not be read afterwards");
    const open = groups.filter(({ isAcknowledged }) => !isAcknowledged);
    if (open.length > 0) return unknown(`no delete of row ${open[0]?.keys[0] ?? ""} was acknowledged`);
    const why = whyNotFlushed(flushedBefore);
    if (why !== undefined) return unknown(why);
    // After all rows are deleted there may be nothing to flush.
    if (flushedAfter.said.kind !== "ok") return unknown(`the last flush: ${flushedAfter.said.message}`);
    const raced = groups.filter(({ same }) => most(same) >= 2);
    if (raced.length < racedMin)
      return unknown(`deletes of only ${raced.length} rows were in flight together; at least ${racedMin} are needed`);
    return pass(
      `${inserted} rows deleted and counted once, ${raced.length} of them by up to ${Math.max(...raced.map(({ same }) => most(same)))} clients at once; none left, none back after a flush`,
    );
  },
});

/** How many of these were in flight together. */
function most(deletions: readonly Deletion[]): number {
  return overlapOf(
    deletions.map(({ exchange, sentAt, doneAt }) => ({
      statement: exchange,
      invokedAt: sentAt,
      returnedAt: doneAt,
      key: null,
    })),
  ).requests;
}
