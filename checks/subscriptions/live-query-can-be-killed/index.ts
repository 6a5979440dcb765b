import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Frame } from "../../../src/server/target.ts";
import { fenceArrives, follow, textsIn } from "../../vocabulary/following.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { liveQueriesOf } from "../../vocabulary/live-view.ts";
import { isLate, paceText, waitPatiently, whySlow, type Pace } from "../../vocabulary/pace.ts";

/** How long the notice to the client may take, and the row to leave the live view. */
const noticeWithinMs = 3_000;

export const liveQueryCanBeKilled = defineCheck({
  id: "subscriptions/live-query-can-be-killed",
  title: "An administrator can end a live query",
  failureTitle: "A killed live query goes on, or ends without notice",
  description:
    "A user subscribes on two sockets; a dba looks one of the subscriptions up in system.live and ends it with KILL LIVE QUERY. After that it must deliver nothing while the other one goes on; the client must be notified, by a message about it or a close; and its row must leave the view, so that it no longer counts against the user's limit.",
  blindTo: "It ends one subscription; ending all of a user's is left to revoked-user-cut-off.",
  risk: "A client that overwhelms the server, or should not see what it sees, cannot be stopped without stopping the server.",
  remedy: "Drop the user or restart the server to end a live query, until this passes.",
  covers: ["SUB-10"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 4_000,
  estimateRequests: 25,
  findings: {
    goesOn: { say: (d: { told: number }) => `it delivered ${d.told} changes after KILL LIVE QUERY had succeeded` },
    notTold: {
      say: (d: { pace: Pace }) =>
        `the client got no message and no close within ${d.pace.waitedMs} ms of the KILL, ${paceText(d.pace)}`,
      risk: "A client waits for changes of a live query that has ended.",
      remedy: "Let clients subscribe again when nothing has arrived for a while.",
      timed: true,
    },
    quotaLost: {
      say: (d: { listed: number; pace: Pace }) =>
        `its row is still in the live view (${d.listed}) after ${d.pace.waitedMs} ms, ${paceText(d.pace)}`,
      risk: "Killed live queries count against a user's limit, until the user can open no more.",
      remedy: "Close the client's connection to free its place.",
      timed: true,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const columns = "id BIGINT PRIMARY KEY, mark TEXT";
    const sql = `SELECT * FROM ${await makeTable(target, context, op, `${context.scratch}.t`, { columns })}`;
    const write = async (id: number, mark: string) =>
      await target.sql(user, `INSERT INTO ${context.scratch}.t (id, mark) VALUES (${id}, '${mark}')`);
    const find = async (): Promise<string[] | undefined> =>
      (await liveQueriesOf(target, op, user))?.flatMap(({ liveId, query }) => (query.includes("id > 0") ? liveId : []));
    const within = { withinMs: noticeWithinMs, everyMs: 200 };

    const witness = context.need(await follow(target, user, sql), "the user could not subscribe");
    const { live, subscription } = context.need(
      await follow(target, user, `${sql} WHERE id > 0`),
      "the user could not subscribe",
    );
    context.need(await write(1, "before"), "a row could not be written");
    const alive = await fenceArrives(subscription, "mark", "before");
    context.need(alive || null, "the live query delivered nothing even before it was killed");
    const [id] = (await context.poll(find, (ids) => ids !== undefined && ids.length > 0, within)) ?? [];
    context.need(id, "the live query is not in the live view, so it cannot be named");

    const from = live.frames.length;
    const killed = saidOf(await target.sql(op, `KILL LIVE QUERY '${id}'`));
    const before = subscription.changes.length;
    await write(2, "after");
    const witnessed = await fenceArrives(witness.subscription, "mark", "after");
    // A message about this subscription other than a change, or the end of the connection.
    const isNotice = ({ about, type }: Frame): boolean => about === subscription.id && type !== "change";
    const { value: notice, pace: noticing } = await waitPatiently(target, op, {
      floorMs: noticeWithinMs,
      wait: async (withinMs) => await live.untilFrame(isNotice, withinMs, from),
      done: (frame) => frame !== undefined || live.closed() !== undefined,
    });
    const isGone = (ids: readonly string[] | undefined): boolean => ids?.length === 0;
    const { value: left, pace: leaving } = await waitPatiently(target, op, {
      floorMs: noticeWithinMs,
      wait: async (withinMs) => await context.poll(find, isGone, { ...within, withinMs }),
      done: isGone,
    });
    const delivered = textsIn(subscription, "mark").slice(before).length;
    const closed = live.closed()?.code ?? null;
    const ended = notice !== undefined || closed !== null;
    const broke = notice === undefined && closed === 1006;
    return { killed, delivered, ended, broke, listed: left?.length ?? null, witnessed, noticing, leaving };
  },
  judge({ killed, delivered, ended, broke, listed, witnessed, noticing, leaving }, { found }) {
    if (killed.kind !== "ok")
      return unknown(`KILL LIVE QUERY was answered with ${killed.status ?? "nothing"} ${killed.message}`);
    if (delivered > 0) found.goesOn({ told: delivered }, { sent: killed });
    if (!ended && isLate(noticing)) found.notTold({ pace: noticing }, { sent: killed });
    if (listed !== null && listed > 0 && isLate(leaving)) found.quotaLost({ listed, pace: leaving }, { sent: killed });
    if (broke) return unknown("the client's connection broke before it was told anything");
    if (!witnessed) return unknown("the other subscription did not deliver the row either, so silence shows nothing");
    if (listed === null) return unknown("the live view could not be read afterwards");
    if (!ended) return unknown(`the client was not notified yet; ${whySlow(noticing)}`);
    if (listed > 0) return unknown(`its row was still in the live view; ${whySlow(leaving)}`);
    return pass("it delivered nothing more, the client was notified, its row left the view, the other one went on");
  },
});
