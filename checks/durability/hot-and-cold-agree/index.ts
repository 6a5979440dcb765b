import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import type { Values } from "../../../src/history/history.ts";
import { cellText, type Account, type Target } from "../../../src/server/target.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { flushToEnd, whyUnflushed, type Flushing } from "../flushing.ts";
import { differencesOf, someOf } from "../model.ts";
import { atLeast, readUntil, type Reading } from "../reading.ts";
import { restart, restartText, restartTimes, whyNoneRestarted, type Restart } from "../restart.ts";

const flushedRows = 15;
const hotRows = 10;
const columns = ["id", "mark"];
/** Of the flushed ones. */
const updated = ["2", "5", "11"];
const deleted = ["3", "7", "15"];
const whens = { stop: "after a stop", kill: "after a kill" } as const;

type Seen = {
  readonly flushed: Flushing;
  /** Before any restart. */
  readonly before: Reading;
  readonly looks: readonly { readonly restart: Restart; readonly reading: Reading }[];
};

export const hotAndColdAgree = defineCheck({
  id: "durability/hot-and-cold-agree",
  title: "Changes to flushed rows survive restarts",
  failureTitle: "Restarts lose or undo changes to flushed rows",
  description: `Flushes ${flushedRows} rows of a SHARED table, inserts ${hotRows} more without a flush, and updates ${updated.length} and deletes ${deleted.length} of the flushed ones. Then the server is restarted twice: asked to stop (SIGTERM), and killed (SIGKILL). After each the table must hold exactly what was written: no row lost or doubled, no old value, no deleted row.`,
  blindTo: "It shows nothing about a power loss, and about changes that were flushed, too.",
  risk: "What users changed or deleted is undone by the next update or crash of the server.",
  remedy: "Flush tables before you stop the server, and compare them afterwards.",
  covers: ["DUR-04"],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 5_000,
  estimateRequests: 45,
  timeoutMs: 400_000,
  findings: {
    lostRows: {
      say: (d: { when: string; lost: number; of: number; keys: readonly string[] }) =>
        `${d.when}: ${someOf(d.keys, d.of)} (${d.lost} in all), are gone`,
    },
    doubledRows: {
      say: (d: { when: string; keys: readonly string[] }) =>
        `${d.when}: keys that are there more than once: ${d.keys.join(", ")}`,
      risk: "Sums and counts are too high, and nobody knows which row is right.",
    },
    staleRow: {
      say: (d: { when: string; rows: number; key: string; expected: string; shown: string }) =>
        `${d.when}: ${d.rows} rows have another value than the last acknowledged one: key ${d.key} shows ${d.shown}, expected ${d.expected}`,
    },
    resurrectedRow: {
      say: (d: { when: string; keys: readonly string[] }) =>
        `${d.when}: rows that were deleted are back: ${d.keys.join(", ")}`,
      risk: "Deleted data, which may be deleted for legal reasons, comes back.",
      remedy: "Delete again after a restart, and look the keys up.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const table = await sharedTable(target, context, op, `${context.scratch}.mixed`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
    });
    await insert(target, context, op, { table, from: 1, count: flushedRows });
    const flushed = await flushToEnd(target, context, op, { table, rows: flushedRows });
    await insert(target, context, op, { table, from: flushedRows + 1, count: hotRows });
    for (const id of updated)
      context.need(
        await target.sql(op, `UPDATE ${table} SET mark = 'new ${id}' WHERE id = ${id}`),
        "a row could not be updated",
      );
    for (const id of deleted)
      context.need(await target.sql(op, `DELETE FROM ${table} WHERE id = ${id}`), "a row could not be deleted");
    const read = async (): Promise<Reading> =>
      await readUntil(target, context, { as: op, table, columns, isWhole: atLeast(expected.length) });
    const before = await read();
    const looks: Seen["looks"][number][] = [];
    for (const by of ["stop", "kill"] as const) {
      const restarted = await restart(target, context, op, by);
      looks.push({ restart: restarted, reading: await read() });
      if (restarted.failed !== null) break;
    }
    return { flushed, before, looks };
  },
  timeline: ({ looks }) => restartTimes(looks.map(({ restart: one }) => one)),
  judge({ flushed, before, looks }, { found }) {
    const restarts = looks.map(({ restart: one }) => one);
    const why = whyUnflushed(flushed) ?? whyNoneRestarted(restarts);
    if (why !== undefined) return unknown(why);
    for (const { restart: one, reading } of looks) {
      const when = whens[one.by];
      const shown = reading.cause === "missing" ? [] : reading.rows;
      if (shown === null) continue;
      const { lost, doubled, changed, strange } = differencesOf(expected, shown);
      const at = { case: when, sent: reading };
      if (lost.length > 0) found.lostRows({ when, lost: lost.length, of: expected.length, keys: lost.slice(0, 5) }, at);
      if (doubled.length > 0) found.doubledRows({ when, keys: doubled.slice(0, 5) }, at);
      const [first] = changed;
      if (first !== undefined) {
        const { key, expected: wanted, shown: told } = first;
        found.staleRow({ when, rows: changed.length, key, expected: wanted, shown: told }, at);
      }
      if (strange.length > 0) found.resurrectedRow({ when, keys: strange.slice(0, 5) }, at);
    }
    const unread = [before, ...looks.map(({ reading }) => reading)].find(({ rows }) => rows === null);
    if (unread !== undefined) return unknown(`the rows could not be read: ${unread.why}`);
    const first = differencesOf(expected, before.rows ?? []);
    if (Object.values(first).some((keys) => keys.length > 0))
      return unknown("the rows were not as written even before the restart");
    if (looks.length < 2) return unknown("the server was restarted only once; two restarts are needed");
    return pass(
      `${expected.length} rows exactly as written, ${updated.length} updated and ${deleted.length} deleted after their flush; ${restartText(restarts)}`,
    );
  },
});

const expected: readonly Values[] = Array.from({ length: flushedRows + hotRows }, (_, at) => String(at + 1))
  .filter((id) => !deleted.includes(id))
  .map((id) => ({ id, mark: updated.includes(id) ? `new ${id}` : `row ${id}` }));

async function insert(
  target: Target,
  context: Pick<Context, "need">,
  as: Account,
  { table, from, count }: { readonly table: string; readonly from: number; readonly count: number },
): Promise<void> {
  const rows = Array.from({ length: count }, (_, at) => `(${from + at}, 'row ${from + at}')`);
  const answer = await target.sql(as, `INSERT INTO ${table} (id, mark) VALUES ${rows.join(", ")}`);
  context.need(answer, `the rows from ${cellText(from)} on could not be written`);
}
