import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
import { watchLag } from "../../../src/history/lag.ts";
import { listed, type Change } from "../../../src/server/target.ts";
import { follow, noticesOf, textIn } from "../../vocabulary/following.ts";

const lifeMs = 3_000;
const rowCount = 5;
const readEveryMs = 200;
/** How long we go on reading a row that should be gone. */
const patienceMs = 4_000;
/** Two clocks tell milliseconds; a row that is missing this close to its end is not missing early. */
const edgeMs = 20;
/** How much longer we wait for an event, when the rows have been read to their end. */
const eventWithinMs = 1_000;

/** Which of the rows a SELECT showed, and when it was sent and answered. Milliseconds since the first insert was sent. */
type Read = {
  readonly from: number;
  readonly to: number;
  readonly rows: readonly string[] | null;
  readonly exchange: number;
};

type Written = {
  readonly id: string;
  readonly acknowledged: boolean;
  readonly from: number;
  readonly to: number;
  /** When its event came; null where none did. */
  readonly toldAt: number | null;
};

type Seen = {
  readonly why: string | null;
  readonly written: readonly Written[];
  readonly reads: readonly Read[];
  /** What was there after a further row had been written. */
  readonly afterwards: readonly string[] | null;
  /** How late timers of our own fired, at most. */
  readonly lagMs: number;
  readonly notices: readonly string[];
  readonly exchange: number;
};

const findings = {
  lostChange: {
    say: (d: { lost: number; of: number; withinMs: number; id: string }) =>
      `${d.lost} of ${d.of} rows were not told within ${d.withinMs} ms, the first: ${d.id}`,
  },
  evictedEarly: {
    say: (d: { id: string; afterMs: number; lifeMs: number }) =>
      `row ${d.id} was gone at most ${d.afterMs} ms after it was written; it should live ${d.lifeMs} ms`,
  },
  stillRead: {
    say: (d: { id: string; afterMs: number; lifeMs: number }) =>
      `row ${d.id} was still read ${d.afterMs} ms after it was written; it should live ${d.lifeMs} ms`,
  },
};

