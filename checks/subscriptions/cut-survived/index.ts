import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Following } from "../../vocabulary/following.ts";
import { heartbeatsOf } from "../../vocabulary/heartbeats.ts";
import { liveQueriesOf } from "../../vocabulary/live-view.ts";
import {
  differencesOf,
  leaveAndResume,
  makeUserTable,
  whyUnknown,
  type Resumed,
} from "../../vocabulary/resuming/index.ts";
import { isLate, paceText, waitPatiently, whySlow, type Pace } from "../../vocabulary/pace.ts";

/** The ways in which connections really end; the half-open one is the last, because it is waited for. */
const cuts: readonly { readonly name: string; readonly cut: (following: Following) => Promise<void> }[] = [
  {
    name: "reset",
    cut: async ({ live }) => {
      live.reset();
      await live.untilClosed(2_000);
    },
  },
  {
    name: "cut in the middle of a frame",
    cut: async ({ live }) => {
      live.cutMidFrame();
      await live.untilClosed(2_000);
    },
  },
  // The client's machine vanishes: nothing notifies the server.
  { name: "half open", cut: async ({ live }) => live.freeze() },
];

type Cut = { readonly name: string; readonly resumed: Resumed };
type Seen = {
  readonly cuts: readonly Cut[];
  /** Subscriptions of the client that the live view still lists; null where it could not be read. */
  readonly listed: number | null;
  /** How long the half-open one had been dead by then, and its control. */
  readonly pace: Pace;
  readonly why: string | null;
};

export const cutSurvived = defineCheck({
  id: "subscriptions/cut-survived",
  title: "A dropped connection loses no changes",
  failureTitle: "Dropped connections lose changes or are never cleaned up",
  description:
    "Ends connections as networks do: by a reset, in the middle of a frame, and half open, where the client is gone without a word. After each it resumes from the last row version, as in subscriptions/resume-complete (which judges deletions while away). The half-open one must be gone from the live view within the server's client timeout and two heartbeats.",
  blindTo: "It cuts single connections; a server that restarts is for the durability category.",
  risk: "Every interruption of a mobile network loses changes.",
  remedy: "Start over instead of resuming after a cut: subscribe without `from`.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  waits: true,
  level: "block",
  estimateMs: 16_000,
  estimateRequests: 90,
  timeoutMs: 120_000,
  from: { effort: "standard", needs: "a silence longer than the server's client time-out" },
  findings: {
    lostOnResume: {
      say: (d: { cut: string; keys: string }) =>
        `after a connection was ${d.cut}, rows were missing or stale, such as ${d.keys}`,
    },
    lingering: {
      say: (d: { listed: number; pace: Pace }) =>
        `${d.listed} subscriptions of a vanished client are still listed after ${Math.round(d.pace.waitedMs / 1000)} s, ${paceText(d.pace)}`,
      risk: "Subscriptions of vanished clients pile up and use up the server's connections and memory.",
      remedy: "Lower the server's client timeout, and restart it when dead subscriptions pile up.",
      timed: true,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const made = await makeUserTable(target, context, "cut");
    const seen: Cut[] = [];
    let cutAt = 0;
    for (const [n, { name, cut }] of cuts.entries()) {
      const resumed = await leaveAndResume(made, n, async (following) => {
        await cut(following);
        cutAt = performance.now();
      });
      if ("why" in resumed)
        return { cuts: seen, listed: null, pace: { waitedMs: 0, controlMs: null }, why: `${name}: ${resumed.why}` };
      seen.push({ name, resumed });
    }
    // The others were closed, so what is listed of this account is the one that was left half open.
    const count = async (): Promise<number | null> => (await liveQueriesOf(target, op, made.user))?.length ?? null;
    const { noticedMs, timeoutMs } = heartbeatsOf(target);
    const done = (left: number | null): boolean => left === 0 || left === null;
    const { value: listed, pace } = await waitPatiently(target, op, {
      floorMs: Math.max(1, cutAt + noticedMs - performance.now()),
      // Until then it is the server's heartbeat that is waited for.
      controlAfterMs: timeoutMs,
      wait: async (withinMs) => await context.poll(count, done, { withinMs, everyMs: 500 }),
      done,
    });
    return { cuts: seen, listed, pace: { ...pace, waitedMs: Math.round(performance.now() - cutAt) }, why: null };
  },
  judge({ cuts: seen, listed, pace, why }, { found }) {
    for (const { name, resumed } of seen) {
      const { lost } = differencesOf([resumed]);
      if (lost !== undefined) found.lostOnResume({ cut: name, keys: lost.keys }, { case: name, sent: resumed });
    }
    if (listed !== null && listed > 0 && isLate(pace)) found.lingering({ listed, pace });

    if (why !== null) return unknown(why);
    if (seen.length < cuts.length) return unknown(`only ${seen.length} of ${cuts.length} cuts were made`);
    const tooLittle = whyUnknown(seen.map(({ resumed }) => resumed));
    if (tooLittle !== undefined) return unknown(tooLittle);
    if (listed === null) return unknown("the live view could not be read");
    if (listed > 0) return unknown(`the half-open one was still listed; ${whySlow(pace)}`);
    return pass(
      `${seen.length} cuts, each caught up by resuming; the half-open one was gone after ${Math.round(pace.waitedMs / 1000)} s`,
    );
  },
});
