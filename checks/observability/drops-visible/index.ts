import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { cellText, type Account, type Subscription, type Target } from "../../../src/server/target.ts";
import { connect } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { readFigures } from "../figures.ts";
import { closeOf, logRows, lossLogged, lossMessages, risenCounters } from "./admissions.ts";

const payloadChars = 8_192;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const rowsPerInsert = 40;
/** With fewer acknowledged rows, a server may not have had to drop anything. */
const acknowledgedMin = 600;
const fenceWithinMs = 10_000;
const fencesMax = 3;

export const dropsVisible = defineCheck({
  id: "observability/drops-visible",
  title: "Changes dropped for a slow reader are reported",
  failureTitle: "Changes dropped for a slow reader are not reported",
  description:
    "A subscriber stops reading while 2,000 rows of 8 KB are written (1,200 at light effort, 4,000 at deep), then reads on. If changes are missing, a metric in system.stats, a row in system.server_logs that names the subscription, a message to the subscriber or a close of its connection must report it. If none were dropped, there is nothing to report.",
  blindTo:
    "Whether the subscriber itself is notified and whether other subscribers suffer is left to the backpressure category. A log that cannot be read over SQL is not seen; the result is then unknown.",
  risk: "At busy times some users see stale data, and no metric or log explains why.",
  remedy:
    "Set logging.format to json and logging.level to at least warn, and alert on dropped notifications in the log.",
  covers: [],
  touches: "load",
  needs: ["dba"],
  alone: true,
  level: "block",
  estimateMs: 6_000,
  estimateRequests: 70,
  timeoutMs: 120_000,
  findings: {
    silent: {
      say: (d: { dropped: number; of: number; places: readonly string[] }) =>
        `${d.dropped} of ${d.of} changes were never delivered and nothing reports it: not ${d.places.join(", not ")}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const reader = await target.account("user", "paused reader");
    const { scratch } = context;
    const columns = "id BIGINT PRIMARY KEY, payload TEXT";
    const table = await sharedTable(target, context, op, `${scratch}.busy`, { columns, readers: ["user"] });
    // This refusal is logged: finding it later shows that the log can be read.
    const unlogged = `${scratch}.nowhere`;
    await target.sql(op, `SELECT id FROM ${unlogged} LIMIT 1`);
    const live = context.need(await connect(target, reader), "the subscriber could not connect");
    const subscription = await live.subscribe(`SELECT id, payload FROM ${table}`, {}, `${scratch}_reader`);
    context.need(await subscription.begin(), "the subscription could not be started");
    const fenceFrom = async (from: number): Promise<boolean> => await fence(target, op, { table, subscription, from });
    context.need((await fenceFrom(-1)) ? true : null, "the subscription delivered nothing even before it was paused");
    const before = await readFigures(target, op);
    context.need(before.figures, "system.stats could not be read");
    const earlier = await logRows(target, op, subscription.id);
    const framesBefore = live.frames.length;

    live.pause();
    const written = await writeMany(target, context, op, table);
    live.resume();
    const fenced = await fenceFrom(-100);
    const closed = live.closed()?.code ?? null;
    const after = await readFigures(target, op);
    const logged = await logRows(target, op, subscription.id);
    const control = await logRows(target, op, unlogged);
    const came = new Set(subscription.changes.map(({ row }) => cellText(row?.["id"])));
    const names = [subscription.id, scratch, reader.name];
    return {
      acknowledged: written.length,
      received: written.filter((id) => came.has(id)).length,
      fenced,
      closed,
      admitted: [
        ...lossLogged(logged ?? [], earlier ?? [], names),
        ...risenCounters(before, after),
        ...lossMessages(live.frames, framesBefore, names),
        ...closeOf(live),
      ],
      statsRead: after.figures !== null,
      logRead: earlier !== undefined && logged !== undefined && (control ?? []).length > 0,
      exchange: subscription.exchange,
    };
  },
  judge({ acknowledged, received, fenced, closed, admitted, statsRead, logRead, exchange }, { found }) {
    if (acknowledged < acknowledgedMin)
      return unknown(`only ${acknowledged} rows were acknowledged; at least ${acknowledgedMin} are needed`);
    if (!fenced && closed === null)
      return unknown("the fence row was not delivered, so changes may still be in flight");
    const dropped = acknowledged - received;
    if (dropped === 0) return pass(`nothing was dropped: all ${acknowledged} changes were delivered after the pause`);
    const lost = `${dropped} of ${acknowledged} changes were dropped`;
    const [first] = admitted;
    if (first !== undefined)
      return pass(`${lost}; reported by ${admitted.map(({ where }) => where).join(", ")}: ${first.words}`);
    if (!logRead) return unknown(`${lost}; the log that may report it cannot be read over SQL`);
    if (!statsRead) return unknown(`${lost}; system.stats, which may report it, could not be read`);
    const places = ["a metric in system.stats", "a row in system.server_logs", "a message", "a close"];
    found.silent({ dropped, of: acknowledged, places }, { sent: [exchange] });
    return unknown(lost);
  },
});

/** The keys of the rows that were acknowledged. */
async function writeMany(target: Target, context: Context, as: Account, table: string): Promise<string[]> {
  const count = context.size({ light: 1_200, standard: 2_000, deep: 4_000 });
  const random = context.random("values");
  // Random text over 64 characters, so that compression does not make it small.
  const pool = Array.from({ length: payloadChars * 4 }, () => alphabet.charAt(Math.floor(random() * alphabet.length)));
  const text = pool.join("");
  const acknowledged: string[] = [];
  for (let from = 1; from <= count; from += rowsPerInsert) {
    const ids = Array.from({ length: Math.min(rowsPerInsert, count - from + 1) }, (_, n) => from + n);
    const values = ids.map((id) => `(${id}, '${text.slice(id % payloadChars, (id % payloadChars) + payloadChars)}')`);
    const answer = await target.sql(as, `INSERT INTO ${table} (id, payload) VALUES ${values.join(", ")}`);
    if (answer.kind === "ok" && answer.results[0]?.rowCount === ids.length) acknowledged.push(...ids.map(String));
  }
  return acknowledged;
}

/** Writes rows until one is delivered; everything queued before it has been delivered by then. */
async function fence(
  target: Target,
  as: Account,
  { table, subscription, from }: { table: string; subscription: Subscription; from: number },
): Promise<boolean> {
  for (let n = 0; n < fencesMax; n += 1) {
    const id = String(from - n);
    await target.sql(as, `INSERT INTO ${table} (id, payload) VALUES (${id}, 'fence')`);
    const came = await subscription.untilChange(({ row }) => cellText(row?.["id"]) === id, fenceWithinMs / fencesMax);
    if (came !== undefined) return true;
  }
  return false;
}
