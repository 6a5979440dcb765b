import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import type { Values } from "../../../src/history/history.ts";
import type { Account, Target } from "../../../src/server/target.ts";
import { lateTimes } from "../../vocabulary/pace.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { differencesOf, someOf } from "../model.ts";
import { readUntil, type Reading } from "../reading.ts";
import { identify, lifecycleOf, restartTimes, startAgain, whyNoneRestarted, type Restart } from "../restart.ts";

const writesAtOnce = 5;
/** Fewer show no trend. */
const killsMin = 5;
/** The last starts take that much longer than the first, at least. */
const slower = { times: 1.5, ms: 500 };

/** One row: what it must be, or may be where its last write was not answered. */
type Written = { readonly id: string; readonly mark: string; readonly sure: boolean };
type Kill = {
  readonly restart: Restart;
  /** A plain query once it was up again. */
  readonly controlMs: number;
};
type Seen = { readonly kills: readonly Kill[]; readonly written: readonly Written[]; readonly reading: Reading };

export const crashLoopSurvived = defineCheck({
  id: "durability/crash-loop-survived",
  title: "Many kills in a row lose nothing and slow no start",
  failureTitle: "Many kills in a row lose rows or slow down the start",
  description: `Kills the server with SIGKILL ten times in a row (six at light effort, 20 at deep), each time after ${writesAtOnce} inserts and an update of an earlier row, with another insert in flight, and starts it again at once. In the end every acknowledged row must be there with its last value, and the last starts may not take much longer than the first.`,
  blindTo:
    "It is the end of a process and shows nothing about a power loss; the data is small, and so are the logs that are replayed.",
  risk: "A crash loop at night eats acknowledged writes, or becomes slower until the server does not come back at all.",
  remedy: "Have the process manager wait longer after each crash, and look at the size of the write-ahead log.",
  covers: [],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 12_000,
  estimateRequests: 150,
  timeoutMs: 900_000,
  findings: {
    lostRows: {
      say: (d: { kills: number; lost: number; of: number; keys: readonly string[] }) =>
        `after ${d.kills} kills, ${someOf(d.keys, d.of)} (${d.lost} in all), are gone or show an older value`,
    },
    slowerEachTime: {
      say: (d: { kills: number; firstMs: readonly number[]; lastMs: readonly number[] }) =>
        `of ${d.kills} starts after a kill, the first took ${d.firstMs.join(", ")} ms and the last ${d.lastMs.join(", ")} ms`,
      risk: "Each crash makes the next outage longer.",
      timed: "trend",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const table = await sharedTable(target, context, op, `${context.scratch}.looped`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
    });
    const written = new Map<string, Written>();
    const kills: Kill[] = [];
    const count = context.size({ light: 6, standard: 10, deep: 20 });
    for (let round = 0; round < count; round += 1) {
      const kill = await killAfterWrites(target, context, op, { table, round, written });
      kills.push(kill);
      if (kill.restart.failed !== null) break;
    }
    const all = [...written.values()];
    const reading = await readUntil(target, context, {
      as: op,
      table,
      columns: ["id", "mark"],
      isWhole: (rows) => brokenIn(all, rows).length === 0,
    });
    return { kills, written: all, reading };
  },
  timeline: ({ kills }) => restartTimes(kills.map(({ restart }) => restart)),
  judge({ kills, written, reading }, { found }) {
    const restarts = kills.map(({ restart }) => restart);
    const sure = written.filter((row) => row.sure);
    const rows = reading.cause === "missing" ? [] : reading.rows;
    const keys = rows === null ? [] : brokenIn(written, rows);
    if (keys.length > 0)
      found.lostRows(
        { kills: kills.length, lost: keys.length, of: sure.length, keys: keys.slice(0, 5) },
        { sent: reading },
      );
    const why = whyNoneRestarted(restarts);
    const starts = restarts.flatMap(({ answeredMs }) => answeredMs ?? []);
    const third = Math.floor(starts.length / 3);
    const [first, last] = [starts.slice(0, third), starts.slice(-third)];
    const grown = Math.min(...last) - Math.max(...first);
    const isSlower = grown > slower.ms && Math.min(...last) > slower.times * Math.max(...first);
    // A machine or a server that is slow altogether shows no trend.
    const isSlow = grown < lateTimes * Math.max(...kills.map(({ controlMs }) => controlMs));
    if (why === undefined && isSlower && !isSlow && kills.length >= killsMin)
      found.slowerEachTime({ kills: kills.length, firstMs: first, lastMs: last });
    if (why !== undefined) return unknown(why);
    if (rows === null) return unknown(`the rows could not be read: ${reading.why}`);
    if (kills.length < killsMin) return unknown(`${kills.length} kills were made; at least ${killsMin} are needed`);
    if (sure.length === 0) return unknown("no row was acknowledged");
    if (isSlower) return unknown("starts became slower, on a server that was slow altogether");
    return pass(
      `${kills.length} kills (${restarts[0]?.words}): ${sure.length} acknowledged rows, all there with their last value; answering again after ${Math.min(...starts)} to ${Math.max(...starts)} ms; this is the end of a process, not a power loss`,
    );
  },
});

/** The keys of acknowledged rows that are not there, or show another value than their last one. */
function brokenIn(written: readonly Written[], rows: readonly Values[]): string[] {
  const sure: Values[] = written.filter((row) => row.sure).map(({ id, mark }) => ({ id, mark }));
  const { lost, changed } = differencesOf(sure, rows);
  return [...lost, ...changed.map(({ key }) => key)];
}

interface Round {
  readonly table: string;
  readonly round: number;
  readonly written: Map<string, Written>;
}

async function killAfterWrites(
  target: Target,
  context: Context,
  op: Account,
  { table, round, written }: Round,
): Promise<Kill> {
  const lifecycle = lifecycleOf(target, context);
  const before = await identify(target, op, lifecycle);
  const journal = context.journal();
  const insert = async (id: number): Promise<void> => {
    const row = { id: String(id), mark: `round ${round}` };
    // Until it is answered it may be there or not.
    written.set(row.id, { ...row, sure: false });
    const { kind } = await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${id}, '${row.mark}')`);
    journal.note({ ...row, kind });
    written.set(row.id, { ...row, sure: kind === "ok" });
  };
  const first = round * 10;
  for (let at = 0; at < writesAtOnce; at += 1) await insert(first + at);
  const earlier = [...written.values()].filter(({ sure }) => sure).at(Math.floor(context.random("updates")() * -5) - 1);
  if (earlier !== undefined) {
    const row = { id: earlier.id, mark: `updated in round ${round}` };
    written.set(row.id, { ...row, sure: false });
    const { kind } = await target.sql(op, `UPDATE ${table} SET mark = '${row.mark}' WHERE id = ${row.id}`);
    journal.note({ ...row, kind });
    written.set(row.id, { ...row, sure: kind === "ok" });
  }
  const flying = insert(first + writesAtOnce);
  const killedAt = performance.now();
  await lifecycle.kill();
  const goneMs = Math.round(performance.now() - killedAt);
  await flying;
  const restart = await startAgain(target, context, op, { by: "kill", before, goneMs });
  const { sentAt, doneAt } = await target.sql(op, "SELECT 1 AS pace");
  return { restart, controlMs: Math.round(doneAt - sentAt) };
}
