import { defineCheckOf, fail, pass, unknown } from "../../../src/check.ts";
import { missingChanges } from "../../../src/history/changes.ts";
import { acknowledged, historyOf, stream, untold } from "../stream/index.ts";

export const everyChangeArrives = defineCheckOf(stream, {
  id: "subscriptions/every-change-arrives",
  title: "Every acknowledged change reaches the subscriber",
  failureTitle: "Acknowledged changes do not reach the subscriber",
  description:
    "Six writers insert, update and delete about a thousand rows while one subscriber listens. Every acknowledged change must have its event no later than two seconds after that of the fence, a last row that is written when all others are acknowledged. A change that is missing is looked up in the table: lost on the way, or in the data.",
  blindTo: "One table, one subscriber, a moderate pace: bursts, slow readers and cuts have checks of their own.",
  risk: "Screens and caches that follow this server show what is no longer so, and nobody is told.",
  remedy: "Until this passes, read the table again from time to time; do not rely on live queries alone.",
  covers: [],
  level: "block",
  findings: {
    lostOnTheWay: {
      say: (d: { lost: number; of: number; first: string }) =>
        `${d.lost} of ${d.of} acknowledged changes are in the table and were never told, the first: ${d.first}`,
    },
    lostInData: {
      say: (d: { lost: number; of: number; first: string }) =>
        `${d.lost} of ${d.of} acknowledged changes are neither told nor in the table, the first: ${d.first}`,
    },
  },
  judge(seen) {
    const why = untold(seen);
    if (why !== undefined) return unknown(why);
    const of = acknowledged(seen);
    const missing = missingChanges(historyOf(seen));
    const found = (["way", "data"] as const).flatMap((where) => {
      const lost = missing.filter((one) => one.lost === where);
      const [first] = lost;
      if (first === undefined) return [];
      const data = {
        lost: lost.length,
        of,
        first: `${first.write.kind} of key ${first.write.key} (${first.write.mark})`,
      };
      return [
        { name: where === "way" ? ("lostOnTheWay" as const) : ("lostInData" as const), data, sent: [seen.exchange] },
      ];
    });
    if (found.length > 0) return fail(...found);
    return pass(`${of} acknowledged changes, each with its event; the fence arrived after ${seen.fenceMs} ms`);
  },
});
