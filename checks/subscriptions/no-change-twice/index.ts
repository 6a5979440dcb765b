import { defineCheckOf, fail, pass, unknown } from "../../../src/check.ts";
import { doubledChanges } from "../../../src/history/changes.ts";
import { historyOf, stream, untold } from "../stream/index.ts";

export const noChangeTwice = defineCheckOf(stream, {
  id: "subscriptions/no-change-twice",
  title: "No change is told twice",
  failureTitle: "Changes are told more than once",
  description:
    "Judges the stream of subscriptions/every-change-arrives: each event leads back to one write by its unique value, and no event may come a second time.",
  blindTo: "It looks at one connection that is never cut; resume-complete looks at what is told again after one.",
  risk: "Whoever counts, adds up or notifies by events does so twice.",
  remedy: "Make what follows from an event repeatable: remember the row version that was handled last.",
  covers: [],
  level: "block",
  findings: {
    doubled: {
      say: (d: { doubled: number; of: number; first: string }) =>
        `${d.doubled} of ${d.of} changes were told more than once, the first: ${d.first}`,
    },
  },
  judge(seen) {
    const doubled = doubledChanges(historyOf(seen));
    const [first] = doubled;
    // An event too many is one whatever else went wrong.
    if (seen.why === null && first !== undefined) {
      const data = { doubled: doubled.length, of: seen.told.length, first: `${first.identity}, ${first.times} times` };
      return fail({ name: "doubled", data, sent: [seen.exchange] });
    }
    const why = untold(seen);
    if (why !== undefined) return unknown(why);
    return pass(`${seen.told.length} events, each once`);
  },
});
