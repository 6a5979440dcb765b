import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { listed, type Target } from "../../../src/server/target.ts";
import { follow, noticesOf, textIn } from "../../vocabulary/following.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { goneEarly, goneLate, readsDuring, type Read, type Written } from "./lifetime.ts";
import { lateTimes, paceText, slowestControl, type Pace } from "../../vocabulary/pace.ts";

/** How long rows live; a second time longer, where this machine or the server was too slow to read them often enough. */
const lifeMs = 3_000;
const longLifeMs = 9_000;
const rowCount = 5;
const readEveryMs = 200;
/** How long a row that should be gone is still read. */
const patienceMs = 4_000;
/** How much longer an event may take once the rows have expired. */
const eventWithinMs = 1_000;
const withinMsMax = 20_000;
/** With fewer reads while the rows live, an early end would go unnoticed. */
const readsMin = 3;

type Seen = {
  readonly lifeMs: number;
  /** The slowest of the reads, in ms: what is late is late against it. */
  readonly controlMs: number | null;
  readonly written: readonly Written[];
  readonly reads: readonly Read[];
  /** The rows there after one more had been written. */
  readonly afterwards: readonly string[] | null;
  readonly notices: readonly string[];
  readonly exchange: number;
};

export const streamTablesLive = defineCheck({
  id: "subscriptions/stream-tables-live",
  title: "Rows of a stream table are delivered, then expire on time",
  failureTitle: "Rows of a stream table are lost, or expire early or late",
  description: `Makes a STREAM table with a TTL of ${lifeMs / 1000} s, subscribes, and writes ${rowCount} rows. Each must be delivered in time. They are read repeatedly: all must be there before their TTL is over, and none some time after it. A row written after that shows that the table still works.`,
  blindTo: "Whether disk space is freed; only that expired rows are no longer read.",
  risk: "Events meant to be temporary are kept and shown, or vanish before anyone has read them.",
  remedy:
    "Filter by a timestamp of your own where old rows would do harm; keep rows that must not be lost in a USER or SHARED table.",
  covers: ["SUB-04"],
  touches: "scratch",
  needs: ["dba"],
  waits: true,
  level: "block",
  limits: { arrivesMsMax: 1_000, goneMsMax: 2_000 },
  estimateMs: lifeMs + 1_000,
  estimateRequests: rowCount + 5 + Math.ceil((lifeMs + patienceMs) / readEveryMs / 2),
  timeoutMs: 120_000,
  from: { effort: "standard", needs: "rows of a stream table to expire" },
  findings: {
    lostChange: {
      say: (d: { lost: number; of: number; pace: Pace; id: string }) =>
        `${d.lost} of ${d.of} rows were not delivered within ${d.pace.waitedMs} ms, ${paceText(d.pace)}; the first: ${d.id}`,
      risk: "Subscribers miss events, and once the rows have expired nothing is left to read.",
      remedy: "Put events that must arrive in a USER or SHARED table.",
      timed: true,
    },
    evictedEarly: {
      say: (d: { id: string; afterMs: number; lifeMs: number }) =>
        `row ${d.id} was gone at most ${d.afterMs} ms after it was written; it should live ${d.lifeMs} ms`,
      risk: "Events vanish before anyone has read them.",
      remedy: "Set a longer TTL, or keep rows that must not be lost in a USER or SHARED table.",
    },
    stillRead: {
      say: (d: { id: string; afterMs: number; lifeMs: number; controlMs: number | null }) =>
        `row ${d.id} was still read ${d.afterMs} ms after it was written; it should live ${d.lifeMs} ms (reading took up to ${d.controlMs} ms)`,
      risk: "Events meant to be temporary are kept and shown.",
      remedy: "Filter by a timestamp of your own where old rows would do harm.",
      timed: true,
    },
  },
  async observe(target, context): Promise<Seen> {
    const first = await observeLife(target, context, lifeMs);
    // On a busy machine the rows may be over before they were read often enough.
    return readsDuring(first.written, first.reads, lifeMs).length >= readsMin
      ? first
      : await observeLife(target, context, longLifeMs);
  },
  judge(seen, { found, limits: { arrivesMsMax, goneMsMax } }) {
    const { lifeMs: life, controlMs, written, reads, afterwards, notices, exchange } = seen;
    /** What the pace of the reads allows, at least that. */
    const allowed = (floorMs: number): number => Math.max(floorMs, lateTimes * (controlMs ?? 0));
    const arrivesMs = allowed(arrivesMsMax);
    const rows = written.filter(({ acknowledged }) => acknowledged);
    if (rows.length < rowCount) return unknown(`only ${rows.length} of ${rowCount} rows were acknowledged`);
    const lastRead = Math.max(0, ...reads.map((one) => one.to));
    // One that never came was waited for until the reads ended.
    const late = rows.filter(
      ({ deliveredAt, to }) => (deliveredAt ?? Math.max(lastRead, to) + arrivesMsMax) - to > arrivesMs,
    );
    // What a broken connection did not deliver is not the table's fault.
    if (late[0] !== undefined && notices.length === 0)
      found.lostChange(
        { lost: late.length, of: rows.length, pace: { waitedMs: Math.round(arrivesMs), controlMs }, id: late[0].id },
        { sent: [exchange] },
      );
    const early = goneEarly(rows, reads, life);
    if (early !== undefined)
      found.evictedEarly(
        { id: early.row.id, afterMs: early.read.to - early.row.from, lifeMs: life },
        { sent: early.read },
      );
    const stale = goneLate(rows, reads, { lifeMs: life, graceMs: allowed(goneMsMax) });
    if (stale !== undefined)
      found.stillRead(
        { id: stale.row.id, afterMs: stale.read.from - stale.row.to, lifeMs: life, controlMs },
        { sent: stale.read },
      );

    if (notices.length > 0) return unknown(`the subscription was interrupted: ${notices.join("; ")}`);
    const missing = rows.find(({ deliveredAt, to }) => deliveredAt === null || deliveredAt - to > arrivesMsMax);
    if (missing !== undefined)
      return unknown(`row ${missing.id} came late or not at all, and reading took up to ${controlMs} ms`);
    const during = readsDuring(rows, reads, life).length;
    if (during < readsMin)
      return unknown(
        `the rows were read only ${during} times before they expired; at least ${readsMin} reads are needed`,
      );
    const lastAt = Math.max(...rows.map(({ to }) => to));
    // A row gone before its time is a finding above, so a later read without rows is their end.
    const end = reads.find(({ from, rows: left }) => left?.length === 0 && from > lastAt);
    if (end === undefined) return unknown("the rows were neither seen to expire nor to stay too long");
    if (afterwards?.includes("99") !== true) return unknown("a row written afterwards could not be read");
    const slowest = Math.max(0, ...rows.map(({ deliveredAt, to }) => (deliveredAt ?? 0) - to));
    return pass(
      `${rows.length} rows delivered within ${slowest} ms, read ${during} times during their ${life} ms, and gone at most ${end.to - lastAt} ms after the last was written`,
    );
  },
});

