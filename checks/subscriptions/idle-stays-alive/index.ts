import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { fenceArrives, follow } from "../../vocabulary/following.ts";
import { heartbeatsOf } from "../../vocabulary/heartbeats.ts";
import { makeTable } from "../../vocabulary/tables.ts";

type Seen = {
  /** The connection that pings; `how` it was closed, if it was. */
  readonly alive: { readonly arrived: boolean; readonly lostAfterMs: number | null; readonly how: string };
  /** How the one that does not ping was closed; null if it was not. */
  readonly silent: { readonly afterMs: number; readonly code: number; readonly reason: string } | null;
  readonly waitedMs: number;
};

export const idleStaysAlive = defineCheck({
  id: "subscriptions/idle-stays-alive",
  title: "An idle connection stays open while it sends pings",
  failureTitle: "An idle connection is dropped, or a dead one kept open",
  description:
    "Two connections with a subscription each are idle for longer than the server's client time-out: one sends pings, the other does not. Then a row is written: it must arrive on the first. The silent one must have been closed, with a reason, within the time-out and two heartbeats.",
  blindTo: "Connections that are idle for hours or days, and proxies in between with time-outs of their own.",
  risk: "Idle clients lose their connection without noticing.",
  remedy: "Let clients ping more often than the client time-out; check the time-outs of proxies in between.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 16_000,
  estimateRequests: 12,
  timeoutMs: 120_000,
  findings: {
    droppedIdle: {
      say: (d: { afterMs: number; how: string }) =>
        `a connection that sent pings was lost after ${Math.round(d.afterMs / 1000)} s: ${d.how}`,
      timed: true,
    },
    neverClosed: {
      say: (d: { waitedMs: number }) =>
        `a connection without pings was still open after ${Math.round(d.waitedMs / 1000)} s`,
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
    const alive = context.need(await follow(target, user, sql), "the user could not subscribe");
    const silent = context.need(
      await follow(target, user, sql, {}, { pings: false }),
      "the user could not subscribe without pings",
    );
    const startedAt = performance.now();
    // One wait ends when the silent connection is closed, the other a heartbeat after the time-out.
    const [closed, lost] = await Promise.all([
      silent.live.untilClosed(noticedMs),
      alive.live.untilClosed(timeoutMs + everyMs),
    ]);
    const waitedMs = Math.round(performance.now() - startedAt);
    await target.sql(user, `INSERT INTO ${table} (id, mark) VALUES (1, 'after the silence')`);
    const arrived = lost === undefined && (await fenceArrives(alive.subscription, "mark", "after the silence"));
    const end = alive.live.closed();
    const afterMs = ({ at }: { at: number }): number => Math.round(at - startedAt);
    return {
      alive: {
        arrived,
        lostAfterMs: end === undefined ? null : afterMs(end),
        how: end === undefined ? "" : `${end.code} ${end.reason}`.trim(),
      },
      silent: closed === undefined ? null : { afterMs: afterMs(closed), code: closed.code, reason: closed.reason },
      waitedMs,
    };
  },
  judge({ alive, silent, waitedMs }, { found }) {
    const { arrived, lostAfterMs, how } = alive;
    if (lostAfterMs !== null) found.droppedIdle({ afterMs: lostAfterMs, how });
    if (silent === null) found.neverClosed({ waitedMs });
    if (!arrived)
      return unknown(
        "the row written afterwards did not arrive on an open connection; every-change-arrives judges that",
      );
    const reason = silent === null || silent.reason === "" ? "" : `, ${JSON.stringify(silent.reason)}`;
    return pass(
      `idle for ${Math.round(waitedMs / 1000)} s and the row still arrived; without pings closed after ${Math.round((silent?.afterMs ?? 0) / 1000)} s (${silent?.code}${reason})`,
    );
  },
});
