import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { missingChanges } from "../../../src/history/changes.ts";
import { acknowledged, historyOf, stream, whyUnknown } from "../stream/index.ts";
import { writeText } from "../stream/marked-rows.ts";

export const everyChangeArrives = defineCheckOf(stream, {
  id: "subscriptions/every-change-arrives",
  title: "Every acknowledged change reaches the subscriber",
  failureTitle: "Acknowledged changes do not reach the subscriber",
  description:
    "Six clients insert, update and delete about a thousand rows while one subscriber listens. Every acknowledged change must have its event no later than two seconds after that of the fence, a last row that is written when all others are acknowledged. A missing change is looked up in the table: it was lost either in delivery or in the data.",
  blindTo: "One table, one subscriber, a moderate pace. Bursts, slow readers and cuts have checks of their own.",
  risk: "Screens and caches fed by this server show stale data, and no error is reported.",
  remedy: "Until this passes, read the table again from time to time; do not rely on live queries alone.",
  covers: [],
  level: "block",
  findings: {
    lostOnTheWay: {
      say: (d: { lost: number; of: number; first: string }) =>
        `${d.lost} of ${d.of} acknowledged changes are in the table and were never delivered, the first: ${d.first}`,
    },
    lostInData: {
      say: (d: { lost: number; of: number; first: string }) =>
        `${d.lost} of ${d.of} acknowledged changes are neither delivered nor in the table, the first: ${d.first}`,
      risk: "Acknowledged writes are lost: the data is gone, for readers of the table as well.",
      remedy: "Do not store data here that you cannot afford to lose; report the write to KalamDB.",
    },
  },
  judge(seen, { found }) {
    const why = whyUnknown(seen);
    if (why !== undefined) return unknown(why);
    const of = acknowledged(seen);
    const missing = missingChanges(historyOf(seen));
    for (const [where, report] of [
      ["delivery", found.lostOnTheWay],
      ["data", found.lostInData],
    ] as const) {
      const lost = missing.filter((one) => one.lost === where);
      if (lost[0] === undefined) continue;
      report({ lost: lost.length, of, first: writeText(lost[0].write) }, { sent: seen });
    }
    return pass(`${of} acknowledged changes, all delivered; the fence arrived after ${seen.fenceMs} ms`);
  },
});
