/** Messages above the server's limits, and what becomes of the connection and of others. */
import type { Context } from "../../../src/check.ts";
import type { Account, Live, Target } from "../../../src/server/target.ts";
import { cellText } from "../../../src/server/target.ts";
import { isRecord } from "../../../src/wire/json.ts";
import { connect, follow, textIn, type Following } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

const bytesUsual = 1024 * 1024;
const bytesMax = 8 * bytesUsual;
const perSecondUsual = 50;
const perSecondMax = 250;
const withinMs = 5_000;

/** A message longer than the limit. `answer`: the first of an acknowledgement, an error's code or a close; null for silence. */
export type Long = {
  readonly bytes: number;
  readonly limit: number;
  readonly answer: { readonly kind: "accepted" | "error" | "closed"; readonly text: string } | null;
  readonly exchange: number;
};

/** Many messages at once, then one that is always answered. */
export type Flood = {
  readonly messages: number;
  readonly perSecond: number;
  /** Messages that were refused for the rate. */
  readonly refused: number;
  /** Until the answer to the last one, milliseconds; null if there was none. */
  readonly tookMs: number | null;
  /** Null while it is open. */
  readonly closed: string | null;
  readonly exchange: number;
};

/** `delivered`: a change that was written afterwards arrived. */
export type Sibling = { readonly who: string; readonly closed: string | null; readonly delivered: boolean };

export type Limits = {
  readonly long: readonly Long[];
  readonly flood: Flood | null;
  readonly siblings: readonly Sibling[];
  /** A subscription that was opened afterwards received the change. */
  readonly control: boolean;
  readonly direct: boolean;
};

export async function observeLimits(target: Target, context: Context): Promise<Limits> {
  const [op, user, other] = await Promise.all([
    target.account("dba"),
    target.account("user", "sender"),
    target.account("user", "other"),
  ]);
  const table = await sharedTable(target, context, op, `${context.scratch}.quiet`, {
    columns: "id BIGINT PRIMARY KEY, mark TEXT",
    readers: ["user"],
  });
  const sql = `SELECT * FROM ${table}`;
  const listen = async (as: Account): Promise<Following> =>
    context.need(await follow(target, as, sql, null), "a subscription could not be opened");
  const open = async (): Promise<Live> => context.need(await connect(target, user), "a connection could not be opened");
  const [sibling, bystander, flooded] = [await listen(user), await listen(other), await listen(user)];

  const limitBytes = settingOf(target, "security.max_ws_message_size", bytesUsual);
  const long: Long[] = [];
  for (const bytes of limitBytes > bytesMax ? [] : [limitBytes + 1, 2 * limitBytes])
    long.push(await sendLong(await open(), sql, bytes, limitBytes));

  const perSecond = settingOf(target, "rate_limit.max_messages_per_sec", perSecondUsual);
  const flood = perSecond > perSecondMax ? null : await sendMany(flooded.live, perSecond);

  const listeners = [
    { who: "another connection of the same user", following: sibling },
    { who: "another user's connection", following: bystander },
    { who: "the connection itself", following: flooded },
  ];
  const fresh = await listen(other);
  const delivered = new Set<Following>();
  for (let id = 1; id <= 2 && delivered.size <= listeners.length; id += 1) {
    await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${id}, 'mark ${id}')`);
    await Promise.all(
      [...listeners.map(({ following }) => following), fresh].map(async (following) => {
        const came = await following.subscription.untilChange(
          (change) => textIn(change, "mark") === `mark ${id}`,
          withinMs,
        );
        if (came !== undefined) delivered.add(following);
      }),
    );
  }
  const siblings = listeners.map(({ who, following }) => ({
    who,
    closed: closedText(following.live),
    delivered: delivered.has(following),
  }));
  for (const { live } of [sibling, bystander, flooded, fresh]) live.close();
  const control = delivered.has(fresh);
  return { long, flood, siblings, control, direct: target.control !== undefined };
}

function settingOf(target: Target, name: string, usual: number): number {
  const value = Number(target.capabilities.settings[name]);
  return Number.isInteger(value) && value > 0 ? value : usual;
}

/** A subscription with a padding of this many bytes in all: if it is accepted, it is acknowledged. */
async function sendLong(live: Live, sql: string, bytes: number, limit: number): Promise<Long> {
  const message = (padding: string): string =>
    JSON.stringify({ type: "subscribe", subscription: { id: "long", sql }, padding });
  const from = live.frames.length;
  const exchange = live.send(message("x".repeat(bytes - message("").length)));
  const frame = await live.untilFrame(({ type }) => type === "subscription_ack" || type === "error", withinMs, from);
  const closed = frame === undefined ? live.closed() : undefined;
  const code = frame !== undefined && isRecord(frame.json) ? cellText(frame.json["code"]) : "";
  live.close();
  const answer =
    closed !== undefined
      ? ({ kind: "closed", text: `${closed.code} ${closed.reason}`.trim() } as const)
      : frame === undefined
        ? null
        : frame.type === "error"
          ? ({ kind: "error", text: code } as const)
          : ({ kind: "accepted", text: "subscription_ack" } as const);
  return { bytes, limit, answer, exchange };
}

async function sendMany(live: Live, perSecond: number): Promise<Flood> {
  const messages = 4 * perSecond;
  const from = live.frames.length;
  const sentAt = performance.now();
  let exchange = 0;
  for (let n = 0; n < messages; n += 1) exchange = live.send({ type: "unsubscribe", subscription_id: `none ${n}` });
  // A page of a subscription that does not exist is always answered, unless the rate is exceeded.
  live.send({ type: "next_batch", subscription_id: "no such" });
  const isRate = (json: unknown): boolean => JSON.stringify(json ?? null).includes("RATE_LIMIT");
  const last = await live.untilFrame(({ about, json }) => about === "no such" || isRate(json), withinMs, from);
  // The others that are refused follow at once.
  await live.untilClosed(500);
  const refused = live.frames.slice(from).filter(({ json }) => isRate(json)).length;
  const tookMs = last === undefined ? null : Math.round(last.at - sentAt);
  return { messages, perSecond, refused, tookMs, closed: closedText(live), exchange };
}

function closedText(live: Live): string | null {
  const closed = live.closed();
  return closed === undefined ? null : `${closed.code} ${closed.reason}`.trim();
}
