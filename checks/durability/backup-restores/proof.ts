import { damagedOthers, from } from "../../../src/faults/others.ts";
import { changeColumn, changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { latePace, no, slowPace } from "../../vocabulary/evidence.ts";
import type { Digest } from "../digest.ts";
import { columnProbes, endedOf, lineOf } from "../evidence.ts";
import type { Ended } from "../jobs.ts";
import { backupRestores } from "./index.ts";

const page = (...rows: readonly string[]) => lineOf("rows 1 to 25", rows);
const before: Digest = [lineOf("the number of rows", ["2"]), page("1 | a", "2 | b")];
const sound = {
  before,
  backup: endedOf(),
  noServer: null as string | null,
  restore: endedOf() as Ended | null,
  restored: before as Digest | null,
};
const none = { ...sound, restore: null, restored: null };
const missing = before.map((line) => ({ ...line, lines: null, why: "table 'saved' not found", missing: true }));

export default proveCheck(backupRestores, {
  holds: [sound],
  cannotTell: [
    {
      ...none,
      backup: { ...endedOf(), said: no("INVALID_INPUT", "no backups here", "rule"), job: null, status: null },
    },
    { ...none, backup: { ...endedOf(), status: "running", pace: slowPace } },
    { ...none, noServer: "the server ended with exit code 1" },
    { ...sound, restore: { ...endedOf(), job: null, status: null }, restored: null },
    { ...sound, restored: [lineOf("the number of rows", null), page("1 | a", "2 | b")] },
    // It answers, and is not there: nothing to compare with before.
    { ...sound, before: before.map(({ query }) => lineOf(query, null)) },
  ],
  breaks: {
    backupFailed: {
      seen: { ...none, backup: { ...endedOf(), status: "running", pace: latePace } },
      says: /^the backup: \S+ was (failed|running), not completed/,
      fault: changeColumn("failsTheBackup", /FROM system\.jobs WHERE job_id IN \('BK-/, "status", () => "failed"),
    },
    restoreDiffers: {
      seen: { ...sound, restored: missing },
      says: /(the table is not there|is gone|became|is there and was not)/,
      fault: damagedOthers(
        "loseOnStop=7",
        from(2),
        changeRows("restoresWithoutARow", /^SELECT id, n, .* WHERE id > 0 /, (rows) => rows.slice(1)),
      ),
    },
  },
  mayBeLost: [{ what: /^SELECT/, because: "it is asked again until it is answered, or only a control" }, columnProbes],
});
