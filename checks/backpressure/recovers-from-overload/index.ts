import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { truncated } from "../../../src/server/target.ts";
import type { Delays } from "../../vocabulary/open-loop.ts";
import { makeWorkload, phase, throughput, type Phase, type Workload } from "./load.ts";

/** Broken connections that are laid to the overload: at least so many, and this part of the requests. */
const brokenMin = 10;
const brokenShareMin = 0.05;
const clientCounts = [1, 2, 4, 8, 16];
/** With twice the clients, a throughput that rises by less than this has reached the knee. */
const gainMin = 1.1;
/** No more than this is ever sent, whatever the server could take. */
const perSecondMax = 400;
/** Of the time of clients that wait for their turn. */
const heldShareMax = 0.1;
const heldMsMax = 100;
/** With fewer requests under way, the server was not overloaded. */
const inFlightMin = 24;
const samplesMin = 10;
/** With a slower server, 48 requests in flight could wait longer than any request may. */
const kneeMin = 10;
/** Delays this short need no factor. */
const floorMs = 250;
const recoveryMs = 5_000;

type Seen = {
  /** Right answers per second at most; null if our own pacing was reached before. */
  readonly knee: number | null;
  readonly before: Phase;
  readonly overload: Phase;
  /** One after the other, until the delays are as before or the time is up. */
  readonly after: readonly Phase[];
};

