import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { cellText } from "../../../src/server/target.ts";
import { connectionsFreed } from "./index.ts";

const sound = {
  opened: 40,
  wanted: 40,
  listedBefore: 40 as number | null,
  left: [] as readonly string[] | null,
  waitedMs: 900,
};

/** Of the connections that were reset, one is never noticed: its subscription stays listed. */
const keepOneThatWasReset = (): Fault => {
  const known = new Map<string, readonly unknown[]>();
  return changeRows("keepOneThatWasReset", /^SELECT live_id, .* WHERE user_id = /, (rows, columns, sql) => {
    const at = columns.indexOf("subscription_id");
    const one = rows.find((row) => cellText(row[at]) === "reset 7");
    if (one !== undefined) {
      known.set(sql, one);
      return undefined;
    }
    const kept = known.get(sql) as (typeof rows)[number] | undefined;
    return kept === undefined ? undefined : [...rows, kept];
  });
};

export default proveCheck(connectionsFreed, {
  holds: [sound],
  cannotTell: [
    { ...sound, listedBefore: null },
    { ...sound, left: null },
    { ...sound, listedBefore: 0 },
    { ...sound, opened: 12, listedBefore: 12 },
    { opened: 0, wanted: 0, listedBefore: 0, left: [], waitedMs: 0 },
  ],
  breaks: {
    leaked: { seen: { ...sound, left: ["reset 7"], waitedMs: 21_000 }, fault: keepOneThatWasReset() },
  },
});
