import { defineCheck, fail, pass, unknown, type Context } from "../../../src/check.ts";
import {
  cellText,
  listed,
  type Account,
  type Frame,
  type Live,
  type Subscription,
  type Target,
} from "../../../src/server/target.ts";
import { readFigures, type Reading } from "../figures.ts";

const payloadChars = 8_192;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const rowsPerInsert = 40;
/** With fewer acknowledged rows nothing had to be dropped by anybody. */
const acknowledgedMin = 600;
const fenceWithinMs = 10_000;
const fencesMax = 3;
/** Words with which somebody admits that something was left out. */
const admits = /drop|lost|lagg|overflow|discard|missed|slow|channel full|queue full|gap|resync/i;
const ordinary = new Set(["change", "pong", "subscription_ack", "initial_data_batch", "auth_success"]);

/** Where it was admitted, and in what words. */
type Admission = { readonly where: string; readonly words: string };

export const dropsVisible = defineCheck({
  id: "observability/drops-visible",
  title: "Changes that a slow reader loses are owned up to",
  failureTitle: "Changes that a slow reader loses are nowhere admitted",
  description:
    "A subscriber stops reading while two thousand rows of 8 KB arrive, then reads on. Where changes are missing then, some counter in system.stats, a row in system.server_logs that names the subscription, a message to the subscriber or a close of its connection must admit it. Where nothing was dropped there is nothing to admit.",
  blindTo:
    "Whether the subscriber itself is told, and whether others suffer, is for backpressure/slow-reader-told. A log that cannot be read over SQL is not seen: then the verdict is unknown.",
  risk: "Screens are wrong for some people at busy times, and no graph or log shows why.",
  remedy: "Set logging.format to json and logging.level to warn at least, and watch the log for dropped notifications.",
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
        `${d.dropped} of ${d.of} changes never came, and nothing admits it: not ${d.places.join(", not ")}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const reader = await target.account("user", "slow reader");
    const { scratch } = context;
    const table = `${scratch}.busy`;
    const nothing = {
      acknowledged: 0,
      received: 0,
      fenced: false,
      closed: null,
      admitted: [] as Admission[],
      logKept: false,
    };
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, payload TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
    );
    if (made.kind !== "ok")
      return { ...nothing, why: `the table could not be made: ${made.message}`, exchange: made.exchange };
    // A refusal that goes on record shows later whether the log can be read.
    await target.sql(op, `SELECT id FROM ${scratch}.nowhere LIMIT 1`);
    const live = await target.live(reader);
    if ("why" in live) return { ...nothing, why: `no live connection: ${live.why}`, exchange: made.exchange };
    const subscription = await live.subscribe(`SELECT id, payload FROM ${table}`, {}, `${scratch}_slow`);
    const { exchange } = subscription;
    const begun = await subscription.begin();
    const ready = begun.kind === "ready" && (await fence(target, op, { table, subscription, from: -1 }));
    if (!ready) return { ...nothing, why: "the subscription did not deliver even when it was read", exchange };

    const before = await readFigures(target, op);
    live.pause();
    const written = await writeMany(target, context, op, table);
    live.resume();
    const fenced = await fence(target, op, { table, subscription, from: -100 });
    const closed = live.closed();
    const after = await readFigures(target, op);
    const log = await logOf(target, op, { scratch, subscription: subscription.id });
    const came = new Set(subscription.changes.map(({ row }) => cellText(row?.["id"])));
    const admitted = [
      ...log.admitted,
      ...countersOf(before, after),
      ...messagesOf(live),
      ...(closed === undefined ? [] : [{ where: "a close", words: `${closed.code} ${closed.reason}`.trim() }]),
    ];
    return {
      why: null,
      acknowledged: written.length,
      received: written.filter((id) => came.has(id)).length,
      fenced,
      closed: closed === undefined ? null : closed.code,
      admitted,
      logKept: log.kept,
      exchange,
    };
  },
  judge({ why, acknowledged, received, fenced, closed, admitted, logKept, exchange }) {
    if (why !== null) return unknown(why);
    if (acknowledged < acknowledgedMin) return unknown(`only ${acknowledged} rows were acknowledged`);
    if (!fenced && closed === null) return unknown("the fence row never came, so changes may still be on their way");
    const dropped = acknowledged - received;
    if (dropped === 0)
      return pass(`nothing was dropped: ${received} of ${acknowledged} changes came once it read again`);
    const [first] = admitted;
    if (first !== undefined) {
      const where = admitted.map((one) => one.where).join(", ");
      return pass(`${dropped} of ${acknowledged} changes were dropped; admitted by ${where}: ${first.words}`);
    }
    if (!logKept)
      return unknown(
        `${dropped} of ${acknowledged} changes were dropped; the log that may admit it cannot be read over SQL`,
      );
    const places = ["a counter in system.stats", "a row in system.server_logs", "a message", "a close"];
    return fail({ name: "silent", data: { dropped, of: acknowledged, places }, sent: [exchange] });
  },
});

/** Rows that were acknowledged, by their keys. */
async function writeMany(target: Target, context: Context, as: Account, table: string): Promise<string[]> {
  const count = context.size({ light: 1_200, standard: 2_000, deep: 4_000 });
  // Text that does not get small by compression: each of 64 characters is about as likely.
  const pool = Array.from({ length: payloadChars * 4 }, () =>
    alphabet.charAt(Math.floor(context.random("values")() * alphabet.length)),
  ).join("");
  const acknowledged: string[] = [];
  for (let from = 1; from <= count; from += rowsPerInsert) {
    const ids = Array.from({ length: Math.min(rowsPerInsert, count - from + 1) }, (_, n) => from + n);
    const values = ids.map((id) => `(${id}, '${pool.slice(id % payloadChars, (id % payloadChars) + payloadChars)}')`);
    const answer = await target.sql(as, `INSERT INTO ${table} (id, payload) VALUES ${values.join(", ")}`);
    if (answer.kind === "ok" && answer.results[0]?.rowCount === ids.length) acknowledged.push(...ids.map(String));
  }
  return acknowledged;
}

/** Writes rows until one arrives: what was queued before it has arrived by then. */
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

function messagesOf(live: Live): Admission[] {
  const told = live.frames.filter(
    ({ type, json }: Frame) => !ordinary.has(type) && admits.test(JSON.stringify(json ?? null)),
  );
  const [first] = told;
  return first === undefined
    ? []
    : [{ where: `${told.length} messages`, words: JSON.stringify(first.json).slice(0, 160) }];
}

function countersOf(before: Reading, after: Reading): Admission[] {
  return Object.entries(after.figures ?? {})
    .filter(([metric, told]) => admits.test(metric) && Number(told) > Number(before.figures?.[metric] ?? 0))
    .map(([metric, told]) => ({ where: "a counter", words: `${metric} ${before.figures?.[metric] ?? "0"} → ${told}` }));
}

async function logOf(
  target: Target,
  as: Account,
  { scratch, subscription }: { scratch: string; subscription: string },
): Promise<{ kept: boolean; admitted: Admission[] }> {
  const rows = async (part: string): Promise<readonly string[]> =>
    listed(
      await target.sql(
        as,
        `SELECT message FROM system.server_logs WHERE message LIKE '%${part}%' ORDER BY timestamp DESC LIMIT 900`,
      ),
    ) ?? [];
  const told = (await rows(subscription)).filter((message) => admits.test(message));
  const [first] = told;
  return {
    kept: (await rows(`${scratch}.nowhere`)).length > 0,
    admitted: first === undefined ? [] : [{ where: `${told.length} log rows`, words: first.slice(0, 160) }],
  };
}
