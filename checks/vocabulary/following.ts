/**
 * A live query at work: connected, subscribed, its snapshot read. `follow` does all of it, `connect` and `subscribe` one step
 * each; what they return goes through `context.need`. Where a refusal is itself judged, use `tryToSubscribe` (opening.ts).
 */
import type {
  Account,
  Change,
  Live,
  LiveOptions,
  Row,
  SubscribeOptions,
  Subscription,
  Target,
} from "../../src/server/target.ts";
import { cellText } from "../../src/server/target.ts";

export interface Following {
  readonly live: Live;
  readonly subscription: Subscription;
  readonly rows: readonly Row[];
  readonly pages: number;
}

/** Why there is no connection or no subscription; `context.need` ends the observation with it. */
export type NotFollowing = { readonly why: string; readonly whole?: boolean };

/** Connects and logs in. */
export async function connect(target: Target, as: Account, options: LiveOptions = {}): Promise<Live | NotFollowing> {
  const live = await target.live(as, options);
  if ("why" in live && live.everywhere === true) return { why: live.why, whole: true };
  if ("why" in live) return { why: `no live connection as ${as.role}: ${live.why}` };
  const { login } = live;
  if (login.kind === "in" || login.kind === "none") return live;
  const outcome = login.kind === "denied" ? "was denied" : "got no answer";
  return { why: `the login as ${as.role} on the live connection ${outcome}: ${login.why}` };
}

/** Subscribes on an open connection and reads the snapshot. */
export async function subscribe(
  live: Live,
  sql: string,
  options: SubscribeOptions | null = {},
  id?: string,
): Promise<Following | NotFollowing> {
  const subscription = await live.subscribe(sql, options, id);
  const begun = await subscription.begin();
  if (begun.kind === "refused") return { why: `${sql} was refused: ${begun.code} ${begun.message}` };
  if (begun.kind === "unsure") return { why: `${sql} did not begin: ${begun.why}` };
  return { live, subscription, rows: begun.rows, pages: begun.pages.length };
}

/** Connects, subscribes and reads the snapshot. */
export async function follow(
  target: Target,
  as: Account,
  sql: string,
  options: SubscribeOptions | null = {},
  connection: LiveOptions = {},
  id?: string,
): Promise<Following | NotFollowing> {
  const live = await connect(target, as, connection);
  return "why" in live ? live : await subscribe(live, sql, options, id);
}

/** The text of a column in the row that a change is about. */
export function textIn(change: Change, column: string): string {
  return cellText((change.row ?? change.old)?.[column]);
}

/** The texts of a column over all changes so far, in order. */
export function textsIn({ changes }: Subscription, column: string): string[] {
  return changes.map((change) => textIn(change, column));
}

/** Waits for the event of the row that was written last; false where it does not arrive in time. */
export async function fenceArrives(
  subscription: Subscription,
  column: string,
  text: string,
  withinMs = 5_000,
): Promise<boolean> {
  return (await subscription.untilChange((change) => textIn(change, column) === text, withinMs)) !== undefined;
}

/** Errors sent about a subscription, and how and at what age its connection ended: a proxy in front may have a limit. */
export function noticesOf({ notices }: Subscription, live: Live): string[] {
  const closed = live.closed();
  return [
    ...notices.map(({ code, message }) => `${code} ${message}`),
    ...(closed === undefined
      ? []
      : [
          `closed ${closed.code} ${closed.reason}`.trim() +
            ` at an age of ${Math.round((closed.at - live.openedAt) / 1000)} s`,
        ]),
  ];
}
