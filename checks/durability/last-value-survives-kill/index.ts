import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { groupBy, readsIn, writesIn, type Operation, type Read, type Write } from "../../../src/history/history.ts";
import { cellText, type Account, type Target } from "../../../src/server/target.ts";
import { exchangesOf, makeWorkload, spreadOver } from "../../vocabulary/clients.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { crashRounds, crashTimes, crashWhile, inFlightAt, whyNoCrash, type Crash } from "../crash.ts";
import { asRead, readUntil } from "../reading.ts";
import { restartText } from "../restart.ts";

const clientCount = 6;
const keysOfEach = 3;
/** First of all: a row that is deleted, and one that is updated, and then left alone. */
const prelude = [
  { kind: "insert", key: 90 },
  { kind: "delete", key: 90 },
  { kind: "insert", key: 91 },
  { kind: "update", key: 91 },
] as const;
/** Then each key in turn: inserted, updated twice, deleted, and anew. */
const cycle = ["insert", "update", "update", "delete"] as const;

type Round = {
  readonly crash: Crash;
  /** Inserts, updates and deletes of each key in the order of their one writer, and the read after the start. */
  readonly operations: readonly Operation[];
  readonly why: string | null;
};

export const lastValueSurvivesKill = defineCheck({
  id: "durability/last-value-survives-kill",
  title: "The last acknowledged change of a row survives kill -9",
  failureTitle: "kill -9 undoes acknowledged updates or deletes",
  description: `In rounds on fresh tables, ${clientCount} clients update, delete and insert anew their own ${keysOfEach + 2} rows of a SHARED table as fast as they can; the server's process is killed with SIGKILL at a random moment and started again. Each key must show the last acknowledged change, or a later one that was not answered.`,
  blindTo: "It ends a process and shows nothing about a power loss; nobody else writes the same key.",
  risk: "A balance, a status or a deletion that was confirmed to a user is the old one again after a crash.",
  remedy: "Make the server write its log before it answers, and check the settings of its write-ahead log.",
  covers: [],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 9_000,
  estimateRequests: 900,
  timeoutMs: 300_000,
  findings: {
    olderValue: {
      say: (d: { round: number; rows: number; of: number; key: string; expected: readonly string[]; shown: string }) =>
        `round ${d.round}: ${d.rows} of ${d.of} keys do not show the last acknowledged change: key ${d.key} shows ${d.shown}, expected ${d.expected.join(" or ")}`,
    },
    resurrectedRow: {
      say: (d: { round: number; keys: readonly string[] }) =>
        `round ${d.round}: rows whose deletion was acknowledged are back after the kill: ${d.keys.join(", ")}`,
      risk: "Deleted data, which may be deleted for legal reasons, comes back.",
    },
  },
  async observe(target, context): Promise<{ readonly rounds: readonly Round[] }> {
    const op = await target.account("dba");
    return { rounds: await crashRounds(context, async (round) => await crashRound(target, context, op, round)) };
  },
  timeline: ({ rounds }) => crashTimes(rounds),
  judge({ rounds }, { found }) {
    let keys = 0;
    let changes = 0;
    for (const [at, { operations }] of rounds.entries()) {
      const [read] = readsIn(operations);
      if (read === undefined || read.rows === null) continue;
      const judged = [...groupBy(writesIn(operations), ({ key }) => key)].map(([, writes]) => lookAt(writes, read));
      keys += judged.length;
      changes += writesIn(operations).filter(({ outcome }) => outcome === "ok").length;
      const bad = judged.filter(({ allowed, shown }) => !allowed.includes(shown));
      const back = bad.filter(
        // A row that nobody inserted for sure was not deleted either.
        ({ allowed, writes }) => allowed.every((one) => one === gone) && writes.some(({ outcome }) => outcome === "ok"),
      );
      const old = bad.filter((one) => !back.includes(one));
      const round = at + 1;
      if (back.length > 0)
        found.resurrectedRow(
          { round, keys: back.slice(0, 5).map(({ key }) => key) },
          { sent: exchangesOf([...(back[0]?.writes.slice(-2) ?? []), read]) },
        );
      const [first] = old;
      if (first !== undefined) {
        const { key, allowed, shown, writes } = first;
        found.olderValue(
          { round, rows: old.length, of: judged.length, key, expected: allowed.slice(0, 3), shown },
          { sent: exchangesOf([...writes.slice(-3), read]) },
        );
      }
    }
    const writes = rounds.map(({ crash, operations }) => ({
      crash,
      inFlight: inFlightAt(crash, writesIn(operations)),
    }));
    const why = whyNoCrash(writes) ?? rounds.flatMap((one) => one.why ?? [])[0];
    if (why !== undefined) return unknown(why);
    if (changes < clientCount) return unknown(`only ${changes} changes were acknowledged before the kills`);
    const flying = writes.reduce((sum, { inFlight }) => sum + inFlight, 0);
    return pass(
      `${keys} keys show their last acknowledged change, or a later unanswered one; ${changes} changes acknowledged, ${flying} in flight at the kills; ${restartText(rounds.map(({ crash }) => crash.restart))}`,
    );
  },
});

