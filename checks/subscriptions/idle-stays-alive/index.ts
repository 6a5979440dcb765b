import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { watchLag } from "../../../src/history/lag.ts";
import { fenceArrives, follow, type Following } from "../../vocabulary/following.ts";
import { heartbeatsOf } from "../../vocabulary/heartbeats.ts";

/** Pings leave every four seconds: this late, they may have come after the time-out. */
const lagMsMax = 3_000;

export const idleStaysAlive = defineCheck({
  id: "subscriptions/idle-stays-alive",
  title: "An idle connection lives as long as it pings",
  failureTitle: "An idle connection is dropped, or a dead one kept",
  description:
    "Two connections with a subscription each are idle for longer than the server's client time-out: one sends pings, the other is silent. Then a row is written: it must arrive on the first. The silent one must have been closed, with a reason, within the time-out and two heartbeats.",
  blindTo:
    "It waits a little longer than the time-out once; connections that are idle for days meet other machines on the way.",
  risk: "Clients that have nothing to say lose their connection without noticing, or dead ones eat the server's memory.",
  remedy: "Let clients ping more often than the client time-out; look at time-outs of proxies in between.",
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
        `a connection that pinged was lost after ${Math.round(d.afterMs / 1000)} s: ${d.how}`,
    },
    neverClosed: {
      say: (d: { waitedMs: number }) =>
        `a connection without pings was still open after ${Math.round(d.waitedMs / 1000)} s`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const table = `${scratch}.t`;
    const nothing = { alive: null, silent: null, waitedMs: 0, lagMs: 0 };
    await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, mark TEXT) WITH (TYPE='USER')`);
    const { timeoutMs, everyMs, noticedMs } = heartbeatsOf(target);
    const [alive, silent] = [
      await follow(target, user, `SELECT * FROM ${table}`),
      await follow(target, user, `SELECT * FROM ${table}`, {}, { pings: false }),
    ];
    if ("why" in alive) return { ...nothing, why: alive.why };
    if ("why" in silent) return { ...nothing, why: silent.why };
    const startedAt = performance.now();
    const stopWatching = watchLag();
    // Both waits at once: the one ends when the silent connection is closed, the other after two heartbeats more than a time-out.
    const [closed, lost] = await Promise.all([
      silent.live.untilClosed(noticedMs),
      alive.live.untilClosed(timeoutMs + everyMs),
    ]);
    const lagMs = stopWatching();
    const waitedMs = Math.round(performance.now() - startedAt);
    await target.sql(user, `INSERT INTO ${table} (id, mark) VALUES (1, 'after the silence')`);
    const told = lost === undefined && (await fenceArrives(alive.subscription, "mark", "after the silence"));
    const end = alive.live.closed();
    return {
      alive: { told, lostAfterMs: end === undefined ? null : Math.round(end.at - startedAt), how: endText(alive) },
      silent:
        closed === undefined
          ? null
          : { afterMs: Math.round(closed.at - startedAt), code: closed.code, reason: closed.reason },
      waitedMs,
      lagMs,
      why: null,
    };
  },
  judge({ alive, silent, waitedMs, lagMs, why }) {
    if (why !== null || alive === null) return unknown(why ?? "nothing was seen");
    // Then our pings were late, and the server was right to close.
    if (alive.lostAfterMs !== null && lagMs > lagMsMax)
      return unknown(`the checker was slow: its own timers were ${lagMs} ms late`);
    const found = [
      ...(alive.lostAfterMs === null
        ? []
        : [{ name: "droppedIdle" as const, data: { afterMs: alive.lostAfterMs, how: alive.how } }]),
      ...(silent === null ? [{ name: "neverClosed" as const, data: { waitedMs } }] : []),
    ];
    if (found.length > 0) return fail(...found);
    if (!alive.told)
      return unknown(
        "the row after the silence was not told on a connection that is open; every-change-arrives judges that",
      );
    const reason = silent === null || silent.reason === "" ? "" : `, ${JSON.stringify(silent.reason)}`;
    return pass(
      `${Math.round(waitedMs / 1000)} s idle and still told; without pings closed after ${Math.round((silent?.afterMs ?? 0) / 1000)} s (${silent?.code}${reason})`,
    );
  },
});

function endText({ live }: Following): string {
  const closed = live.closed();
  return closed === undefined ? "" : `${closed.code} ${closed.reason}`.trim();
}
