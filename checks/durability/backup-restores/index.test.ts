import { expect, test } from "vitest";
import { judged, latePace, soundFor } from "../../vocabulary/evidence.ts";
import { endedOf, lineOf } from "../evidence.ts";
import { backupRestores } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(backupRestores, proof);
const judge = (change: Partial<typeof sound>): string[] => judged(backupRestores, { ...sound, ...change });
const [count, page] = sound.before as readonly [(typeof sound)["before"][number], (typeof sound)["before"][number]];
const gone = (line: typeof count) => ({ ...line, lines: null, why: "not found", missing: true });
const differs = (what: string, queries: number) => [`restoreDiffers: ${JSON.stringify({ what, queries, of: 2 })}`];

test.each([
  ["all queries", [gone(count), gone(page)], differs("the table is not there (not found)", 2)],
  [
    "one query, and another differs",
    [gone(count), lineOf("rows 1 to 25", ["1 | a"])],
    differs("the table is not there (not found)", 2),
  ],
  ["one query", [count, gone(page)], differs("the table is not there (not found)", 1)],
])("a table that is missing for %s", (_, restored, expected) => {
  expect(judge({ restored })).toEqual(expected);
});

test.each([
  ["the number", [lineOf("the number of rows", ["3"]), page], differs("the number of rows: 2 became 3", 1)],
  [
    "the rows",
    [count, lineOf("rows 1 to 25", ["1 | a"])],
    differs("rows 1 to 25: 2 | b is gone (1 rows instead of 2)", 1),
  ],
  [
    "both",
    [lineOf("the number of rows", ["1"]), lineOf("rows 1 to 25", ["1 | a"])],
    differs("rows 1 to 25: 2 | b is gone (1 rows instead of 2)", 2),
  ],
])("after the restore %s may differ", (_, restored, expected) => {
  expect(judge({ restored })).toEqual(expected);
});

test.each([
  [
    "failed",
    { status: "failed", message: "no such file" },
    /^restoreDiffers: \{"what":"the restore: FL-2 was failed.*\(no such file\).*"queries":2,"of":2\}$/,
  ],
  ["is late", { status: "running", pace: latePace }, /^restoreDiffers: \{"what":"the restore: FL-2 was running/],
  ["is not listed", { status: null }, /^unknown: the restore: the job FL-2 is not listed in system\.jobs$/],
])("a restore that %s", (_, change, expected) => {
  expect(judge({ restore: { ...endedOf(), ...change }, restored: null })).toEqual([expect.stringMatching(expected)]);
});

test.each([
  [
    "failed",
    { status: "failed", message: "no space" },
    /^backupFailed: \{"what":"the backup: FL-2 was failed, not completed, after 20 ms \(no space\)/,
  ],
  ["was cancelled", { status: "cancelled" }, /^backupFailed: \{"what":"the backup: FL-2 was cancelled/],
  ["is not listed", { status: null }, /^unknown: the backup: the job FL-2 is not listed in system\.jobs$/],
])("a backup that %s", (_, change, expected) => {
  const nothing = { restore: null, restored: null };
  expect(judge({ backup: { ...endedOf(), ...change }, ...nothing })).toEqual([expect.stringMatching(expected)]);
});

test("without a restore nothing is shown", () => {
  expect(judge({ restore: null, restored: null })).toEqual(["unknown: nothing was restored"]);
  expect(judge({ restored: null, noServer: "after the restore: exit code 1" })).toEqual([
    "unknown: after the restore: exit code 1",
  ]);
});
