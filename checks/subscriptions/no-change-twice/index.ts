import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { duplicateChanges } from "../../../src/history/changes.ts";
import { historyOf, stream, whyUnknown } from "../stream/index.ts";

export const noChangeTwice = defineCheckOf(stream, {
  id: "subscriptions/no-change-twice",
  title: "Each change is delivered only once",
  failureTitle: "Changes are delivered more than once",
  description:
    "Judges the stream of subscriptions/every-change-arrives: each event leads back to one write by its unique value, and no event may be delivered a second time. It is a warning where the server does not promise that: newer versions leave it to the client to tolerate a repeat.",
  blindTo:
    "It looks at one connection that is never cut; subscriptions/resume-complete looks at what is delivered again after a cut.",
  risk: "Clients that count, sum or notify by events do so twice.",
  remedy: "Make event handling idempotent: remember the last row version that was handled.",
  covers: [],
  level: "block",
  findings: {
    doubled: {
      say: (d: { doubled: number; of: number; first: string }) =>
        `${d.doubled} of ${d.of} changes were delivered more than once, the first: ${d.first}`,
      promised: { repeats: "never" },
    },
  },
  judge(seen, { found }) {
    const duplicates = duplicateChanges(historyOf(seen));
    const [first] = duplicates;
    const of = seen.delivered.length;
    // A duplicate is one whatever else went wrong.
    if (first !== undefined)
      found.doubled(
        { doubled: duplicates.length, of, first: `${first.identity}, ${first.times} times` },
        { sent: seen },
      );
    const why = whyUnknown(seen);
    return why === undefined ? pass(`${of} events, each delivered once`) : unknown(why);
  },
});
