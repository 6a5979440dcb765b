/** A subscriber at work: connected, subscribed, its snapshot read. What all checks of live queries begin with. */
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

/** It could not be begun; the sentence says why. */
export type NotFollowing = { readonly why: string };

export async function connect(target: Target, as: Account, options: LiveOptions = {}): Promise<Live | NotFollowing> {
  const live = await target.live(as, options);
  if ("why" in live) return { why: `no live connection for ${as.role}: ${live.why}` };
  if (live.login.kind === "in" || live.login.kind === "none") return live;
  return { why: `the login on the live connection was ${live.login.kind}: ${live.login.why}` };
}

export async function subscribe(
  live: Live,
  sql: string,
  options: SubscribeOptions | null = {},
): Promise<Following | NotFollowing> {
  const subscription = await live.subscribe(sql, options);
  const begun = await subscription.begin();
  if (begun.kind === "refused") return { why: `${sql} was refused: ${begun.code} ${begun.message}` };
  if (begun.kind === "unsure") return { why: `${sql} did not begin: ${begun.why}` };
  return { live, subscription, rows: begun.rows, pages: begun.pages.length };
}

export async function follow(
  target: Target,
  as: Account,
  sql: string,
  options: SubscribeOptions | null = {},
  connection: LiveOptions = {},
): Promise<Following | NotFollowing> {
  const live = await connect(target, as, connection);
  return "why" in live ? live : await subscribe(live, sql, options);
}

/** The text of a column in the row that a change is about. */
export function textIn(change: Change, column: string): string {
  return cellText((change.row ?? change.old)?.[column]);
}

/** The texts of a column over all changes so far, in order. */
export function textsIn({ changes }: Subscription, column: string): string[] {
  return changes.map((change) => textIn(change, column));
}

/** Waits for the event of a row that was written last of all; false where it did not come in time. */
export async function fenceArrives(
  subscription: Subscription,
  column: string,
  text: string,
  withinMs = 5_000,
): Promise<boolean> {
  return (await subscription.untilChange((change) => textIn(change, column) === text, withinMs)) !== undefined;
}

/** What the server said about a subscription besides changes, and how its connection ended. */
export function noticesOf({ notices }: Subscription, live: Live): string[] {
  const closed = live.closed();
  return [
    ...notices.map(({ code, message }) => `${code} ${message}`),
    ...(closed === undefined ? [] : [`closed ${closed.code} ${closed.reason}`.trim()]),
  ];
}