export const streamTablesLive = defineCheck({
  id: "subscriptions/stream-tables-live",
  title: "Rows of a stream table are told, live and then go",
  failureTitle: "Rows of a stream table are lost, go early or stay",
  description: `Makes a STREAM table whose rows live ${lifeMs / 1000} s, subscribes, and writes ${rowCount} rows. Each must be told in time. They are read over and over: before their time is up all must be there, and some time after it none may be. A row written then shows that the table still works.`,
  blindTo: "Whether the room on disk is given back; only that the rows are not read any more.",
  risk: "Events meant to pass are kept and shown, or vanish before anybody saw them.",
  remedy:
    "Filter by a time of your own where old rows would do harm; keep what must not be lost in a USER or SHARED table.",
  covers: ["SUB-04"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  limits: { arrivesMsMax: 1_000, goneMsMax: 2_000 },
  estimateMs: lifeMs + 1_000,
  estimateRequests: rowCount + 5 + Math.ceil((lifeMs + patienceMs) / readEveryMs / 2),
  findings,
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const table = `${context.scratch}.passing`;
    const nothing = { written: [], reads: [], afterwards: null, lagMs: 0, notices: [], exchange: 0 };
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT, v TEXT) WITH (TYPE='STREAM', TTL_SECONDS=${lifeMs / 1000})`,
    );
    if (made.kind !== "ok") return { ...nothing, why: `the table could not be made: ${made.message}` };
    const following = await follow(target, reader, `SELECT * FROM ${table}`);
    if ("why" in following) return { ...nothing, why: following.why };
    const { subscription, live } = following;
    const stopWatching = watchLag();
    const start = performance.now();
    const since = (at: number): number => Math.round(at - start);
    const answers = [];
    for (let id = 1; id <= rowCount; id += 1)
      answers.push(await target.sql(reader, `INSERT INTO ${table} (id, v) VALUES (${id}, 'row ${id}')`));

    const reads: Read[] = [];
    await context.poll(
      async () => {
        const answer = await target.sql(reader, `SELECT id FROM ${table} ORDER BY id LIMIT 100`);
        const rows = listed(answer) ?? null;
        reads.push({ from: since(answer.sentAt), to: since(answer.doneAt), rows, exchange: answer.exchange });
        return reads;
      },
      (all) => {
        const last = all.at(-1);
        return last?.rows?.length === 0 && last.from > lifeMs;
      },
      { withinMs: lifeMs + patienceMs, everyMs: readEveryMs },
    );
    const written: Written[] = [];
    for (const [at, answer] of answers.entries()) {
      const id = String(at + 1);
      const told = await subscription.untilChange((change) => isRow(change, id), eventWithinMs);
      written.push({
        id,
        acknowledged: answer.kind === "ok",
        from: since(answer.sentAt),
        to: since(answer.doneAt),
        toldAt: told === undefined ? null : since(told.at),
      });
    }
    await target.sql(reader, `INSERT INTO ${table} (id, v) VALUES (99, 'afterwards')`);
    const fresh = listed(await target.sql(reader, `SELECT id FROM ${table} ORDER BY id LIMIT 100`)) ?? null;
    const notices = noticesOf(subscription, live);
    return {
      why: null,
      written,
      reads,
      afterwards: fresh,
      lagMs: stopWatching(),
      notices,
      exchange: subscription.exchange,
    };
  },
  judge({ why, written, reads, afterwards, lagMs, notices, exchange }, { limits: { arrivesMsMax, goneMsMax } }) {
    if (why !== null) return unknown(why);
    const there = written.filter(({ acknowledged }) => acknowledged);
    if (there.length < rowCount) return unknown(`only ${there.length} of ${rowCount} rows were acknowledged`);
    const slow = lagMs > arrivesMsMax / 2;
    const found: FoundOf<typeof findings>[] = [];
    const late = there.filter(({ toldAt, to }) => toldAt === null || (toldAt - to > arrivesMsMax && !slow));
    // What a cut connection did not bring is not the table's fault.
    if (late[0] !== undefined && notices.length === 0) {
      const data = { lost: late.length, of: there.length, withinMs: arrivesMsMax, id: late[0].id };
      found.push({ name: "lostChange", data, sent: [exchange] });
    }
    const early = firstRead(there, reads, (row, read) => isYoung(row, read) && read.rows?.includes(row.id) === false);
    if (early !== undefined) {
      const data = { id: early.row.id, afterMs: early.read.to - early.row.from, lifeMs };
      found.push({ name: "evictedEarly", data, sent: [early.read.exchange] });
    }
    const stale = firstRead(
      there,
      reads.toReversed(),
      (row, read) => read.from - row.to > lifeMs + goneMsMax && read.rows?.includes(row.id) === true,
    );
    if (stale !== undefined) {
      const data = { id: stale.row.id, afterMs: stale.read.from - stale.row.to, lifeMs };
      found.push({ name: "stillRead", data, sent: [stale.read.exchange] });
    }
    if (found.length > 0) return fail(...found);
    if (slow) return unknown(`the checker was slow: its own timers were ${lagMs} ms late`);
    if (notices.length > 0) return unknown(`the subscription was disturbed: ${notices.join("; ")}`);
    const alive = reads.filter((read) => read.rows !== null && there.every((row) => isYoung(row, read)));
    const lastAt = Math.max(...there.map(({ to }) => to));
    // One that is gone before its time has been found above: any other read without rows is their end.
    const over = reads.find(({ from, rows }) => rows?.length === 0 && from > lastAt);
    if (alive.length < readsMin) return unknown(`only ${alive.length} times the rows were read during their life`);
    if (over === undefined) return unknown("the rows were not seen to be gone, nor to stay too long");
    if (afterwards?.includes("99") !== true) return unknown("a row written afterwards could not be read");
    const slowest = Math.max(...there.map(({ toldAt, to }) => (toldAt ?? 0) - to));
    return pass(
      `${there.length} rows told within ${Math.max(0, slowest)} ms, read ${alive.length} times during their ${lifeMs} ms, and gone at most ${over.to - lastAt} ms after the last was written`,
    );
  },
});

/** A read that was sent when the row was acknowledged and answered before its time can have been up. */
function isYoung(row: Written, { from, to }: Read): boolean {
  return from > row.to && to - row.from < lifeMs - edgeMs;
}

function firstRead(
  rows: readonly Written[],
  reads: readonly Read[],
  holds: (row: Written, read: Read) => boolean,
): { row: Written; read: Read } | undefined {
  for (const row of rows) {
    const read = reads.find((one) => holds(row, one));
    if (read !== undefined) return { row, read };
  }
  return undefined;
}

/** With fewer looks while the rows live, nothing is known of an early end. */
const readsMin = 3;

function isRow(change: Change, id: string): boolean {
  return change.row !== null && textIn(change, "id") === id;
}