export const recoversFromOverload = defineCheck({
  id: "backpressure/recovers-from-overload",
  title: "The server recovers from an overload within seconds",
  failureTitle: "An overload breaks the server, or it stays slow afterwards",
  description:
    "Finds how many of a costly query the server answers in a second (the knee), then sends twice as many for five seconds (two at light effort) on at most 48 connections, then a quarter of the knee again. Under overload every answer must be right, or a 429 or 503. Within five seconds 99 of 100 answers must take at most twice as long as before the overload, or less than 250 ms. Requests are sent when they are due, whether or not others were answered.",
  blindTo:
    "Overload by writes, by connections and by live queries, and more than 48 requests at once. Servers whose limits stop us before they are overloaded.",
  risk: "After a peak of traffic the server stays slow or answers incorrectly until it is restarted.",
  remedy: "Find out what queues up in the server during overload (connections, threads, memory), and limit it.",
  covers: [],
  touches: "load",
  needs: ["dba"],
  alone: true,
  level: "block",
  estimateMs: 16_000,
  estimateRequests: 1_500,
  timeoutMs: 120_000,
  limits: { slowerMax: 2 },
  findings: {
    collapsed: {
      say: (d: { wrong: number; of: number; when: string; example: string }) =>
        `${d.wrong} of ${d.of} requests ${d.when} were answered incorrectly or with another error than 429 or 503: ${d.example}`,
    },
    stoppedAnswering: {
      say: (d: { unanswered: number; of: number }) =>
        `${d.unanswered} of ${d.of} requests had no answer within their time limit`,
      timed: true,
    },
    staysSlow: {
      say: (d: { beforeMs: number; afterMs: number; seconds: number }) =>
        `99 of 100 answers took up to ${d.beforeMs} ms before the overload, and still up to ${d.afterMs} ms ${d.seconds} s after it`,
      timed: true,
    },
  },
  async observe(target, context): Promise<Seen> {
    const workload = await makeWorkload(target, context);
    const wait = async (ms: number): Promise<void> => {
      const until = performance.now() + ms;
      const now = async (): Promise<number> => await Promise.resolve(performance.now());
      // Timers fire up to a millisecond early.
      await context.poll(now, (at) => at >= until - 1, { withinMs: 2 * ms, everyMs: ms });
    };
    const knee = await kneeOf(workload, context.size({ light: 400, standard: 800, deep: 2_000 }));
    const perSecond = Math.min(knee ?? Infinity, perSecondMax / 2);
    const calm = { perSecond: Math.max(samplesMin / 2, perSecond / 4), forMs: 2_500 };
    const before = await phase(workload, calm, wait);
    if (knee === null) return { knee, before, overload: before, after: [] };
    const forMs = context.size({ light: 2_000, standard: 5_000, deep: 10_000 });
    const overload = await phase(workload, { perSecond: 2 * perSecond, forMs }, wait);
    const endedAt = performance.now();
    const after: Phase[] = [];
    for (let isOver = false; !isOver;) {
      const last = await phase(workload, calm, wait);
      after.push(last);
      const isAsBefore = before.delays !== null && last.delays !== null && !isSlow(before.delays, last.delays, 2);
      isOver = isAsBefore || performance.now() - endedAt >= recoveryMs;
    }
    return { knee: Math.round(knee * 10) / 10, before, overload, after };
  },
  judge({ knee, before, overload, after }, { found, limits }) {
    if (knee === null) return unknown("our own pacing is below what the server can answer, so nothing overloaded it");
    const phases = [["under overload", overload] as const, ...after.map((one) => ["after it", one] as const)];
    for (const [when, { wrong: errors, broken, offered, sample }] of phases) {
      const wrong = errors + (isByOverload(broken, offered, before) ? broken : 0);
      if (wrong === 0) continue;
      const [first] = sample;
      const example = `${first?.status ?? first?.why ?? ""} ${truncated(first?.message ?? "", 160)}`.trim();
      found.collapsed({ wrong, of: offered, when, example }, { case: when, sent: sample });
    }
    if (before.delays === null || before.right < samplesMin || before.right < before.offered)
      return unknown(`only ${before.right} of ${before.offered} requests were answered before the overload`);
    if (knee < kneeMin)
      return unknown(`the server answers only ${knee} of these queries per second; at least ${kneeMin} are needed`);
    if (overload.inFlight < inFlightMin)
      return unknown(
        `at most ${overload.inFlight} requests were under way at once; at least ${inFlightMin} are needed`,
      );
    const last = after.at(-1);
    const all = [overload, ...after];
    const unanswered = all.reduce((sum, one) => sum + one.unanswered, 0);
    if (unanswered > 0) found.stoppedAnswering({ unanswered, of: all.reduce((sum, one) => sum + one.offered, 0) });
    if (last === undefined || last.delays === null || last.right < samplesMin)
      return unknown(`only ${last?.right ?? 0} requests were answered after the overload`);
    const [beforeMs, afterMs] = [before.delays.p99, last.delays.p99];
    if (isSlow(before.delays, last.delays, limits.slowerMax)) {
      // Our own lateness is part of a delay, and can only make it longer: more than half of it, and nothing is shown.
      if (last.ownLateMs > afterMs / 2)
        return unknown(`this machine was too busy to judge (requests were sent up to ${last.ownLateMs} ms late)`);
      if (last.heldMs > heldMsMax) return unknown(`our own pacing held requests back by up to ${last.heldMs} ms`);
      found.staysSlow({ beforeMs, afterMs, seconds: recoveryMs / 1_000 });
    }
    const refused =
      (overload.refused === 0 ? "" : `, ${overload.refused} refused`) +
      (overload.broken === 0 ? "" : `, ${overload.broken} on connections that broke`);
    return pass(
      `${overload.offered} requests at ${overload.perSecond} per second (knee ${knee}), up to ${overload.inFlight} in flight: ${overload.right} answered${refused}; p99 ${beforeMs} ms before, ${afterMs} ms after`,
    );
  },
});

/** A few connections that break show nothing of the server, nor do any where some broke before the overload as well. */
function isByOverload(broken: number, offered: number, before: Phase): boolean {
  return before.broken === 0 && broken >= brokenMin && broken >= brokenShareMin * offered;
}

/** With a statement that costs enough. Null if our own pacing was reached first. */
async function kneeOf(workload: Workload, forMs: number): Promise<number | null> {
  for (;;) {
    const knee = await kneeOfThis(workload, forMs);
    if (knee !== null || !(await workload.costlier())) return knee;
  }
}

async function kneeOfThis(workload: Workload, forMs: number): Promise<number | null> {
  let most = 0;
  for (const clients of clientCounts) {
    const { perSecond, heldShare } = await throughput(workload, clients, forMs);
    if (heldShare > heldShareMax || perSecond > perSecondMax / 2) return null;
    if (perSecond < most * gainMin) return Math.max(most, perSecond);
    most = perSecond;
  }
  return most;
}

/**
 * Of a few dozen requests one in a hundred is the slowest one, which may have met a pause of this machine. So 95 of 100 must be
 * slower by the factor, too.
 */
function isSlow(was: Delays, is: Delays, factor: number): boolean {
  return is.p99 > Math.max(floorMs, factor * was.p99) && is.p95 > factor * was.p95;
}
