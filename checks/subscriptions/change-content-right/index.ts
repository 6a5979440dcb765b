import { defineCheckOf, fail, pass, unknown } from "../../../src/check.ts";
import { wrongContents } from "../../../src/history/changes.ts";
import { historyOf, stream, untold } from "../stream/index.ts";

const names = { row: "wrongRow", old: "wrongOld", kind: "wrongKind" } as const;

export const changeContentRight = defineCheckOf(stream, {
  id: "subscriptions/change-content-right",
  title: "Each event tells exactly what was written",
  failureTitle: "Events tell something else than was written",
  description:
    "Judges the stream of subscriptions/every-change-arrives: the kind of each event, its row with every column and NULL, and its old values, as far as they are told, must be what was written. An event that no write of ours caused is wrong, too.",
  blindTo: "Four columns of three types; validation/types-round-trip looks at all types.",
  risk: "What people see is not what is stored.",
  remedy: "Read the row again when its event matters, until this passes.",
  covers: [],
  level: "block",
  findings: {
    wrongRow: {
      say: (d: Wrong) => `${d.times} events hold a wrong row, the first: told ${d.told}, written ${d.wanted}`,
    },
    wrongOld: {
      say: (d: Wrong) =>
        `${d.times} events hold wrong old values, the first: told ${d.told}, before it was ${d.wanted}`,
    },
    wrongKind: {
      say: (d: Wrong) => `${d.times} events are of a wrong kind, the first: told ${d.told}, it was ${d.wanted}`,
    },
  },
  judge(seen) {
    const wrong = seen.why === null ? wrongContents(historyOf(seen)) : [];
    const found = (["row", "old", "kind"] as const).flatMap((what) => {
      const some = wrong.filter((one) => one.what === what);
      const [first] = some;
      if (first === undefined) return [];
      const told = what === "kind" ? first.told.kind : JSON.stringify(what === "row" ? first.told.row : first.told.old);
      const data = { times: some.length, told, wanted: JSON.stringify(first.wanted) };
      return [{ name: names[what], data, sent: [seen.exchange] }];
    });
    if (found.length > 0) return fail(...found);
    const why = untold(seen);
    if (why !== undefined) return unknown(why);
    const kinds = (["insert", "update", "delete"] as const).map(
      (kind) => `${seen.told.filter((one) => one.kind === kind).length} ${kind}s`,
    );
    return pass(`${kinds.join(", ")}, all as they were written`);
  },
});

type Wrong = { readonly times: number; readonly told: string; readonly wanted: string };
