import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import type { Operation } from "../../../src/history/history.ts";
import { judgeSet } from "../../../src/history/set.ts";
import type { Account, Target } from "../../../src/server/target.ts";
import { cellText } from "../../../src/server/target.ts";
import { exchangesOf, makeWorkload, sampleOf, spreadOver } from "../../vocabulary/clients.ts";
import { makeTable, sharedTable } from "../../vocabulary/tables.ts";
import { crashRounds, crashTimes, crashWhile, doesNotStart, inFlightAt, whyNoCrash, type Crash } from "../crash.ts";
import { asRead, readWhole, untilThere, type Reading } from "../reading.ts";
import { restartText } from "../restart.ts";

const writersOfEach = 4;
const columns = "id BIGINT PRIMARY KEY, mark TEXT";

type Round = {
  readonly crash: Crash;
  /** What was written to each table and read back from it, by its type. */
  readonly tables: readonly {
    readonly type: "USER" | "SHARED";
    readonly operations: readonly Operation[];
    /** The server said in the end that there is no such table. */
    readonly missing: boolean;
    readonly why: string | null;
  }[];
  /** From the start of the reading until all of it was read. */
  readonly readMs: number;
};

export const ackedRowsSurviveKill = defineCheck({
  id: "durability/acked-rows-survive-kill",
  title: "Acknowledged rows survive kill -9",
  failureTitle: "Acknowledged rows are lost by kill -9",
  description: `In rounds on fresh tables, ${2 * writersOfEach} clients insert rows into a USER and a SHARED table as fast as they can; the server's process is killed with SIGKILL at a random moment and started again. Every acknowledged row must be there, with what was written; a row whose insert was not answered may be; no other row may.`,
  blindTo:
    "It ends a process: what the operating system had taken over reaches the disk. It shows nothing about a power loss or a crash of the machine: see durability/acked-rows-survive-power-loss.",
  risk: "Orders, payments or messages that were confirmed to a user are gone after a crash.",
  remedy:
    "Where the table is gone, stop and start the server once more before anything else: it may be there again. Make the server write its log before it answers.",
  covers: ["DUR-06"],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 9_000,
  estimateRequests: 900,
  timeoutMs: 300_000,
  findings: {
    lostRows: {
      say: (d: {
        round: number;
        table: string;
        lost: number;
        acknowledged: number;
        missing: boolean;
        keys: readonly string[];
      }) =>
        `round ${d.round}: ${d.lost} of ${d.acknowledged} acknowledged rows of the ${d.table} table are gone after the kill${d.missing ? ", and so is the table" : ""}, such as ${d.keys.join(", ")}`,
    },
    strangeRows: {
      say: (d: { round: number; table: string; rows: number; sample: readonly string[] }) =>
        `round ${d.round}: ${d.rows} rows of the ${d.table} table are not as anybody wrote them: ${d.sample.join(", ")}`,
      risk: "Data that nobody entered is taken for real.",
      remedy: "Compare the data with its source after every crash.",
    },
    doesNotStart,
  },
  async observe(target, context): Promise<{ readonly rounds: readonly Round[] }> {
    const op = await target.account("dba");
    return { rounds: await crashRounds(context, async (round) => await crashRound(target, context, op, round)) };
  },
  timeline: ({ rounds }) => crashTimes(rounds),
  judge({ rounds }, { found }) {
    let acknowledged = 0;
    let recovered = 0;
    for (const [at, { crash, tables }] of rounds.entries()) {
      const round = at + 1;
      const { failed } = crash.restart;
      if (failed?.ended === true) found.doesNotStart({ round, why: failed.why });
      for (const { type: table, operations, missing } of tables) {
        const judged = judgeSet(operations, "id");
        acknowledged += judged.acknowledged;
        recovered += judged.recovered;
        const { lost } = judged;
        if (lost.length > 0)
          found.lostRows(
            {
              round,
              table,
              lost: lost.length,
              acknowledged: judged.acknowledged,
              missing,
              keys: sampleOf(lost).map(({ key }) => key),
            },
            { sent: exchangesOf(lost) },
          );
        const strange = [
          ...judged.unexpected.map(({ row }) => `${cellText(row["id"])} was never written`),
          ...judged.changed.map(({ row }) => `${cellText(row["id"])} has other values`),
          ...judged.duplicated.map(({ key, times }) => `${key} is there ${times} times`),
        ];
        if (strange.length > 0)
          found.strangeRows(
            { round, table, rows: strange.length, sample: sampleOf(strange) },
            { sent: exchangesOf(operations.filter(({ kind }) => kind === "read")) },
          );
      }
    }
    const writes = rounds.map(({ crash, tables }) => {
      const all = tables.flatMap(({ operations }) => operations.filter(({ kind }) => kind !== "read"));
      return { crash, inFlight: inFlightAt(crash, all) };
    });
    const why = whyNoCrash(writes);
    if (why !== undefined) return unknown(why);
    const unread = rounds.flatMap(({ tables }) => tables.flatMap((one) => one.why ?? []))[0];
    if (unread !== undefined) return unknown(`the rows could not be read after the start: ${unread}`);
    if (acknowledged < 2 * writersOfEach)
      return unknown(
        `only ${acknowledged} rows were acknowledged before the kills; at least ${2 * writersOfEach} are needed`,
      );
    const flying = writes.reduce((sum, { inFlight }) => sum + inFlight, 0);
    return pass(
      `${acknowledged} acknowledged rows, all there; ${flying} writes in flight at the kills, ${recovered} of them took effect; ${restartText(rounds.map(({ crash }) => crash.restart))}`,
    );
  },
});

