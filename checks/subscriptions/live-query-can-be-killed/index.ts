import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { cellText, rowsOf, saidOf } from "../../../src/server/target.ts";
import { connect, fenceArrives, subscribe, textsIn } from "../../vocabulary/following.ts";

/** How long a client may wait for the word that its subscription has ended, and the view for its row to go. */
const tellWithinMs = 3_000;

export const liveQueryCanBeKilled = defineCheck({
  id: "subscriptions/live-query-can-be-killed",
  title: "A live query can be ended by an administrator",
  failureTitle: "A live query that was killed goes on, or ends unseen",
  description:
    "A user subscribes twice on one socket; a dba looks one of the two up in system.live and ends it with KILL LIVE QUERY. Then it must be told of nothing more while the other one is; the client must be told of its end, by a message about it or a close; and its row in the view must go, so that the place is free again.",
  blindTo: "It ends one subscription; ending a whole connection or user is for revoked-user-cut-off.",
  risk: "A client that overwhelms the server, or should not see what it sees, cannot be stopped without stopping the server.",
  remedy: "Drop the user or restart the server to end a live query, until this passes.",
  covers: ["SUB-10"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 4_000,
  estimateRequests: 25,
  findings: {
    goesOn: { say: (d: { told: number }) => `it was told of ${d.told} changes after KILL LIVE QUERY had succeeded` },
    notTold: {
      say: (d: { waitedMs: number }) =>
        `no message and no close told the client within ${d.waitedMs} ms that its subscription had ended`,
    },
    quotaLost: { say: (d: { listed: number }) => `its row is still in the live view (${d.listed})` },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const table = `${context.scratch}.t`;
    const nothing = { killed: null, told: 0, ended: false, listed: null, witnessed: false };
    await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, mark TEXT) WITH (TYPE='USER')`);
    const [live, beside] = [await connect(target, user), await connect(target, user)];
    if ("why" in live) return { ...nothing, why: live.why };
    if ("why" in beside) return { ...nothing, why: beside.why };
    const witness = await subscribe(beside, `SELECT * FROM ${table}`);
    const doomed = await subscribe(live, `SELECT * FROM ${table} WHERE id > 0`);
    if ("why" in witness) return { ...nothing, why: witness.why };
    if ("why" in doomed) return { ...nothing, why: doomed.why };
    await target.sql(user, `INSERT INTO ${table} (id, mark) VALUES (1, 'before')`);
    if (!(await fenceArrives(doomed.subscription, "mark", "before")))
      return { ...nothing, why: "it was not told of a row before it was killed either" };

    // The view had another name up to 0.4.1.
    const find = async (): Promise<string[] | null> => {
      for (const view of ["live", "live_queries"]) {
        const rows = rowsOf(
          await target.sql(op, `SELECT live_id, query FROM system.${view} WHERE user_id = '${user.name}' LIMIT 100`),
        );
        if (rows !== undefined)
          return rows.filter((row) => cellText(row["query"]).includes("id > 0")).map((row) => cellText(row["live_id"]));
      }
      return null;
    };
    const listed = await context.poll(find, (ids) => ids !== null && ids.length > 0, {
      withinMs: tellWithinMs,
      everyMs: 100,
    });
    const id = listed?.[0];
    if (id === undefined) return { ...nothing, why: "the live query is not in the live view, so it cannot be named" };
    const already = doomed.live.frames.length;
    const killed = saidOf(await target.sql(op, `KILL LIVE QUERY '${id}'`));
    const before = doomed.subscription.changes.length;
    await target.sql(user, `INSERT INTO ${table} (id, mark) VALUES (2, 'after')`);
    const witnessed = await fenceArrives(witness.subscription, "mark", "after");
    // A message about this subscription that is no change, or the end of the connection.
    const word = await live.untilFrame(
      ({ about, type }) => about === doomed.subscription.id && type !== "change",
      tellWithinMs,
      already,
    );
    const left = await context.poll(find, (ids) => ids?.length === 0, { withinMs: tellWithinMs, everyMs: 200 });
    return {
      killed,
      told: textsIn(doomed.subscription, "mark").slice(before).length,
      ended: word !== undefined || live.closed() !== undefined,
      listed: left?.length ?? null,
      witnessed,
      why: null,
    };
  },
  judge({ killed, told, ended, listed, witnessed, why }) {
    if (why !== null) return unknown(why);
    if (killed?.kind !== "ok")
      return unknown(`KILL LIVE QUERY was answered with ${killed?.status ?? "nothing"} ${killed?.message ?? ""}`);
    const sent = [killed.exchange];
    const found = [
      ...(told > 0 ? [{ name: "goesOn" as const, data: { told }, sent }] : []),
      ...(ended ? [] : [{ name: "notTold" as const, data: { waitedMs: tellWithinMs }, sent }]),
      ...(listed !== null && listed > 0 ? [{ name: "quotaLost" as const, data: { listed }, sent }] : []),
    ];
    if (found.length > 0) return fail(...found);
    if (!witnessed)
      return unknown("the subscription beside it was not told of the row either, so its silence shows nothing");
    if (listed === null) return unknown("the live view could not be read afterwards");
    return pass("it fell silent, the client was told, its row is gone, the subscription beside it went on");
  },
});
