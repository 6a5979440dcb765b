import { afterStart, damaged } from "../../../src/faults/control.ts";
import { changeColumn, changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { latePace, slowPace, yes } from "../../vocabulary/evidence.ts";
import { flushedOf, notRestarted, stopped } from "../evidence.ts";
import { flushedRowsSurviveRestart } from "./index.ts";

const row = (id: number, amount = id * 10) => ({ id: String(id), mark: `row ${id}`, amount: String(amount) });
const expected = [row(1), row(2), row(3)];
const flushed = flushedOf([3]);
const reading = (rows: readonly ReturnType<typeof row>[]) => ({ rows, why: null, cause: null, exchange: 9 });
const aggregate = { count: "3", sum: "60", exchange: 10 };
const sound = { expected, flushed, restart: stopped, after: reading(expected), aggregate };

export default proveCheck(flushedRowsSurviveRestart, {
  holds: [sound, { ...sound, flushed: flushedOf([2, 1]) }],
  cannotTell: [
    { ...sound, restart: notRestarted },
    { ...sound, flushed: { ...flushed, status: "running", pace: slowPace } },
    { ...sound, flushed: { ...flushed, job: null, status: null } },
    { ...sound, flushed: { ...flushed, segments: "system.manifest could not be read" } },
    { ...sound, after: { rows: null, why: "flushed: connection reset", cause: null, exchange: 9 } },
    { ...sound, aggregate: { count: null, sum: null, exchange: 10 } },
  ],
  breaks: {
    flushNeverEnds: {
      seen: { ...sound, flushed: { ...flushed, status: "running", pace: latePace } },
      fault: changeColumn("leavesTheJobRunning", /FROM system\.jobs/, "status", () => "running"),
    },
    noSegment: {
      seen: { ...sound, flushed: { ...flushed, said: yes(), segments: [2] } },
      fault: changeColumn("forgetsTheSegments", /FROM system\.manifest/, "manifest_json", () => '{"segments":[]}'),
    },
    lostRows: {
      seen: { ...sound, after: reading([row(1), row(3)]), aggregate: { ...aggregate, count: "2", sum: "40" } },
      says: /\d in all/,
      fault: damaged(
        "skipSegment",
        afterStart(changeRows("losesTheFirstRow", /^SELECT id, mark, amount FROM \S+ ORDER/, (rows) => rows.slice(1))),
      ),
    },
    changedRows: {
      seen: { ...sound, after: reading([row(1), row(2, 21), row(3)]), aggregate: { ...aggregate, sum: "61" } },
      says: /the sum is \d+1, expected \d+0$/,
      fault: afterStart(
        changeColumn("countsOneMore", /SUM\(amount\)/, "sum", (sum) => `${BigInt(sum as string) + 1n}`),
      ),
    },
  },
  mayBeLost: [
    { what: /^SELECT metric_name/, because: "the process itself shows that it is another" },
    { what: /^SELECT 1 AS (up|pace)/, because: "it is asked again until it is answered" },
    { what: /FROM system\.(jobs|manifest)/, because: "it is asked again until it is answered" },
  ],
});
