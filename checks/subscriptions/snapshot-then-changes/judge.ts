/** What is wrong with a snapshot and with the changes after it. */
import { duplicateChanges, wrongContents, type ChangeHistory } from "../../../src/history/changes.ts";
import type { Values } from "../../../src/history/history.ts";
import { differenceOf, foldChanges, isSame } from "../../../src/history/state.ts";
import type { PlannedWrite } from "../../vocabulary/operations.ts";
import { writeText } from "../stream/marked-rows.ts";
import { truncated } from "../../../src/server/target.ts";

/** How the snapshot differs from the rows that were written; undefined where it does not. */
export function snapshotDifference(snapshot: readonly Values[], written: readonly PlannedWrite[]): string | undefined {
  const difference = differenceOf("id", foldChanges("id", snapshot, []), written.map(rowOf));
  if (isSame(difference) && snapshot.length === written.length) return undefined;
  const words = [
    ...difference.missing.map((key) => `${key} is missing`),
    ...difference.ghosts.map((key) => `${key} is not in the table`),
    ...difference.stale.map((key) => `${key} has other values`),
  ];
  return words.join(", ") || "a row came twice";
}

export interface WrongChange {
  readonly change: string;
  readonly told: string;
  readonly wanted: string;
}

/** Events that came twice, whose content is wrong, or that leave out the old value of a column that changed. */
export function wrongChanges(history: ChangeHistory): WrongChange[] {
  return [
    ...duplicateChanges(history).map(({ identity, times }) => ({
      change: identity,
      told: `${times} events`,
      wanted: "one",
    })),
    ...wrongContents(history).map(({ what, delivered, wanted }) => ({
      change: `${what} of a change`,
      told: truncated(JSON.stringify(delivered), 200),
      wanted: JSON.stringify(wanted),
    })),
    ...missingOldValues(history),
  ];
}

/** The updates whose events do not carry the old value of each column that changed. */
function missingOldValues({ writes, delivered }: ChangeHistory): WrongChange[] {
  return writes.flatMap((write, at) => {
    const event = delivered.find(({ row }) => write.kind === "update" && row?.["mark"] === write.values["mark"]);
    const before = writes.slice(0, at).findLast(({ key }) => key === write.key);
    if (event === undefined || before === undefined) return [];
    const [was, is] = [rowOf(before), rowOf(write)];
    const missing = Object.keys(was).filter(
      (column) => was[column] !== is[column] && (event.old?.[column] ?? null) !== was[column],
    );
    if (missing.length === 0) return [];
    const wanted = `the old values of ${missing.join(", ")}`;
    return [{ change: writeText(write), told: JSON.stringify(event.old), wanted }];
  });
}

function rowOf({ key, values }: PlannedWrite): Values {
  return { id: key, ...values };
}