function stepOf(turn: number) {
  return { kind: cycle[Math.floor(turn / keysOfEach) % cycle.length] ?? "insert", key: turn % keysOfEach } as const;
}

/** What a key that is not there shows. */
const gone = "no row";

/** What a key shows, and what it may show: the last acknowledged change, or any after it that was not answered. */
function lookAt(writes: readonly Write[], { rows }: Pick<Read, "rows">) {
  const [{ key } = { key: "" }] = writes;
  const lastOk = writes.findLastIndex(({ outcome }) => outcome === "ok");
  const later = writes.slice(lastOk + 1).filter(({ outcome }) => outcome === "unsure");
  const may =
    lastOk === -1 ? later.map(valueOf).concat(gone) : [...writes.slice(lastOk, lastOk + 1), ...later].map(valueOf);
  const row = rows?.find(({ id }) => cellText(id) === key);
  return { key, writes, allowed: may, shown: row === undefined ? gone : cellText(row["mark"]) };
}

function valueOf({ kind, values }: Write): string {
  return kind === "delete" ? gone : cellText(values["mark"]);
}

async function crashRound(target: Target, context: Context, op: Account, round: number): Promise<Round> {
  const table = await sharedTable(target, context, op, `${context.scratch}.changed_${round}`, {
    columns: "id BIGINT PRIMARY KEY, mark TEXT",
    writers: ["service"],
  });
  const workload = makeWorkload(target, await spreadOver(target, "service", clientCount));
  const crash = await crashWhile(target, context, op, {
    clients: workload.clients,
    atLeast: prelude.length,
    async write(client, turn) {
      const { kind, key } = prelude[turn] ?? stepOf(turn - prelude.length);
      const id = client.number * 100 + key;
      const values = { mark: `${round}-${client.number}-${turn}` };
      const sql = {
        insert: `INSERT INTO ${table} (id, mark) VALUES (${id}, '${values.mark}')`,
        update: `UPDATE ${table} SET mark = '${values.mark}' WHERE id = ${id}`,
        delete: `DELETE FROM ${table} WHERE id = ${id}`,
      }[kind];
      return await client.write(sql, [{ kind, key: String(id), values }]);
    },
  });
  if (crash.restart.failed !== null) return { crash, operations: workload.history(), why: null };
  const from = performance.now();
  const written = [...groupBy(writesIn(workload.history()), ({ key }) => key).values()];
  const reading = await readUntil(target, context, {
    as: op,
    table,
    columns: ["id", "mark"],
    isWhole: (rows) =>
      written.every((writes) => {
        const { allowed, shown } = lookAt(writes, { rows });
        return allowed.includes(shown);
      }),
  });
  const lost = reading.cause === "missing";
  const read = asRead({ rows: lost ? [] : reading.rows, exchange: reading.exchange }, { from, to: performance.now() });
  return { crash, operations: [...workload.history(), read], why: lost ? null : reading.why };
}