async function observeLife(target: Target, context: Context, life: number): Promise<Seen> {
  const op = await target.account("dba");
  const reader = await target.account("user", "reader");
  const table = await makeTable(target, context, op, `${context.scratch}.passing_${life}`, {
    type: "STREAM",
    columns: "id BIGINT, v TEXT",
    options: { TTL_SECONDS: life / 1000 },
  });
  const { subscription, live } = context.need(
    await follow(target, reader, `SELECT * FROM ${table}`),
    "the reader could not subscribe",
  );
  const start = performance.now();
  const since = (at: number): number => Math.round(at - start);
  const answers = [];
  for (let id = 1; id <= rowCount; id += 1)
    answers.push(await target.sql(reader, `INSERT INTO ${table} (id, v) VALUES (${id}, 'row ${id}')`));

  const reads: Read[] = [];
  const control = (): number | null => slowestControl(reads.map(({ from, to }) => ({ controlMs: to - from })));
  const patience = (floorMs: number): number => Math.min(withinMsMax, Math.max(floorMs, lateTimes * (control() ?? 0)));
  const lives = (): boolean => {
    const last = reads.at(-1);
    const over = performance.now() - start > life + patience(patienceMs);
    return !over && !(last?.rows?.length === 0 && last.from > life);
  };
  await context.poll(
    async () => {
      const answer = await target.sql(reader, `SELECT id FROM ${table} ORDER BY id LIMIT 100`);
      const rows = listed(answer) ?? null;
      reads.push({ from: since(answer.sentAt), to: since(answer.doneAt), rows, exchange: answer.exchange });
    },
    () => !lives(),
    { withinMs: life + withinMsMax, everyMs: readEveryMs },
  );
  const written: Written[] = [];
  for (const [at, answer] of answers.entries()) {
    const id = String(at + 1);
    const event = await subscription.untilChange(
      (change) => change.row !== null && textIn(change, "id") === id,
      patience(eventWithinMs),
    );
    written.push({
      id,
      acknowledged: answer.kind === "ok",
      from: since(answer.sentAt),
      to: since(answer.doneAt),
      deliveredAt: event === undefined ? null : since(event.at),
    });
  }
  await target.sql(reader, `INSERT INTO ${table} (id, v) VALUES (99, 'afterwards')`);
  const afterwards = listed(await target.sql(reader, `SELECT id FROM ${table} ORDER BY id LIMIT 100`)) ?? null;
  const notices = noticesOf(subscription, live);
  live.close();
  return {
    lifeMs: life,
    controlMs: control(),
    written,
    reads,
    afterwards,
    notices,
    exchange: subscription.exchange,
  };
}
