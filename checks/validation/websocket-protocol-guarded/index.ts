import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Said } from "../../../src/server/target.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { sendBad, type Attempt } from "./attempt.ts";
import { badMessages } from "./bad-messages.ts";
import { findings, judgeAttempt } from "./judge.ts";
import { Siblings } from "./siblings.ts";

type Seen = {
  /** Why not all messages were sent. */
  readonly endedEarly: string | null;
  readonly asked: readonly Attempt[];
  /** A query over HTTP at the end. */
  readonly afterwards: Said;
};

export const websocketProtocolGuarded = defineCheck({
  id: "validation/websocket-protocol-guarded",
  title: "Bad frames and messages on a live connection are rejected",
  failureTitle: "A bad frame or message is accepted, hangs or hurts others",
  description: `Sends ${badMessages.length} bad messages, each on a live connection of its own: broken JSON, unknown types, missing and wrong fields, wrong order, binary messages, and frames that violate the WebSocket protocol (reserved bits, no mask, bad fragments, lengths and close frames). Each must get an error with a code, or the connection must be closed with a suitable code; if it stays open, a valid subscription on it must work. Meanwhile two other connections, one of the same account and one of another, must receive each row that is written.`,
  blindTo:
    "Messages that are too large or too many (the backpressure category), frames that never end, and compression. For errors in a subscription's SQL see subscriptions/bad-subscribe-refused.",
  risk: "A broken client believes in a subscription that does not exist, or ends the live queries of others.",
  remedy: "Put a proxy in front that terminates WebSocket itself and forwards only valid frames.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 3_000,
  estimateRequests: badMessages.length * 4 + 10,
  timeoutMs: 180_000,
  from: { effort: "standard", needs: `${badMessages.length} connections and about 200 requests` },
  findings,
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const guest = await target.account("user", "guest");
    const other = await target.account("user", "other");
    const columns = "id BIGINT PRIMARY KEY";
    const table = await sharedTable(target, context, op, `${context.scratch}.shown`, { columns, readers: ["user"] });
    const siblings = new Siblings(target, op, table, [
      ["another connection of the same account", guest],
      ["a connection of another account", other],
    ]);
    context.need(await siblings.connect(), "the other live connections could not be opened");
    const asked = new Map<string, Attempt>();
    let endedEarly: string | null = null;
    for (const one of badMessages) {
      if (endedEarly !== null) break;
      for (let times = 1; times <= 2 && endedEarly === null; times += 1) {
        const tried = { ...(await sendBad(target, guest, table, one)), siblings: await siblings.look(), times };
        asked.set(one.name, tried);
        const hurt = typeof tried.siblings !== "string";
        const again = hurt ? await siblings.connect() : true;
        if (again !== true) endedEarly = again.why;
        // A connection that breaks once may have broken by chance.
        if (!hurt && !(tried.closed?.code === 1006 && one.mayDrop !== true)) break;
      }
    }
    siblings.close();
    return { endedEarly, asked: [...asked.values()], afterwards: saidOf(await target.sql(op, "SELECT 1 AS alive")) };
  },
  judge({ endedEarly, asked, afterwards }, { found }) {
    // If the server is gone, the last message may have ended it.
    const gone = endedEarly !== null && ["unreachable", "reset"].includes(afterwards.why);
    const outcomes = asked.map((one) => judgeAttempt(one, gone, found));
    if (endedEarly !== null) return unknown(endedEarly);
    const doubt = outcomes.find((one) => typeof one !== "string");
    if (doubt !== undefined) return unknown(doubt.why);
    const missing = badMessages.find(({ name }) => !asked.some((one) => one.case === name));
    if (missing !== undefined)
      return unknown(`only ${asked.length} of ${badMessages.length} were sent, without ${missing.name}`);
    if (afterwards.kind !== "ok")
      return unknown(`a query afterwards got ${afterwards.status ?? "no answer"} ${afterwards.message}`);
    const byError = asked.filter(({ error }) => error !== null).length;
    return pass(
      `${asked.length} of ${asked.length} rejected, ${byError} with an error and ${asked.length - byError} by closing the connection; two other connections received each of ${asked.length} rows`,
    );
  },
});
