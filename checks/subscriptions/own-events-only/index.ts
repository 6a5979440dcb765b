import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText } from "../../../src/server/target.ts";
import { fenceArrives, follow, textIn } from "../../vocabulary/following.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { fenceOf, ownTextsOf, tables, writeEarly, writeLate } from "./writing.ts";

/** One at light effort. */
const socketsEach = 2;

/** What one subscriber received, in its snapshot and in changes. */
type Shown = {
  readonly who: string;
  readonly table: string;
  readonly own: number;
  /** Texts of the other user. */
  readonly foreign: readonly string[];
  readonly fenced: boolean;
  readonly exchange: number;
};

type Seen = { readonly shown: readonly Shown[]; readonly sockets: number; readonly unwritten: readonly string[] };

export const ownEventsOnly = defineCheck({
  id: "subscriptions/own-events-only",
  title: "A live query shows users only their own rows",
  failureTitle: "A live query shows rows of another user",
  description: `Two users run the same live query on a USER and a STREAM table, on ${socketsEach} sockets each (one at light effort), and both write rows with the same keys and values that cannot be guessed, with updates and deletes. No snapshot and no change may contain what the other user wrote, and all of a user's own must arrive.`,
  blindTo: "Two users and two tables; validation/own-rows-only tries every way to reach a row by SQL.",
  risk: "Private data of one customer appears on another customer's screen.",
  remedy: "Do not let users subscribe to USER tables of this server until this passes.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 2 },
  estimateMs: 1_500,
  estimateRequests: 90,
  findings: {
    foreignEvent: {
      say: (d: { who: string; table: string; events: number }) =>
        `${d.who} received ${d.events} rows of another user in a ${d.table} table`,
    },
    lostChange: {
      say: (d: { who: string; table: string; own: number; of: number }) =>
        `${d.who} received ${d.own} of ${d.of} changes of their own in a ${d.table} table`,
      risk: "A client silently misses changes to its user's own rows.",
      remedy: "Compare with SELECT from time to time, and read again what is missing.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const nonce = Math.floor(context.random("values")() * 1e12).toString(36);
    const alice = { who: "alice", as: await target.account("user", "alice"), nonce };
    const bob = { who: "bob", as: await target.account("user", "bob"), nonce };
    const sockets = context.size({ light: 1, standard: socketsEach, deep: socketsEach });
    const perInsert = context.size({ light: 5, standard: 2, deep: 2 });
    const opened = [];
    for (const type of tables) {
      const table = await makeTable(target, context, op, `${context.scratch}.${type.toLowerCase()}_rows`, {
        type,
        columns: type === "USER" ? "id BIGINT PRIMARY KEY, canary TEXT" : "id BIGINT, canary TEXT",
        ...(type === "STREAM" ? { options: { TTL_SECONDS: 600 } } : {}),
      });
      const early = [await writeEarly(target, alice, table), await writeEarly(target, bob, table)];
      const subscribers = [];
      for (const writer of Array.from({ length: sockets }, () => [alice, bob]).flat()) {
        const following = await follow(target, writer.as, `SELECT * FROM ${table}`, { batchSize: 4 });
        subscribers.push({ writer, ...context.need(following, `${writer.who} could not subscribe`) });
      }
      opened.push({ type, table, early, subscribers });
    }
    const shown: Shown[] = [];
    const unwritten: string[] = [];
    for (const { type, table, early, subscribers } of opened) {
      const late = await Promise.all(
        [alice, bob].map(async (one) => await writeLate(target, one, table, type, perInsert)),
      );
      // A row that was not written cannot be delivered; one delivered to the wrong user is wrong all the same.
      const written = ![...early, ...late].includes(false);
      if (!written) unwritten.push(type);
      for (const { writer, rows, subscription, live } of subscribers) {
        const { who } = writer;
        const fenced = await fenceArrives(subscription, "canary", fenceOf(writer));
        const changes = subscription.changes.flatMap((one) => [textIn(one, "canary"), cellText(one.old?.["canary"])]);
        const texts = [...rows.map((row) => cellText(row["canary"])), ...changes];
        const other = who === "alice" ? "bob" : "alice";
        shown.push({
          who,
          table: type,
          own: new Set(texts.filter((text) => text.startsWith(`${who} ${nonce}`))).size,
          foreign: texts.filter((text) => text.startsWith(other)).slice(0, 3),
          fenced: fenced && written,
          exchange: subscription.exchange,
        });
        live.close();
      }
    }
    return { shown, sockets, unwritten };
  },
  judge({ shown, sockets, unwritten }, { found }) {
    for (const one of shown) {
      const { who, table, foreign } = one;
      if (foreign.length > 0)
        found.foreignEvent({ who, table, events: foreign.length }, { case: `${table} ${who}`, sent: one });
    }
    for (const one of shown) {
      const { who, table, own, fenced } = one;
      const of = ownTextsOf(table);
      if (fenced && own < of) found.lostChange({ who, table, own, of }, { case: `${table} ${who}`, sent: one });
    }
    if (unwritten.length > 0)
      return unknown(`not all rows of the ${unwritten.join(" and the ")} table could be written`);
    const missedFence = shown.find((one) => !one.fenced);
    if (missedFence !== undefined)
      return unknown(`the last row of ${missedFence.who} did not arrive in the ${missedFence.table} table`);
    const wanted = tables.length * 2 * sockets;
    if (shown.length < wanted) return unknown(`only ${shown.length} of ${wanted} subscribers were judged`);
    return pass(`${shown.length} subscribers, each received all of its own rows and none of the other user's`);
  },
});
