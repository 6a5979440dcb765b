import { defineCheck, pass, unknown } from "../../../src/check.ts";
import {
  cellText,
  listed,
  rowsOf,
  saidOf,
  type Account,
  type Live,
  type Said,
  type Target,
} from "../../../src/server/target.ts";
import { connect } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { isLate, paceText, waitPatiently, whySlow, type Pace } from "../../vocabulary/pace.ts";

const listedWithinMs = 2_000;
/** For connections that end; a connection that only falls silent is left to the backpressure category. */
const goneWithinMs = 10_000;
const pollEveryMs = 100;
/** How each subscription ends. */
const endings = ["unsubscribe", "close", "cut"] as const;
type Ending = (typeof endings)[number];

/** What the view shows about a subscription. */
type Row = { readonly id: string; readonly user: string; readonly table: string; readonly query: string };
/** `rows` is null if the view could not be read. */
type Look = { readonly said: Said; readonly rows: readonly Row[] | null };
/** One of the check's subscriptions: its expected row, and the last look before and after its end. */
type Held = {
  readonly ending: Ending;
  readonly row: Row;
  readonly there: Look;
  readonly after: Look;
  /** Milliseconds from its end until it was no longer listed; null if it still was. */
  readonly goneAfterMs: number | null;
  /** Of the waits for it to be listed, and to be gone. */
  readonly listing: Pace;
  readonly leaving: Pace;
};

