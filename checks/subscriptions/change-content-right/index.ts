import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { wrongContents } from "../../../src/history/changes.ts";
import { historyOf, stream, whyUnknown } from "../stream/index.ts";

export const changeContentRight = defineCheckOf(stream, {
  id: "subscriptions/change-content-right",
  title: "Each event shows exactly what was written",
  failureTitle: "Events differ from what was written",
  description:
    "Judges the stream of subscriptions/every-change-arrives: the kind of each event, its row with every column and NULL, and the old values it carries must be what was written. An event that none of our writes caused is wrong, too.",
  blindTo: "Four columns of three types; validation/types-round-trip looks at all types.",
  risk: "What clients show is not what is stored.",
  remedy: "Until this passes, read the row again where its event matters.",
  covers: [],
  level: "block",
  findings: {
    wrongRow: {
      say: (d: Wrong) => `${d.times} events have a wrong row, the first: ${d.told}, written was ${d.wanted}`,
    },
    wrongOld: {
      say: (d: Wrong) => `${d.times} events have wrong old values, the first: ${d.told}, the row had been ${d.wanted}`,
    },
    wrongKind: {
      say: (d: Wrong) =>
        `${d.times} events are of a wrong kind, the first: ${d.told} for a statement that was ${d.wanted}`,
    },
  },
  judge(seen, { found }) {
    const wrong = wrongContents(historyOf(seen));
    for (const [what, report] of [
      ["row", found.wrongRow],
      ["old", found.wrongOld],
      ["kind", found.wrongKind],
    ] as const) {
      const some = wrong.filter((one) => one.what === what);
      if (some[0] === undefined) continue;
      const { delivered, wanted } = some[0];
      const told = what === "kind" ? delivered.kind : JSON.stringify(delivered[what]);
      report({ times: some.length, told, wanted: JSON.stringify(wanted) }, { sent: seen });
    }
    const why = whyUnknown(seen);
    if (why !== undefined) return unknown(why);
    const kinds = (["insert", "update", "delete"] as const).map(
      (kind) => `${seen.delivered.filter((one) => one.kind === kind).length} ${kind}s`,
    );
    return pass(`${kinds.join(", ")}, all as written`);
  },
});

/** `told`: what the event says; `wanted`: what was written. */
type Wrong = { readonly times: number; readonly told: string; readonly wanted: string };
