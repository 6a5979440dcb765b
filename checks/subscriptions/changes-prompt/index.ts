import { defineCheckOf, fail, pass, unknown } from "../../../src/check.ts";
import { delaysOf, percentile } from "../../../src/history/changes.ts";
import { historyOf, stream, untold } from "../stream/index.ts";

/** Fewer samples have no 99th percentile worth the name. */
const samplesMin = 300;
/** Later than this our own timers must not have been: what we measure would be ourselves. */
const lagShareMax = 0.5;

export const changesPrompt = defineCheckOf(stream, {
  id: "subscriptions/changes-prompt",
  title: "Changes are told promptly",
  failureTitle: "Changes are told late",
  description:
    "Judges the stream of subscriptions/every-change-arrives: from the moment each write was sent until its event came. The 99th percentile must stay below the limit.",
  blindTo: "One subscriber and a moderate pace; it says nothing about delays under load.",
  risk: "People act on what was true a while ago.",
  remedy: "Look for what delays the feed: a slow disk, a proxy that buffers, a machine without spare processors.",
  covers: [],
  level: "block",
  limits: { changeMsP99Max: 1_000 },
  findings: {
    late: {
      say: (d: { p50Ms: number; p99Ms: number; limitMs: number; samples: number }) =>
        `p99 ${d.p99Ms} ms, p50 ${d.p50Ms} ms of ${d.samples} changes; the limit is ${d.limitMs} ms`,
    },
  },
  judge(seen, { limits }) {
    const why = untold(seen);
    if (why !== undefined) return unknown(why);
    const delays = delaysOf(historyOf(seen));
    if (delays.length < samplesMin) return unknown(`only ${delays.length} of ${samplesMin} samples`);
    const [p50Ms, p99Ms] = [Math.round(percentile(delays, 0.5)), Math.round(percentile(delays, 0.99))];
    const limitMs = limits.changeMsP99Max;
    if (p99Ms > limitMs) {
      if (seen.lagMs > limitMs * lagShareMax)
        return unknown(`the checker was slow: its own timers were ${seen.lagMs} ms late`);
      return fail({ name: "late", data: { p50Ms, p99Ms, limitMs, samples: delays.length }, sent: [seen.exchange] });
    }
    return pass(`p50 ${p50Ms} ms, p99 ${p99Ms} ms of ${delays.length} changes`);
  },
});