async function crashRound(target: Target, context: Context, op: Account, round: number): Promise<Round> {
  const shared = await sharedTable(target, context, op, `${context.scratch}.shared_${round}`, {
    columns,
    writers: ["service"],
  });
  const own = await makeTable(target, context, op, `${context.scratch}.own_${round}`, { columns });
  const users = await spreadOver(target, "user", writersOfEach);
  const services = await spreadOver(target, "service", writersOfEach);
  const [toOwn, toShared] = [makeWorkload(target, users), makeWorkload(target, services, writersOfEach, writersOfEach)];
  const crash = await crashWhile(target, context, op, {
    clients: [...toOwn.clients, ...toShared.clients],
    async write(client, turn) {
      const table = client.number < writersOfEach ? own : shared;
      const [key, values] = [String(client.number * 1_000_000 + turn), { mark: `${round}-${client.number}-${turn}` }];
      const sql = `INSERT INTO ${table} (id, mark) VALUES (${key}, '${values.mark}')`;
      return await client.write(sql, [{ kind: "insert", key, values }]);
    },
  });
  if (crash.restart.failed !== null) return { crash, tables: [], readMs: 0 };
  const readFrom = performance.now();
  const [ofUsers, ofShared] = [
    await readBack(target, context, op, { table: own, readers: users, written: toOwn.history() }),
    await readBack(target, context, op, { table: shared, readers: [op], written: toShared.history() }),
  ];
  const tables = [
    { type: "USER", ...ofUsers },
    { type: "SHARED", ...ofShared },
  ] as const;
  return { crash, tables, readMs: Math.round(performance.now() - readFrom) };
}

interface Written {
  readonly table: string;
  readonly readers: readonly Account[];
  readonly written: readonly Operation[];
}

/** Reads what all of them see, until it has as many rows as were acknowledged, or they have been awaited long enough. */
async function readBack(
  target: Target,
  context: Pick<Context, "poll">,
  op: Account,
  { table, readers, written }: Written,
): Promise<Omit<Round["tables"][number], "type">> {
  const acknowledged = written.filter(({ outcome }) => outcome === "ok").length;
  const { readings, from } = await untilThere(
    target,
    context,
    op,
    async () => {
      const at = performance.now();
      const all = await Promise.all(readers.map(async (as) => await readWhole(target, as, table, ["id", "mark"])));
      return { readings: all, from: at };
    },
    ({ readings: all }) => rowsIn(all) >= acknowledged,
  );
  const why = readings.flatMap((one) => (one.cause === "missing" ? [] : (one.why ?? [])))[0] ?? null;
  const rows = why === null ? readings.flatMap((one) => one.rows ?? []) : null;
  const exchange = readings.at(-1)?.exchange ?? 0;
  const read = asRead({ rows, exchange }, { from, to: performance.now() });
  return { operations: [...written, read], missing: readings.some(({ cause }) => cause === "missing"), why };
}

function rowsIn(readings: readonly Reading[]): number {
  return readings.reduce((sum, { rows }) => sum + (rows?.length ?? 0), 0);
}
