import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Values } from "../../../src/history/history.ts";
import { cellText, saidOf, type Said } from "../../../src/server/target.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { flushToEnd, rowsIn, unendedOf, sayUnended, whyUnflushed, type Flushing } from "../flushing.ts";
import { differencesOf, someOf } from "../model.ts";
import { atLeast, readUntil, type Reading } from "../reading.ts";
import { restart, restartText, restartTimes, whyNotRestarted, type Restart } from "../restart.ts";

const rounds = 3;
const rowsInRound = 10;
const columns = ["id", "mark"];
/** Only in cold storage by then: of the first flush. */
const coldKey = "1";

type Seen = {
  /** One for each round, then the one after the restart. */
  readonly flushes: readonly Flushing[];
  readonly restart: Restart;
  readonly after: Reading;
  /** After the restart: a new row, and a key that is only in cold storage. */
  readonly write: Said;
  readonly again: Said;
  readonly final: Reading;
};

export const manyFlushesStayWhole = defineCheck({
  id: "durability/many-flushes-stay-whole",
  title: "Rows of several flushes are there once each after a restart",
  failureTitle: "Rows of several flushes are lost, doubled or not writable",
  description: `Writes ${rowsInRound} rows and flushes them, ${rounds} times; the segments in the manifest must hold more rows each time. After a restart all ${rounds * rowsInRound} rows must be there once each, a new row and a further flush must work, and a key that is only in cold storage must be refused again.`,
  blindTo: "Small segments of one SHARED table; it shows nothing about compaction or a power loss.",
  risk: "A table that was flushed more than once loses or doubles rows in the next update of the server.",
  remedy: "Compare COUNT(*) with COUNT(DISTINCT key) after restarts, and keep the flushed files in your backups.",
  covers: ["DUR-03"],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 4_500,
  estimateRequests: 50,
  timeoutMs: 300_000,
  findings: {
    lostRows: {
      say: (d: { when: string; lost: number; of: number; keys: readonly string[] }) =>
        `${someOf(d.keys, d.of)} (${d.lost} in all), are gone ${d.when}`,
    },
    doubledRows: {
      say: (d: { when: string; keys: readonly string[] }) =>
        `keys that are there more than once ${d.when}: ${d.keys.join(", ")}`,
      risk: "Sums and counts are too high, and nobody knows which row is right.",
    },
    manifestDidNotGrow: {
      say: (d: { flush: number; before: number; after: number }) =>
        `after flush ${d.flush} the segments hold ${d.after} rows; before it they held ${d.before}, and ${rowsInRound} new ones were flushed`,
      risk: "Flushed rows are in no segment that the server knows: they may be gone once memory is.",
      remedy: "Look at the storage of the table and its permissions.",
    },
    cannotWriteAgain: {
      say: (d: { what: string; told: string }) => `after the restart ${d.what} does not work: ${d.told}`,
      risk: "The table can only be read after an update of the server.",
      remedy: "Look at the server's log, and write into a new table.",
    },
    coldKeyDoubled: {
      say: (d: { key: string }) =>
        `after the restart an insert of key ${d.key}, which is in cold storage, was acknowledged`,
      risk: "Primary keys are no longer unique.",
      remedy: "Do not rely on the primary key after a restart; look a key up before you insert it.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const table = await sharedTable(target, context, op, `${context.scratch}.flushed`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
    });
    const flushes: Flushing[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const rows = rowsOf(round).map(({ id, mark }) => `(${id as string}, '${mark as string}')`);
      context.need(
        await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES ${rows.join(", ")}`),
        "the rows could not be written",
      );
      flushes.push(await flushToEnd(target, context, op, { table, rows: (round + 1) * rowsInRound }));
    }
    const restarted = await restart(target, context, op, "stop");
    const read = async (rows: number): Promise<Reading> =>
      await readUntil(target, context, { as: op, table, columns, isWhole: atLeast(rows) });
    const after = await read(all.length);
    const write = saidOf(
      await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${cellText(added["id"])}, 'added')`),
    );
    const again = saidOf(await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${coldKey}, 'again')`));
    flushes.push(await flushToEnd(target, context, op, { table, rows: all.length + 1 }));
    return { flushes, restart: restarted, after, write, again, final: await read(all.length + 1) };
  },
  timeline: ({ restart: restarted }) => restartTimes([restarted]),
  judge({ flushes, restart: restarted, after, write, again, final }, { found }) {
    const [, , , fourth] = flushes;
    const held = flushes.map(({ segments }) => (typeof segments === "string" ? null : rowsIn(segments)));
    for (const [at, rows] of held.slice(0, rounds).entries()) {
      const before = at === 0 ? 0 : (held[at - 1] ?? null);
      if (flushes[at]?.status !== "completed" || rows === null || before === null || rows > before) continue;
      found.manifestDidNotGrow({ flush: at + 1, before, after: rows }, { sent: flushes[at].said });
    }
    const why =
      whyNotRestarted(restarted) ??
      flushes
        .slice(0, rounds)
        .map(whyUnflushed)
        .find((one) => one !== undefined);
    if (why !== undefined) return unknown(why);
    const isWritten = write.kind === "ok";
    for (const [reading, when, wanted] of [
      [after, "after the restart", all],
      [final, "after one more flush", isWritten ? [...all, added] : all],
    ] as const) {
      const shown = reading.cause === "missing" ? [] : reading.rows;
      if (shown === null) continue;
      const { lost, doubled } = differencesOf(wanted, shown);
      if (lost.length > 0)
        found.lostRows({ when, lost: lost.length, of: wanted.length, keys: lost.slice(0, 5) }, { sent: reading });
      if (doubled.length > 0) found.doubledRows({ when, keys: doubled.slice(0, 5) }, { sent: reading });
      if (lost.length + doubled.length > 0) break;
    }
    if (again.kind === "ok") found.coldKeyDoubled({ key: coldKey }, { sent: again });
    if (write.kind === "refused") found.cannotWriteAgain({ what: "an insert", told: write.message }, { sent: write });
    const unended = fourth === undefined ? undefined : unendedOf(fourth, rounds + 1);
    if (unended !== undefined)
      found.cannotWriteAgain({ what: "a flush", told: sayUnended(unended) }, { sent: fourth?.said });
    if (fourth?.said.kind === "refused")
      found.cannotWriteAgain({ what: "a flush", told: fourth.said.message }, { sent: fourth.said });

    const unread = after.why ?? final.why;
    if (unread !== null) return unknown(`the rows could not be read: ${unread}`);
    if (!isWritten) return unknown(`the insert after the restart was not answered: ${write.message}`);
    if (again.kind === "unsure")
      return unknown(`the insert of a key in cold storage was not answered: ${again.message}`);
    const unflushed = fourth === undefined ? "the further flush was not tried" : whyUnflushed(fourth);
    if (unflushed !== undefined) return unknown(unflushed);
    return pass(
      `${all.length} rows of ${rounds} flushes once each; a new row, a further flush and the refusal of a key in cold storage work; ${restartText([restarted])}`,
    );
  },
});

function rowsOf(round: number): Values[] {
  return Array.from({ length: rowsInRound }, (_, at) => {
    const id = round * rowsInRound + at + 1;
    return { id: String(id), mark: `row ${id}` };
  });
}

const all = Array.from({ length: rounds }, (_, round) => rowsOf(round)).flat();
const added: Values = { id: String(all.length + 1), mark: "added" };
