import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { known, listed, onlyRow } from "../../../src/server/target.ts";
import { makeTable, sharedTable } from "../../vocabulary/tables.ts";
import { badSubscriptionsFor, makeBadSubscriptions, poisonedBy } from "./bad-subscriptions.ts";
import { mistakes, sendPairs, wrongOnes } from "./statements.ts";

const columns = "id BIGINT PRIMARY KEY, v TEXT";
/** With fewer pairs, some of the mistakes would not be made. */
const pairsMin = mistakes.length;

export const errorsDoNotPoison = defineCheck({
  id: "cli/errors-do-not-poison",
  title: "An error does not affect later work on the same connection",
  failureTitle: "After an error, later work on the same connection goes wrong",
  description: `Sends a hundred statements over one connection, alternating mistakes and good statements: syntax errors, missing objects, open and failing transactions, missing privileges; inserts, literals and counts. Every good one must give the right result, and in the end only the rows of the good ones may exist. Then makes ${badSubscriptionsFor("levels").length} bad subscriptions on a live connection with a good one: after each, the good one must get the next row, as one on another connection does, and a new subscription must work.`,
  blindTo:
    "It uses one HTTP connection, one statement at a time; errors of one client while others work are left to the category concurrency, and malformed WebSocket messages to validation/websocket-protocol-guarded.",
  risk: "One bad statement breaks what other clients send through the same connection pool.",
  remedy: "Close the connection after an error until this passes.",
  covers: ["CLI-11"],
  expects: ["sharedAccess"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 2_000,
  estimateRequests: 150,
  // Its statements wait for each other, so a busy machine needs longer.
  timeoutMs: 120_000,
  findings: {
    poisoned: {
      say: (d: { after: string; asked: string; wanted: string; got: string }) =>
        `after ${d.after}: ${d.asked} should give ${d.wanted}, but gave ${d.got}`,
    },
    silenced: {
      say: (d: { after: string; asked: string; got: string }) => `after ${d.after}: ${d.asked} ${d.got}`,
      risk: "One bad subscription ends or silences the other live queries of the same client.",
      remedy: "Reconnect after a subscription error, or use one connection per live query.",
      timed: true,
    },
  },
  async observe(target, context) {
    const { scratch } = context;
    const user = await target.account("user");
    const accounts = [await target.account("dba"), await target.account("dba", "other")] as const;
    const [op] = accounts;
    const table = await makeTable(target, context, op, `${scratch}.t`, { type: "SHARED", columns });
    const followed = await sharedTable(target, context, op, `${scratch}.live`, { columns, readers: ["user"] });
    await sharedTable(target, context, op, `${followed}_hidden`, { columns });
    const first = `INSERT INTO ${table} (id, v) VALUES (0, 'good')`;
    context.need(await target.sql(op, first), "the first row could not be written");
    const pairs = Math.floor(context.size({ light: 20, standard: 100, deep: 400 }) / 2);
    const sent = await sendPairs(target, { table, pairs, connection: scratch }, { accounts, user });
    const live = await makeBadSubscriptions(target, { table: followed, op, user });
    const left = await target.sql(op, `SELECT v FROM ${table} WHERE v <> 'good' ORDER BY v LIMIT 10`);
    const count = await target.sql(op, `SELECT COUNT(*) AS x FROM ${table}`);
    return {
      sharedAccess: known(target.dialect.sharedAccess),
      ...sent,
      rows: onlyRow(count) === undefined ? null : Number(onlyRow(count)?.["x"]),
      /** Rows of mistakes; null where they could not be read. */
      strange: listed(left) ?? null,
      sent: [left.exchange, count.exchange],
      live,
    };
  },
  judge(seen, { found }) {
    const { good, opened, rows, wantedRows, strange, live } = seen;
    const besides = live.beside.map((one) => ({ ...one, harm: poisonedBy(one) }));
    for (const { after, harm, exchange } of besides)
      if (harm !== undefined && harm !== "unknown")
        found.silenced({ after, ...harm }, { case: after, sent: [exchange] });
    const wrong = wrongOnes(good);
    const [first] = wrong;
    if (first !== undefined) {
      const { after, asked, wanted, got, outcome } = first;
      found.poisoned({ after, asked, wanted, got: got ?? outcome }, { case: after, sent: wrong });
    }
    const unsure = good.filter((one) => one.got === null && !wrong.includes(one));
    const after = "all statements";
    if (strange !== null && strange.length > 0)
      found.poisoned(
        { after, asked: "rows of mistakes", wanted: "none", got: strange.join(", ") },
        { case: "rows", sent: seen.sent },
      );
    // An unanswered insert may have been executed, so then the rows cannot be counted.
    else if (strange !== null && unsure.length === 0 && rows !== null && rows !== wantedRows)
      found.poisoned(
        { after, asked: "COUNT(*)", wanted: String(wantedRows), got: String(rows) },
        { case: "rows", sent: seen.sent },
      );
    const unclear = besides.find(({ harm }) => harm === "unknown");
    const kinds = new Set(seen.mistakes).size;
    if (unsure[0] !== undefined)
      return unknown(
        `after ${unsure[0].after}: ${unsure.length} of ${good.length} good statements got no answer: ${unsure[0].outcome}`,
      );
    if (rows === null || strange === null) return unknown("the rows could not be counted in the end");
    if (kinds < mistakes.length || good.length < pairsMin)
      return unknown(`only ${kinds} of ${mistakes.length} kinds of mistakes were rejected as such`);
    // A server may close the connection after an error, but then nothing is left to affect.
    if (opened === 0 || opened > good.length / 2)
      return unknown(`the connection was opened ${opened} times, so the statements did not share one`);
    if (live.why !== null) return unknown(live.why);
    if (unclear !== undefined)
      return unknown(`${unclear.after}: ${unclear.answer}; it is not known whether the good one went on`);
    const wanted = badSubscriptionsFor(seen.sharedAccess).length;
    if (live.beside.length < wanted)
      return unknown(`only ${live.beside.length} of ${wanted} bad subscriptions were tried`);
    return pass(
      `${good.length} of ${good.length} good statements correct after ${seen.mistakes.length} mistakes, on a connection opened ${opened === 1 ? "once" : `${opened} times`}; a live query got every row after ${live.beside.length} bad subscriptions beside it`,
    );
  },
});
