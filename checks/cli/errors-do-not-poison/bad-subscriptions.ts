/** Bad subscriptions beside a good one on one live connection: whether the good one goes on. */
import {
  cellText,
  outcomeOf,
  type Account,
  type Live,
  type Subscription,
  type Target,
} from "../../../src/server/target.ts";

/** One line a mistake; each is one that every server refuses. */
export const badSubscriptions: readonly { readonly name: string; readonly sql: (t: string) => string }[] = [
  { name: "a subscription in bad SQL", sql: (t) => `SELEKT * FROM ${t}` },
  { name: "a subscription to a missing table", sql: (t) => `SELECT * FROM ${t}_missing` },
  { name: "a subscription to two tables", sql: (t) => `SELECT * FROM ${t} a JOIN ${t} b ON a.id = b.id` },
  { name: "a subscription with half a condition", sql: (t) => `SELECT * FROM ${t} WHERE (((` },
  { name: "a subscription without a right", sql: (t) => `SELECT * FROM ${t}_hidden` },
];

/** For the answer to a mistake, and for a row to be told of. */
const comesWithinMs = 8_000;
/** Too fast or too many is about the account, not about what was asked. */
const notAboutIt = /LIMIT/;

export type Beside = {
  /** The mistake. */
  readonly after: string;
  /** Whether it was refused, and in which words. */
  readonly refused: boolean;
  readonly answer: string;
  /** Whether the good one was told of a row that was written after it, one on another connection, and a new one here. */
  readonly told: boolean;
  readonly elsewhere: boolean;
  readonly anew: boolean;
  /** The code with which the connection ended; null where it went on. */
  readonly ended: number | null;
  /** How often it was tried: again where the connection ended, which may have been by chance. */
  readonly times: number;
  readonly exchange: number;
};

export type Besides = { readonly why: string | null; readonly beside: readonly Beside[] };

interface Good {
  readonly live: Live;
  readonly query: Subscription;
}

export async function makeBadSubscriptions(
  target: Target,
  { scratch, op, user }: { readonly scratch: string; readonly op: Account; readonly user: Account },
): Promise<Besides> {
  const table = `${scratch}.live`;
  for (const [name, level] of [
    [table, "PUBLIC"],
    [`${table}_hidden`, "PRIVATE"],
  ] as const) {
    const sql = `CREATE TABLE ${name} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='${level}')`;
    const made = await target.sql(op, sql);
    if (made.kind !== "ok") return { why: `the table to follow could not be made: ${outcomeOf(made)}`, beside: [] };
  }
  const elsewhere = await follow(target, op, table);
  let here = await follow(target, user, table);
  const beside: Beside[] = [];
  let row = 0;
  for (const { name, sql } of badSubscriptions) {
    for (let times = 1; times <= 2; times += 1) {
      if ("why" in elsewhere) return { why: elsewhere.why, beside };
      if ("why" in here) return { why: here.why, beside };
      row += 1;
      const id = String(row);
      const { live, query } = here;
      const bad = await live.subscribe(sql(table));
      const begun = await bad.begin(comesWithinMs);
      await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (${id}, 'good')`);
      const isIt = ({ row: told }: { readonly row: { readonly [column: string]: unknown } | null }): boolean =>
        told !== null && String(told["id"]) === id;
      const [first, second] = await Promise.all(
        [query, elsewhere.query].map(async (one) => (await one.untilChange(isIt, comesWithinMs)) !== undefined),
      );
      const again = await live.subscribe(`SELECT * FROM ${table} WHERE id = ${id}`);
      const anew = await again.begin(comesWithinMs);
      again.unsubscribe();
      const ended = live.closed()?.code ?? null;
      const refusal = begun.kind === "refused" ? `${begun.code} ${begun.message}` : "";
      const one: Beside = {
        after: name,
        refused: begun.kind === "refused" && !notAboutIt.test(begun.code),
        answer: (begun.kind === "unsure" ? begun.why : begun.kind === "ready" ? "acknowledged" : refusal).slice(0, 160),
        told: first === true,
        elsewhere: second === true,
        anew: anew.kind === "ready" && anew.rows.some((told) => cellText(told["id"]) === id),
        ended,
        times,
        exchange: bad.exchange,
      };
      if (times === 2) beside.pop();
      beside.push(one);
      if (ended === null) break;
      here = await follow(target, user, table);
    }
  }
  for (const one of [elsewhere, here]) if (!("why" in one)) one.live.close();
  return { why: null, beside };
}

async function follow(target: Target, as: Account, table: string): Promise<Good | { readonly why: string }> {
  const live = await target.live(as);
  if ("why" in live) return { why: `no live connection for a ${as.role}: ${live.why}` };
  const query = await live.subscribe(`SELECT * FROM ${table}`);
  const begun = await query.begin();
  if (begun.kind === "ready") return { live, query };
  return { why: `a good subscription did not begin: ${begun.kind === "refused" ? begun.message : begun.why}` };
}

/** What is wrong with the good ones after a mistake; undefined where nothing is, `unknown` where that cannot be told. */
export function poisonedBy(one: Beside): { readonly asked: string; readonly got: string } | "unknown" | undefined {
  const { refused, told, elsewhere, anew, ended, times } = one;
  if (ended !== null) return times < 2 ? "unknown" : { asked: "the connection", got: `an end with ${ended}, twice` };
  // Where nobody was told, it may be the row.
  if (!elsewhere) return "unknown";
  if (!told) return { asked: "the live query beside it", got: "nothing of the next row" };
  if (!refused) return "unknown";
  return anew ? undefined : { asked: "a new subscription beside it", got: "not the row that is there" };
}
