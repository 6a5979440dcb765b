import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { fenceArrives, follow } from "../../vocabulary/following.ts";
import { heartbeatsOf } from "../../vocabulary/heartbeats.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { isLate, paceText, waitPatiently, whySlow, type Pace } from "../../vocabulary/pace.ts";

/** Plain SELECTs begin after that: what is waited for at first is the server's own time-out. */
const controlAfterMs = 3_000;
/** Proxies and load balancers do not cut connections that are younger. */
const limitMsMin = 20_000;
/** Of the client time-out: what ends earlier was not ended by it. */
const ownShare = 0.8;
/** A connection that ended without a close frame. */
const noClose = 1006;

type Seen = {
  /**
   * The connections that ping, or the one of them that was lost; `how` it was closed, if it was. `single`: only it, and without
   * a close frame, so that anything in between may have cut it.
   */
  readonly alive: {
    readonly arrived: boolean;
    readonly lostAfterMs: number | null;
    readonly how: string;
    readonly single: boolean;
  };
  /** After how much silence the server itself closes a connection. */
  readonly timeoutMs: number;
  /** How the one that does not ping was closed; null if it was not. */
  readonly silent: { readonly afterMs: number; readonly code: number; readonly reason: string } | null;
  readonly pace: Pace;
};

export const idleStaysAlive = defineCheck({
  id: "subscriptions/idle-stays-alive",
  title: "An idle connection stays open while it sends pings",
  failureTitle: "An idle connection is dropped, or a dead one kept open",
  description:
    "Three connections with a subscription each are idle for longer than the server's client time-out: two send pings, the third does not. Then a row is written: it must arrive on the first two. The silent one must have been closed, with a reason, within the time-out and two heartbeats.",
  blindTo: "Connections that are idle for hours or days, and proxies in between with time-outs of their own.",
  risk: "Idle clients lose their connection without noticing.",
  remedy: "Let clients ping more often than the client time-out; check the time-outs of proxies in between.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  waits: true,
  level: "block",
  estimateMs: 16_000,
  estimateRequests: 12,
  timeoutMs: 120_000,
  from: { effort: "standard", needs: "a silence longer than the server's client time-out" },
  findings: {
    droppedIdle: {
      say: (d: { afterMs: number; how: string; controlMs: number | null }) =>
        `a connection that sent pings was lost after ${Math.round(d.afterMs / 1000)} s: ${d.how}; plain SELECTs beside it took up to ${d.controlMs ?? "?"} ms`,
      timed: true,
    },
    cutInBetween: {
      say: (d: { afterMs: number; timeoutMs: number; how: string; controlMs: number | null }) =>
        `a connection that sent pings was cut after ${Math.round(d.afterMs / 1000)} s, before the server's client time-out of ${Math.round(d.timeoutMs / 1000)} s: ${d.how}; plain SELECTs beside it took up to ${d.controlMs ?? "?"} ms`,
      level: "warn",
      risk: "Clients that do not reconnect and resume get nothing more.",
      remedy: "Look for an idle or age limit of that length in proxies and load balancers in front.",
      timed: true,
    },
    neverClosed: {
      say: (d: { pace: Pace }) =>
        `a connection without pings was still open after ${Math.round(d.pace.waitedMs / 1000)} s, ${paceText(d.pace)}`,
      risk: "Connections of vanished clients use up the server's memory and its connection limit.",
      remedy: "Set the server's client time-out (websocket.client_timeout_secs), or one in a proxy in front.",
      timed: true,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const user = await target.account("user");
    const columns = "id BIGINT PRIMARY KEY, mark TEXT";
    const table = await makeTable(target, context, op, `${context.scratch}.t`, { columns });
    const { timeoutMs, everyMs, noticedMs } = heartbeatsOf(target);
    const sql = `SELECT * FROM ${table}`;
    const alive = [
      context.need(await follow(target, user, sql), "the user could not subscribe"),
      context.need(await follow(target, user, sql), "the user could not subscribe twice"),
    ];
    const silent = context.need(
      await follow(target, user, sql, {}, { pings: false }),
      "the user could not subscribe without pings",
    );
    const startedAt = performance.now();
    // One wait ends when the silent connection is closed, the other a heartbeat after the time-out.
    const [{ value: closed, pace }, ends] = await Promise.all([
      waitPatiently(target, op, {
        floorMs: noticedMs,
        controlAfterMs,
        wait: async (withinMs) => await silent.live.untilClosed(withinMs),
        done: (end) => end !== undefined,
      }),
      // One that ends later is not idle any more.
      Promise.all(alive.map(async ({ live }) => await live.untilClosed(timeoutMs + everyMs))),
    ]);
    const lost = ends.filter((end) => end !== undefined);
    // What the server said of an end counts before one without a word.
    const end = lost.find(({ code }) => code !== noClose) ?? lost[0];
    await target.sql(user, `INSERT INTO ${table} (id, mark) VALUES (1, 'after the silence')`);
    const arrived =
      lost.length === 0 &&
      (
        await Promise.all(
          alive.map(async ({ subscription }) => await fenceArrives(subscription, "mark", "after the silence")),
        )
      ).every(Boolean);
    const afterMs = ({ at }: { at: number }): number => Math.round(at - startedAt);
    return {
      alive: {
        arrived,
        lostAfterMs: end === undefined ? null : afterMs(end),
        how: end === undefined ? "" : `${end.code} ${end.reason}`.trim(),
        single: lost.length === 1 && end?.code === noClose,
      },
      timeoutMs,
      silent: closed === undefined ? null : { afterMs: afterMs(closed), code: closed.code, reason: closed.reason },
      pace,
    };
  },
  judge({ alive, silent, pace, timeoutMs }, { found }) {
    const { waitedMs, controlMs } = pace;
    const { arrived, lostAfterMs, how, single } = alive;
    if (single) return unknown(`one of two connections that sent pings broke (${how}), and the other did not`);
    if (lostAfterMs !== null) {
      // A server that takes that long for a plain SELECT may have read no ping in time, or got none.
      if (!isLate({ waitedMs: lostAfterMs, controlMs }))
        return unknown(
          `the connection that sent pings was lost (${how}); ${whySlow({ waitedMs: lostAfterMs, controlMs })}`,
        );
      if (isLimit(lostAfterMs, timeoutMs, how)) found.cutInBetween({ afterMs: lostAfterMs, timeoutMs, how, controlMs });
      else found.droppedIdle({ afterMs: lostAfterMs, how, controlMs });
    }
    if (silent === null) {
      if (isLate(pace)) found.neverClosed({ pace });
      return unknown(`the connection without pings was still open; ${whySlow(pace)}`);
    }
    if (!arrived)
      return unknown(
        "the row written afterwards did not arrive on an open connection; every-change-arrives judges that",
      );
    if (silent.code === noClose && silent.afterMs < ownShare * timeoutMs)
      return unknown(
        `the connection without pings broke after ${Math.round(silent.afterMs / 1000)} s, before the server's client time-out`,
      );
    const reason = silent.reason === "" ? "" : `, ${JSON.stringify(silent.reason)}`;
    return pass(
      `idle for ${Math.round(waitedMs / 1000)} s and the row still arrived; without pings closed after ${Math.round(silent.afterMs / 1000)} s (${silent.code}${reason})`,
    );
  },
});

/** Whether a proxy may have cut it: without a word of the server's, and before the server itself would have. */
function isLimit(afterMs: number, timeoutMs: number, how: string): boolean {
  return how === "1006" && afterMs >= limitMsMin && afterMs < ownShare * timeoutMs;
}
