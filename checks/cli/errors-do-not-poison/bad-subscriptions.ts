/** Bad subscriptions on a live connection that has a good one: whether the good one goes on. */
import { cellText, known, type Account, type Target, type Values, truncated } from "../../../src/server/target.ts";
import { follow } from "../../vocabulary/following.ts";
import { openingOf, openingText } from "../../vocabulary/opening.ts";
import { isLate, type Pace } from "../../vocabulary/pace.ts";

interface BadSubscription {
  readonly name: string;
  readonly sql: (t: string) => string;
  /** A server with policies would only show no rows. */
  readonly onlyLevels?: true;
}

/** Every server refuses each of these. */
const badSubscriptions: readonly BadSubscription[] = [
  { name: "a subscription in bad SQL", sql: (t) => `SELEKT * FROM ${t}` },
  { name: "a subscription to a missing table", sql: (t) => `SELECT * FROM ${t}_missing` },
  { name: "a subscription to two tables", sql: (t) => `SELECT * FROM ${t} a JOIN ${t} b ON a.id = b.id` },
  { name: "a subscription with half a condition", sql: (t) => `SELECT * FROM ${t} WHERE (((` },
  { name: "a subscription without a right", sql: (t) => `SELECT * FROM ${t}_hidden`, onlyLevels: true },
];

export function badSubscriptionsFor(sharedAccess: Values["sharedAccess"]): readonly BadSubscription[] {
  return sharedAccess === "levels" ? badSubscriptions : badSubscriptions.filter((one) => one.onlyLevels !== true);
}

/** For the answer to a mistake, and for a row to be delivered. */
const comesWithinMs = 8_000;
/** A limit is about the account, not about what was asked. */
const notAboutIt = /LIMIT/;

export type Beside = {
  /** The mistake. */
  readonly after: string;
  readonly refused: boolean;
  readonly answer: string;
  /** Whether a row written after it reached the good one, one on another connection, and a new one on this connection. */
  readonly delivered: boolean;
  readonly elsewhere: boolean;
  readonly anew: boolean;
  /** How long each of them was awaited; the control is the row on the other connection. */
  readonly pace: Pace;
  /** The code with which the connection ended; null where it went on. */
  readonly ended: number | null;
  /** A mistake is tried again if the connection ended, which may have been chance. */
  readonly times: number;
  readonly exchange: number;
};

export type Besides = { readonly why: string | null; readonly beside: readonly Beside[] };

export async function makeBadSubscriptions(
  target: Target,
  { table, op, user }: { readonly table: string; readonly op: Account; readonly user: Account },
): Promise<Besides> {
  const good = `SELECT * FROM ${table}`;
  const elsewhere = await follow(target, op, good);
  let here = await follow(target, user, good);
  const beside: Beside[] = [];
  let row = 0;
  for (const { name, sql } of badSubscriptionsFor(known(target.dialect.sharedAccess))) {
    for (let times = 1; times <= 2; times += 1) {
      if ("why" in elsewhere) return { why: elsewhere.why, beside };
      if ("why" in here) return { why: here.why, beside };
      row += 1;
      const id = String(row);
      const { live, subscription } = here;
      const bad = await live.subscribe(sql(table));
      const opening = openingOf(await bad.begin(comesWithinMs), bad);
      await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (${id}, 'good')`);
      const isIt = ({ row: came }: { readonly row: { readonly [column: string]: unknown } | null }): boolean =>
        came !== null && String(came["id"]) === id;
      const writtenAt = performance.now();
      const [first, second] = await Promise.all(
        [subscription, elsewhere.subscription].map(async (one) => (await one.untilChange(isIt, comesWithinMs))?.at),
      );
      const again = await live.subscribe(`${good} WHERE id = ${id}`);
      const anew = await again.begin(comesWithinMs);
      again.unsubscribe();
      const ended = live.closed()?.code ?? null;
      if (times === 2) beside.pop();
      beside.push({
        after: name,
        refused: opening.kind === "refused" && !notAboutIt.test(opening.code),
        answer: truncated(openingText(opening), 160),
        delivered: first !== undefined,
        elsewhere: second !== undefined,
        anew: anew.kind === "ready" && anew.rows.some((came) => cellText(came["id"]) === id),
        pace: {
          waitedMs: comesWithinMs,
          controlMs: second === undefined ? null : Math.max(0, Math.round(second - writtenAt)),
        },
        ended,
        times,
        exchange: bad.exchange,
      });
      if (ended === null) break;
      here = await follow(target, user, good);
    }
  }
  for (const one of [elsewhere, here]) if (!("why" in one)) one.live.close();
  return { why: null, beside };
}

/** What is wrong with the good ones after a mistake; undefined where nothing is, `unknown` where that cannot be said. */
export function poisonedBy(one: Beside): { readonly asked: string; readonly got: string } | "unknown" | undefined {
  const { refused, delivered, elsewhere, anew, pace, ended, times } = one;
  if (ended !== null)
    return times < 2 ? "unknown" : { asked: "the connection", got: `was closed with ${ended}, twice` };
  // A row that was delivered nowhere may not have been written.
  if (!elsewhere) return "unknown";
  // If the row came late there, it may come later here.
  if (!isLate(pace)) return delivered && refused && anew ? undefined : "unknown";
  if (!delivered)
    return { asked: "the live query beside it", got: `did not get the next row within ${waitedText(pace)}` };
  if (!refused) return "unknown";
  return anew
    ? undefined
    : { asked: "a new subscription beside it", got: `did not get the existing row within ${waitedText(pace)}` };
}

function waitedText({ waitedMs, controlMs }: Pace): string {
  return `${waitedMs} ms, while it came after ${controlMs} ms on another connection`;
}
