import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { delaysOf, percentile, type Delays } from "../../../src/history/changes.ts";
import { historyOf, stream, whyUnknown, type Phase, type Streamed } from "../stream/index.ts";
import { isLate, paceText, whySlow, type Pace } from "../../vocabulary/pace.ts";

/** Fewer samples have no meaningful 99th percentile. */
const samplesMin = 300;

export const changesPrompt = defineCheckOf(stream, {
  id: "subscriptions/changes-prompt",
  title: "Changes are delivered promptly",
  failureTitle: "Changes are delivered late",
  description:
    "Judges the stream of subscriptions/every-change-arrives: the time from when each write was due to be sent until its event arrived, so that a server that holds writers up is late as well. The 99th percentile must stay below the limit. Changes that were never delivered have no delay: where there are too many of them for a percentile, the result is unknown.",
  blindTo:
    "One subscriber and a moderate pace; it says nothing about delays under load. Lost changes are for subscriptions/every-change-arrives.",
  risk: "People act on data that is out of date.",
  remedy: "Look for what delays the feed: a slow disk, a proxy that buffers, a machine without spare CPU.",
  covers: [],
  level: "block",
  limits: { changeMsP99Max: 1_000 },
  findings: {
    late: {
      say: (d: { p50Ms: number; pace: Pace; feedMs: number; limitMs: number; samples: number }) =>
        `p99 ${d.pace.waitedMs} ms, ${paceText(d.pace)}, p50 ${d.p50Ms} ms over ${d.samples} changes, p99 ${d.feedMs} ms after the acknowledgement; the limit is ${d.limitMs} ms`,
      timed: true,
    },
  },
  judge(seen, { found, limits }) {
    const why = whyUnknown(seen);
    if (why !== undefined) return unknown(why);
    // Where the server was slow altogether the writes were made again: the best of these is judged.
    const [best] = phasesOf(seen).toSorted((one, other) => p99Of(one.delays) - p99Of(other.delays));
    if (best === undefined) return unknown("nothing was written");
    const { delays, afterAck, missing, expected, controlMs } = best;
    const delivered = `${expected - missing} of ${expected} acknowledged changes were delivered`;
    const samples = delays.length;
    if (samples < samplesMin) return unknown(`${delivered}; at least ${samplesMin} are needed`);
    const [p50Ms, p99Ms] = [Math.round(percentile(delays, 0.5)), Math.round(p99Of(delays))];
    const limitMs = limits.changeMsP99Max;
    if (p99Ms > limitMs) {
      // The control of the same moment: writes that were themselves acknowledged late leave the feed's share open.
      const feedMs = Math.round(percentile(afterAck, 0.99));
      if (feedMs <= limitMs)
        return unknown(
          `the writes were acknowledged late (p99 of the changes ${p99Ms} ms after the write was due, ${feedMs} ms after its acknowledgement)`,
        );
      const pace = { waitedMs: p99Ms, controlMs };
      if (!isLate(pace)) return unknown(`p99 of the changes: ${whySlow(pace)}`);
      found.late({ p50Ms, pace, feedMs, limitMs, samples }, { sent: seen });
    }
    // A percentile over all changes needs most of them: what never came is later than any limit, and is lost rather than late.
    const all = [...delays, ...Array.from({ length: missing }, () => Infinity)];
    if (p99Of(all) > limitMs) return unknown(`only ${delivered}, so the 99th percentile is not known`);
    return pass(`p50 ${p50Ms} ms, p99 ${p99Ms} ms over ${samples} changes; ${delivered}`);
  },
});

/** The delays of each phase of the writes, with its control. */
function phasesOf(seen: Streamed): (Delays & Phase)[] {
  const history = historyOf(seen);
  return seen.phases.map((phase, at) => {
    const until = seen.phases[at + 1]?.from ?? Infinity;
    const writes = history.writes.filter(({ dueAt }) => dueAt >= phase.from && dueAt < until);
    return { ...phase, ...delaysOf({ ...history, writes }) };
  });
}

function p99Of(delays: readonly number[]): number {
  return delays.length === 0 ? Infinity : percentile(delays, 0.99);
}
