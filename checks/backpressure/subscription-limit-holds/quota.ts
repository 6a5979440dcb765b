/** One user's subscriptions up to the limit, one above it, and what is possible after some of them ended. */
import type { Context } from "../../../src/check.ts";
import type { Account, Live, Subscription, Target } from "../../../src/server/target.ts";
import { connect, follow, textIn } from "../../vocabulary/following.ts";
import { heartbeatsOf } from "../../vocabulary/heartbeats.ts";
import { tryToSubscribe, type Opening } from "../../vocabulary/opening.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

const limitMax = 40;
const withinMs = 3_000;

/** `freed`: subscriptions that ended; `back`: new ones that could then be opened; `last`: how the last try went. */
export type Returned = {
  readonly way: "unsubscribe" | "close" | "cut";
  readonly freed: number;
  readonly back: number;
  readonly waitedMs: number;
  readonly last: Opening;
};
/** `control`: a subscription that was opened afterwards received the change. */
type Other = {
  readonly who: string;
  readonly closed: string | null;
  readonly delivered: boolean;
  readonly control: boolean;
};

export type Quota = {
  readonly limit: number | null;
  readonly tooMany: boolean;
  readonly opened: number;
  /** The first that was not acknowledged, or the one above the limit. */
  readonly extra: Opening | null;
  /** The same again after unsubscribing with ids that do not exist. */
  readonly forged: Opening | null;
  readonly others: readonly Other[];
  readonly returned: readonly Returned[];
  /** One more when all are open again. */
  readonly end: Opening | null;
};

export function isLimit({ kind, reason, code }: Opening): boolean {
  return kind === "refused" && reason === "limit" && code !== "RATE_LIMIT_EXCEEDED";
}

export async function observeQuota(target: Target, context: Context): Promise<Quota> {
  const configured = Number(target.capabilities.settings["rate_limit.max_subscriptions_per_user"]);
  const limit = Number.isInteger(configured) && configured > 0 ? configured : null;
  const seen = { limit, opened: 0, extra: null, forged: null, others: [], returned: [], end: null };
  if (limit === null || limit > limitMax) return { ...seen, tooMany: limit !== null };
  const op = await target.account("dba");
  const user = await target.fresh("user");
  const table = await sharedTable(target, context, op, `${context.scratch}.quota`, {
    columns: "id BIGINT PRIMARY KEY, mark TEXT",
    readers: ["user"],
  });
  const sql = `SELECT * FROM ${table}`;
  const bystander = await target.account("user", "bystander");
  const open = async (as: Account): Promise<Live> =>
    context.need(await connect(target, as), "a connection could not be opened");
  const other = context.need(await follow(target, bystander, sql, null), "another user could not subscribe");
  const subscribe = async (live: Live, id: string): Promise<{ opening: Opening; subscription: Subscription }> =>
    await tryToSubscribe(live, sql, null, id);

  const [one, two] = [await open(user), await open(user)];
  const subscriptions: Subscription[] = [];
  let extra: Opening | null = null;
  while (subscriptions.length <= limit && extra === null) {
    const { opening, subscription } = await subscribe(
      subscriptions.length % 2 === 0 ? one : two,
      `s${subscriptions.length}`,
    );
    if (opening.kind === "ready") subscriptions.push(subscription);
    else extra = opening;
  }
  const opened = subscriptions.length;
  if (opened !== limit || extra === null) return { ...seen, tooMany: false, opened, extra };

  for (const id of ["never", "extra", `s${limit}`]) one.send({ type: "unsubscribe", subscription_id: id });
  const { opening: forged, subscription: surplus } = await subscribe(one, "extra");
  // It would keep the place of one that ends below.
  if (forged.kind === "ready") surplus.unsubscribe();

  const heard = await listenAround(target, {
    op,
    as: bystander,
    sql,
    table,
    to: [other.subscription, subscriptions[0]],
  });
  const others = [
    { who: "another user", live: other.live },
    { who: "the same user's other subscription", live: one },
  ].map(({ who, live }, at): Other => {
    const closed = live.closed();
    const text = closed === undefined ? null : `${closed.code} ${closed.reason}`.trim();
    return { who, closed: text, delivered: heard.delivered[at] ?? false, control: heard.control };
  });

  /** Opens as many as ended; the first may have to wait until the server has noticed. */
  const regain = async (way: Returned["way"], live: Live, freed: number, ms: number): Promise<Returned> => {
    const from = performance.now();
    let [back, tries] = [0, 0];
    const last = await context.poll(
      async () => {
        tries += 1;
        const { opening } = await subscribe(live, `${way} ${tries}`);
        if (opening.kind === "ready") back += 1;
        return opening;
      },
      (opening) => back >= freed || (opening.kind !== "ready" && !isLimit(opening)),
      // One refusal is polled; acknowledgements follow each other at this pace.
      { withinMs: ms + freed * everyMs, everyMs },
    );
    return { way, freed, back, waitedMs: Math.round(performance.now() - from), last };
  };
  const returned: Returned[] = [];
  subscriptions[0]?.unsubscribe();
  returned.push(await regain("unsubscribe", one, 1, withinMs));
  const onTwo = Math.floor(limit / 2);
  two.close();
  const three = await open(user);
  if (onTwo > 0) returned.push(await regain("close", three, onTwo, withinMs));
  three.reset();
  const four = await open(user);
  if (onTwo > 0) returned.push(await regain("cut", four, onTwo, heartbeatsOf(target).noticedMs));
  const { opening: end } = await subscribe(four, "end");
  for (const live of [one, four, other.live]) live.close();
  return { limit, tooMany: false, opened, extra, forged, others, returned, end };
}

const everyMs = 150;

interface Around {
  readonly op: Account;
  readonly as: Account;
  readonly sql: string;
  readonly table: string;
  readonly to: readonly (Subscription | undefined)[];
}

/** Whether a change reaches these subscriptions and, where it does not, one that is opened for comparison. */
async function listenAround(
  target: Target,
  { op, as, sql, table, to }: Around,
): Promise<{ delivered: boolean[]; control: boolean }> {
  const write = async (id: number, listeners: readonly (Subscription | undefined)[]): Promise<boolean[]> => {
    await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${id}, 'mark ${id}')`);
    return await Promise.all(
      listeners.map(async (subscription) => {
        const came = await subscription?.untilChange((change) => textIn(change, "mark") === `mark ${id}`, withinMs);
        return came !== undefined;
      }),
    );
  };
  const first = await write(1, to);
  if (first.every(Boolean)) return { delivered: first, control: true };
  const control = await follow(target, as, sql, null);
  if ("why" in control) return { delivered: first, control: false };
  const [heard = false, ...second] = await write(2, [control.subscription, ...to]);
  control.live.close();
  return { delivered: first.map((came, at) => came || second[at] === true), control: heard };
}
