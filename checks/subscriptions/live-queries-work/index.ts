import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { fenceArrives, noticesOf } from "../../vocabulary/following.ts";
import { openingText, tryToSubscribe, type Opening } from "../../vocabulary/opening.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { enter, triesMax, type Entering } from "./entering.ts";
import { isLate, paceText, startControl, waitPatiently, whySlow, type Pace } from "../../vocabulary/pace.ts";

const writes = 3;
const arrivesWithinMs = 5_000;

type Seen = {
  /** Each attempt to connect and log in that failed. */
  readonly failed: readonly Entering[];
  /** A statement over HTTP afterwards. */
  readonly overHttp: Said;
  /** Null without a connection. */
  readonly opening: Opening | null;
  readonly acknowledged: number;
  /** Whether any of the rows written then was delivered. */
  readonly delivered: boolean;
  /** Of the attempts to connect and subscribe, and of the wait for a change. */
  readonly opened: Pace;
  readonly arriving: Pace;
  readonly notices: readonly string[];
};

export const liveQueriesWork = defineCheck({
  id: "subscriptions/live-queries-work",
  title: "Live queries can be opened and deliver a change",
  failureTitle: "Live queries cannot be opened or deliver nothing",
  description: `Connects to /v1/ws as a user, logs in, subscribes to a table and writes ${writes} rows: at least one must be delivered. A connection that is refused is tried ${triesMax} times, and one that breaks before anything was delivered once more; a statement over HTTP shows that the server works otherwise. The other checks of live queries refer to this one where no connection can be opened.`,
  blindTo: "Everything else about live queries: a single change that arrives is enough.",
  risk: "No client gets live data.",
  remedy:
    "Check that the proxy in front forwards WebSocket upgrades of /v1/ws and that the server's origin and login settings admit clients.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 300,
  estimateRequests: 9,
  timeoutMs: 90_000,
  findings: {
    refused: {
      say: (d: { times: number; why: string }) => `${d.times} of ${d.times} live connections failed: ${d.why}`,
    },
    unanswered: {
      say: (d: { what: string; why: string; pace: Pace }) =>
        `${d.what} was not answered: ${d.why}; ${d.pace.waitedMs} ms in all, ${paceText(d.pace)}`,
      timed: true,
    },
    subscribeRefused: {
      say: (d: { why: string }) => `a subscription to a user's own table was refused: ${d.why}`,
      remedy: "Look for the reason in the server's log.",
    },
    nothingDelivered: {
      say: (d: { rows: number; how: string; pace: Pace }) =>
        `none of ${d.rows} rows was delivered within ${d.pace.waitedMs} ms, ${paceText(d.pace)}${d.how}`,
      remedy: "Check that the proxy in front does not buffer WebSocket frames, and look into the server's log.",
      timed: true,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const user = await target.account("user");
    const columns = "id BIGINT PRIMARY KEY, mark TEXT";
    const table = await makeTable(target, context, op, `${context.scratch}.t`, { columns });
    const first = await connectAndWrite(target, context, { op, user, table, firstId: 1 });
    if (!first.broke) return first.seen;
    // A single connection may be cut by anything in between.
    const { seen } = await connectAndWrite(target, context, { op, user, table, firstId: 1 + writes });
    return { ...seen, failed: [...first.seen.failed, ...seen.failed] };
  },
  judge({ failed, overHttp, opening, opened, acknowledged, delivered, arriving, notices }, { found }) {
    // Where HTTP does not work either, live queries are not the matter.
    if (overHttp.kind !== "ok") return unknown(`a query over HTTP failed as well: ${overHttp.message}`);
    if (opening === null) {
      const [first] = failed;
      if (first === undefined || failed.some(({ kind }) => kind === "ours"))
        return unknown(`no live connection could be tried: ${first?.why ?? "none"}`);
      const late = failed.find(({ kind }) => kind === "unanswered");
      if (late === undefined) found.refused({ times: failed.length, why: first.why });
      else if (isLate(opened)) found.unanswered({ what: "a live connection", why: late.why, pace: opened });
      return unknown(`no live connection; ${whySlow(opened)}`);
    }
    const sent = { sent: opening };
    if (opening.reason === "limit") return unknown(openingText(opening));
    if (opening.kind === "refused") found.subscribeRefused({ why: openingText(opening) }, sent);
    if (opening.kind === "unsure") {
      if (isLate(opened)) found.unanswered({ what: "a subscription", why: opening.message, pace: opened }, sent);
      return unknown(`a subscription was not answered; ${whySlow(opened)}`);
    }
    if (acknowledged === 0) return unknown("no row could be written");
    if (!delivered) {
      const how = notices.length === 0 ? ", and the connection stayed open" : `: ${notices.join("; ")}`;
      // On a connection that has ended there is nothing to wait for.
      if (isLate(arriving) || notices.length > 0)
        found.nothingDelivered({ rows: acknowledged, how, pace: arriving }, sent);
      return unknown(`no row was delivered; ${whySlow(arriving)}`);
    }
    const again = failed.length === 0 ? "" : `, after ${failed.length} failed attempts: ${failed[0]?.why}`;
    return pass(`connected, subscribed, and a change was delivered${again}`);
  },
});

interface Round {
  readonly op: Account;
  readonly user: Account;
  readonly table: string;
  /** Of the first row that it writes. */
  readonly firstId: number;
}

/** `broke`: the connection ended without a close frame before anything was delivered. */
async function connectAndWrite(
  target: Target,
  context: Context,
  { op, user, table, firstId }: Round,
): Promise<{ readonly seen: Seen; readonly broke: boolean }> {
  const control = startControl(target, op);
  const { live, failed } = await enter(target, context, user);
  const select = async (): Promise<Said> => saidOf(await target.sql(user, `SELECT * FROM ${table}`));
  const nothing = { acknowledged: 0, delivered: false, arriving: { waitedMs: 0, controlMs: null }, notices: [] };
  if (live === undefined) {
    await control.once();
    return {
      seen: { failed, overHttp: await select(), opening: null, opened: control.stop(), ...nothing },
      broke: false,
    };
  }
  const { subscription, opening } = await tryToSubscribe(live, `SELECT * FROM ${table}`);
  const opened = control.stop();
  let { acknowledged, delivered, arriving }: Pick<Seen, "acknowledged" | "delivered" | "arriving"> = nothing;
  for (let id = firstId; opening.kind === "ready" && id < firstId + writes; id += 1) {
    const written = await target.sql(user, `INSERT INTO ${table} (id, mark) VALUES (${id}, 'row')`);
    if (written.kind === "ok") acknowledged += 1;
  }
  if (acknowledged > 0)
    ({ value: delivered, pace: arriving } = await waitPatiently(target, op, {
      floorMs: arrivesWithinMs,
      wait: async (withinMs) => await fenceArrives(subscription, "mark", "row", withinMs),
      done: (arrived) => arrived,
    }));
  const notices = noticesOf(subscription, live);
  const broke = !delivered && live.closed()?.code === 1006;
  live.close();
  const seen = { failed, overHttp: await select(), opening, opened, acknowledged, delivered, arriving, notices };
  return { seen, broke };
}
