import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
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

const listedWithinMs = 2_000;
/** A connection that was cut has to be noticed; one that fell silent is for another check. */
const goneWithinMs = 10_000;
const askEveryMs = 100;
/** How each subscription ends. */
const endings = ["unsubscribe", "close", "cut"] as const;
type Ending = (typeof endings)[number];

/** What the view tells of a subscription. */
type Row = { readonly id: string; readonly user: string; readonly table: string; readonly query: string };
/** `rows` is null where the view was not answered. */
type Look = { readonly said: Said; readonly rows: readonly Row[] | null };
/** One of ours: what has to be told of it, and its last look before and after its end. */
type Held = {
  readonly ending: Ending;
  readonly row: Row;
  readonly there: Look;
  readonly after: Look;
  /** Milliseconds from its end until it was not listed any more; null where it still was. */
  readonly goneAfterMs: number | null;
};

const findings = {
  missing: {
    say: (d: { query: string; withinMs: number }) => `${d.query} is open and not listed after ${d.withinMs / 1000} s`,
  },
  wrong: {
    say: (d: { query: string; what: string; told: string; wanted: string }) =>
      `${d.query} is listed with the ${d.what} ${d.told}; it is ${d.wanted}`,
  },
  lingering: {
    say: (d: { query: string; ending: string; withinMs: number }) =>
      `${d.query} is still listed ${d.withinMs / 1000} s after its ${d.ending}`,
  },
};
type Found = FoundOf<typeof findings>;

export const subscriptionsListed = defineCheck({
  id: "observability/subscriptions-listed",
  title: "Live queries are listed while they live, and only then",
  failureTitle: "Live queries are missing in the list, wrong, or linger",
  description: `Opens three live queries on connections of their own and looks for them in system.live: each within ${listedWithinMs / 1000} s, with its user, table and query. Then one unsubscribes, one closes its connection, one is cut by a reset: each must be gone within ${goneWithinMs / 1000} s.`,
  blindTo: "A connection that falls silent without an end is for backpressure/connections-freed.",
  risk: "Nobody can tell who listens to what, or which query to kill; what lingers uses up its user's quota.",
  remedy: "Restart a server whose list only grows; count connections from outside meanwhile.",
  covers: ["OBS-10"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: 16,
  timeoutMs: 60_000,
  findings,
  async observe(target, context) {
    const op = await target.account("dba");
    const user = await target.account("user", "listener");
    const { scratch } = context;
    const table = `${scratch}.listened`;
    const made = saidOf(
      await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`),
    );
    const views = await target.sql(
      op,
      "SELECT table_name FROM information_schema.tables WHERE table_schema = 'system' AND table_name IN ('live', 'live_queries') LIMIT 5",
    );
    const view = listed(views)?.[0] ?? "live";
    const look = async (): Promise<Look> => await lookAt(target, op, { view, user: user.name, scratch });
    const find = ({ rows }: Look, { id }: Row): Row | undefined => rows?.find((row) => row.id === id);

    const held: Held[] = [];
    const opened: { live: Live; ending: Ending; row: Row; end: () => void }[] = [];
    for (const [at, ending] of endings.entries()) {
      const live = await target.live(user);
      if ("why" in live) return { made, why: live.why, held };
      const query = `SELECT * FROM ${table} WHERE id > ${7_000 + at}`;
      const id = `${scratch}_${ending}`;
      const subscription = await live.subscribe(query, {}, id);
      const begun = await subscription.begin();
      if (begun.kind !== "ready") return { made, why: begun.kind === "refused" ? begun.message : begun.why, held };
      const end = { unsubscribe: () => subscription.unsubscribe(), close: () => live.close(), cut: () => live.reset() };
      opened.push({ live, ending, row: { id, user: user.name, table, query }, end: end[ending] });
    }
    const there = await context.poll(look, (seen) => opened.every(({ row }) => find(seen, row) !== undefined), {
      withinMs: listedWithinMs,
      everyMs: askEveryMs,
    });
    const lost = opened.find(({ live }) => live.closed() !== undefined);
    if (lost !== undefined) return { made, why: "a live connection of ours was closed meanwhile", held };
    for (const { ending, row, end } of opened) {
      const from = performance.now();
      end();
      const after = await context.poll(look, (seen) => seen.rows !== null && find(seen, row) === undefined, {
        withinMs: goneWithinMs,
        everyMs: askEveryMs,
      });
      const gone = after.rows !== null && find(after, row) === undefined;
      held.push({ ending, row, there, after, goneAfterMs: gone ? Math.round(performance.now() - from) : null });
    }
    return { made, why: null, held };
  },
  judge({ made, why, held }) {
    const found = held.flatMap(({ ending, row, there, after, goneAfterMs }): Found[] => {
      if (there.rows === null) return [];
      const seen = there.rows.find(({ id }) => id === row.id);
      const { query } = row;
      const sent = [there.said.exchange];
      if (seen === undefined)
        return [{ name: "missing" as const, case: ending, data: { query, withinMs: listedWithinMs }, sent }];
      const wrong = (["user", "table", "query"] as const)
        .filter((what) => plain(seen[what]) !== plain(row[what]))
        .map((what) => ({
          name: "wrong" as const,
          case: what,
          data: { query, what, told: seen[what], wanted: row[what] },
          sent,
        }));
      const lingers =
        goneAfterMs === null && after.rows !== null
          ? [
              {
                name: "lingering" as const,
                case: ending,
                data: { query, ending, withinMs: goneWithinMs },
                sent: [after.said.exchange],
              },
            ]
          : [];
      return [...wrong, ...lingers];
    });
    if (found.length > 0) return fail(...found);
    if (made.kind !== "ok") return unknown(`the table could not be made: ${made.message}`);
    if (why !== null) return unknown(`the live queries could not be held: ${why}`);
    if (held.length < endings.length) return unknown(`only ${held.length} of ${endings.length} live queries were held`);
    const unread = held.flatMap(({ there, after }) => [there, after]).find(({ rows }) => rows === null);
    if (unread !== undefined) return unknown(`the view of live queries could not be read: ${unread.said.message}`);
    const times = held.map(({ ending, goneAfterMs }) => `${goneAfterMs} ms after its ${ending}`);
    return pass(`${held.length} live queries listed rightly; gone ${times.join(", ")}`);
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

/** A query may be told in other spaces and letters than it was sent. */
function plain(text: string): string {
  return text.toLowerCase().replace(/\s+/g, " ").trim();
}
