/** Connecting and logging in, and how it failed. */
import type { Context } from "../../../src/check.ts";
import type { Account, Live, NoLive, Target } from "../../../src/server/target.ts";

export const triesMax = 3;
const tryEveryMs = 300;

export type Entering = {
  /** `ours`: it shows nothing about the server, such as a rate limit or a token of ours that has ended. */
  readonly kind: "refused" | "unanswered" | "ours";
  readonly why: string;
};

/** Connects and logs in as the account, at once or in one of several attempts. */
export async function enter(
  target: Target,
  context: Context,
  as: Account,
): Promise<{ readonly live: Live | undefined; readonly failed: readonly Entering[] }> {
  const failed: Entering[] = [];
  const attempt = async (): Promise<Live | undefined> => {
    const live = await target.live(as, { insist: true });
    const failure = failureOf(live);
    if (failure === undefined) return live as Live;
    failed.push(failure);
    if (!("why" in live)) live.reset();
    return undefined;
  };
  const live = await context.poll(attempt, (one) => one !== undefined || failed.length >= triesMax, {
    withinMs: 60_000,
    everyMs: tryEveryMs,
  });
  return { live, failed };
}

/** Undefined where it is logged in. */
function failureOf(live: Live | NoLive): Entering | undefined {
  if ("why" in live) {
    if (live.late === true) return { kind: "unanswered", why: live.why };
    return { kind: live.ours === true || live.status === 429 ? "ours" : "refused", why: live.why };
  }
  const { login } = live;
  if (login.kind === "in" || login.kind === "none") return undefined;
  // The token of the run is renewed before it ends; one that ended all the same is no fault of the server.
  if (login.kind === "denied")
    return { kind: /expired/i.test(login.why) ? "ours" : "refused", why: `the login was denied: ${login.why}` };
  return { kind: live.closed() === undefined ? "unanswered" : "refused", why: login.why };
}