export const subscriptionsListed = defineCheck({
  id: "observability/subscriptions-listed",
  title: "Live queries are listed exactly while they are open",
  failureTitle: "Live queries are unlisted, listed wrong, or stay listed",
  description: `Opens three live queries on separate connections and looks for them in system.live: each must be listed within ${listedWithinMs / 1000} s with its user, table and query. Then one unsubscribes, one closes its connection and one is cut by a reset: each must be gone within ${goneWithinMs / 1000} s.`,
  blindTo: "A connection that falls silent without ending is left to the backpressure category.",
  risk: "Operators cannot see who subscribes to what, or which query to kill.",
  remedy: "Count connections from outside, for example in the proxy.",
  covers: ["OBS-10"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1, dba: 1 },
  estimateMs: 900,
  estimateRequests: 16,
  timeoutMs: 60_000,
  findings: {
    missing: {
      say: (d: { query: string; pace: Pace }) =>
        `${d.query} is open but not listed after ${d.pace.waitedMs} ms, ${paceText(d.pace)}`,
      timed: true,
    },
    wrong: {
      say: (d: { query: string; what: string; told: string; wanted: string }) =>
        `${d.query} is listed with the ${d.what} ${d.told}; expected ${d.wanted}`,
    },
    lingering: {
      say: (d: { query: string; ending: string; pace: Pace }) =>
        `${d.query} is still listed ${d.pace.waitedMs} ms after its ${d.ending}, ${paceText(d.pace)}`,
      risk: "Stale entries use up the user's quota of live queries and hide the real number of subscribers.",
      remedy: "Restart the server when its list of live queries only grows.",
      timed: true,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const user = await target.account("user", "listener");
    const { scratch } = context;
    const columns = "id BIGINT PRIMARY KEY";
    const table = await sharedTable(target, context, op, `${scratch}.listened`, { columns, readers: ["user"] });
    const views = await target.sql(
      op,
      "SELECT table_name FROM information_schema.tables WHERE table_schema = 'system' AND table_name IN ('live', 'live_queries') LIMIT 5",
    );
    const view = listed(context.need(views, "the system views could not be listed"))?.[0] ?? "live";
    const look = async (): Promise<Look> => await lookAt(target, op, { view, user: user.name, scratch });
    const lists = ({ rows }: Look, { id }: Row): boolean => rows?.some((row) => row.id === id) === true;

    const opened: { live: Live; ending: Ending; row: Row; end: () => void }[] = [];
    for (const [at, ending] of endings.entries()) {
      const live = context.need(await connect(target, user), "the live queries could not be opened");
      const query = `SELECT * FROM ${table} WHERE id > ${7_000 + at}`;
      const id = `${scratch}_${ending}`;
      const subscription = await live.subscribe(query, {}, id);
      context.need(await subscription.begin(), "the live queries could not be opened");
      const end = { unsubscribe: () => subscription.unsubscribe(), close: () => live.close(), cut: () => live.reset() };
      opened.push({ live, ending, row: { id, user: user.name, table, query }, end: end[ending] });
    }
    const until = async (holds: (seen: Look) => boolean, floorMs: number): Promise<{ value: Look; pace: Pace }> =>
      await waitPatiently(target, op, {
        floorMs,
        wait: async (withinMs) => await context.poll(look, holds, { withinMs, everyMs: pollEveryMs }),
        done: holds,
      });
    const { value: there, pace: listing } = await until(
      (seen) => opened.every(({ row }) => lists(seen, row)),
      listedWithinMs,
    );
    const closed = opened.some(({ live }) => live.closed() !== undefined);
    context.need(closed ? null : opened, "a live connection of the check was closed meanwhile");
    const held: Held[] = [];
    for (const { ending, row, end } of opened) {
      end();
      const isGone = (seen: Look): boolean => seen.rows !== null && !lists(seen, row);
      const { value: after, pace: leaving } = await until(isGone, goneWithinMs);
      const goneAfterMs = isGone(after) ? leaving.waitedMs : null;
      held.push({ ending, row, there, after, goneAfterMs, listing, leaving });
    }
    return { held };
  },
  judge({ held }, { found }) {
    let slow: Pace | undefined;
    for (const { ending, row, there, after, goneAfterMs, listing, leaving } of held) {
      if (there.rows === null) continue;
      const { query } = row;
      const seen = there.rows.find(({ id }) => id === row.id);
      if (seen === undefined) {
        if (isLate(listing)) found.missing({ query, pace: listing }, { case: ending, sent: there.said });
        else slow ??= listing;
        continue;
      }
      for (const what of ["user", "table", "query"] as const)
        if (normal(seen[what]) !== normal(row[what]))
          found.wrong({ query, what, told: seen[what], wanted: row[what] }, { case: what, sent: there.said });
      if (goneAfterMs !== null || after.rows === null) continue;
      if (isLate(leaving)) found.lingering({ query, ending, pace: leaving }, { case: ending, sent: after.said });
      else slow ??= leaving;
    }
    if (held.length < endings.length) return unknown(`only ${held.length} of ${endings.length} live queries were held`);
    const unread = held.flatMap(({ there, after }) => [there, after]).find(({ rows }) => rows === null);
    if (unread !== undefined) return unknown(`the view of live queries could not be read: ${unread.said.message}`);
    if (slow !== undefined) return unknown(`the view had not followed yet; ${whySlow(slow)}`);
    const times = held.map(({ ending, goneAfterMs }) => `${goneAfterMs} ms after its ${ending}`);
    return pass(`${held.length} live queries listed correctly; gone ${times.join(", ")}`);
  },
});

async function lookAt(
  target: Target,
  as: Account,
  { view, user, scratch }: { view: string; user: string; scratch: string },
): Promise<Look> {
  const answer = await target.sql(
    as,
    `SELECT subscription_id, user_id, namespace_id, table_name, query FROM system.${view} WHERE user_id = '${user}' OR namespace_id = '${scratch}' LIMIT 100`,
  );
  const rows = rowsOf(answer)?.map((row) => ({
    id: cellText(row["subscription_id"]),
    user: cellText(row["user_id"]),
    table: `${cellText(row["namespace_id"])}.${cellText(row["table_name"])}`,
    query: cellText(row["query"]),
  }));
  return { said: saidOf(answer), rows: rows ?? null };
}

/** A query may be listed with other whitespace and case than it was sent with. */
function normal(text: string): string {
  return text.toLowerCase().replace(/\s+/g, " ").trim();
}
