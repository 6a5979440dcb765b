import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { delaysOf, percentile } from "../../../src/history/changes.ts";
import { historyOf, stream, whyUnknown } from "../stream/index.ts";

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
      say: (d: { p50Ms: number; p99Ms: number; feedMs: number; limitMs: number; samples: number }) =>
        `p99 ${d.p99Ms} ms, p50 ${d.p50Ms} ms over ${d.samples} changes, p99 ${d.feedMs} ms after the acknowledgement; the limit is ${d.limitMs} ms`,
      timed: true,
    },
  },
  judge(seen, { found, limits }) {
    const why = whyUnknown(seen);
    if (why !== undefined) return unknown(why);
    const { delays, afterAck, missing, expected } = delaysOf(historyOf(seen));
    const delivered = `${expected - missing} of ${expected} acknowledged changes were delivered`;
    const samples = delays.length;
    if (samples < samplesMin) return unknown(`${delivered}; at least ${samplesMin} are needed`);
    const [p50Ms, p99Ms] = [Math.round(percentile(delays, 0.5)), Math.round(percentile(delays, 0.99))];
    const limitMs = limits.changeMsP99Max;
    if (p99Ms > limitMs) {
      // The control of the same moment: writes that were themselves acknowledged late leave the feed's share open.
      const feedMs = Math.round(percentile(afterAck, 0.99));
      if (feedMs <= limitMs)
        return unknown(
          `the writes were acknowledged late (p99 of the changes ${p99Ms} ms after the write was due, ${feedMs} ms after its acknowledgement)`,
        );
      found.late({ p50Ms, p99Ms, feedMs, limitMs, samples }, { sent: seen });
    }
    // A percentile over all changes needs most of them: what never came is later than any limit, and is lost rather than late.
    const all = [...delays, ...Array.from({ length: missing }, () => Infinity)];
    if (percentile(all, 0.99) > limitMs) return unknown(`only ${delivered}, so the 99th percentile is not known`);
    return pass(`p50 ${p50Ms} ms, p99 ${p99Ms} ms over ${samples} changes; ${delivered}`);
  },
});
