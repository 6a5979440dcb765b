import { afterStart, damaged } from "../../../src/faults/control.ts";
import { changeColumn, changeRows, refuseIt } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { latePace, no, nothing, promptPace, slowPace, yes } from "../../vocabulary/evidence.ts";
import { columnProbes, lineOf, endedOf, killed, notRestarted, slowToStart } from "../evidence.ts";
import { crashInFlushHarmless } from "./index.ts";

const page = (...rows: readonly string[]) => lineOf("rows 1 to 25", rows);
const before = [lineOf("the number of rows", ["3"]), page("1 | a", "2 | b", "4 | d")];
const rewritten = [lineOf("the number of rows", ["4"]), page("1 | a", "2 | b", "4 | d")];
const flushing = {
  kind: "flush" as "flush" | "compaction",
  said: yes("Job ID: FL-1"),
  job: "FL-1" as string | null,
  killedAfterMs: 77,
  restart: killed,
  before,
  after: before,
  status: "completed" as string | null,
  pace: promptPace,
  written: yes(),
  rewritten,
  next: endedOf(),
  final: rewritten,
};
const compacting = { ...flushing, kind: "compaction" as const, job: "CO-1" };
const withFlush = (change: Partial<typeof flushing>) => ({
  rounds: [{ ...flushing, ...change }, compacting],
  undone: null as string | null,
});
const pages = /^SELECT id, n, .* WHERE id > 0 /;

export default proveCheck(crashInFlushHarmless, {
  holds: [
    withFlush({}),
    // It failed cleanly, or is forgotten, and the next one works.
    withFlush({ status: "failed" }),
    withFlush({ status: null }),
  ],
  cannotTell: [
    { rounds: [flushing], undone: null },
    { rounds: [flushing, compacting], undone: "round 3: the flush FL-9 did not complete: failed" },
    withFlush({ restart: notRestarted }),
    withFlush({ restart: slowToStart, after: [], rewritten: [], final: [] }),
    withFlush({ job: null, said: no("INVALID_INPUT", "no flush", "rule") }),
    withFlush({ after: [before[0] ?? page(), lineOf("rows 1 to 25", null)] }),
    withFlush({ status: "running", pace: slowPace }),
    withFlush({ written: nothing() }),
    withFlush({ next: { ...endedOf(), status: "running", pace: slowPace } }),
  ],
  breaks: {
    lostRows: {
      seen: withFlush({ after: [lineOf("the number of rows", ["2"]), page("1 | a", "4 | d")] }),
      says: /a (flush|compaction) was started; after the start, .* is gone/,
      fault: damaged("skipSegment", afterStart(changeRows("losesARow", pages, ([, ...rows]) => rows))),
    },
    doubledRows: {
      seen: withFlush({ final: [lineOf("the number of rows", ["5"]), page("1 | a", "1 | a", "2 | b", "4 | d")] }),
      says: /is there and was not before/,
      // A kill may also come before the segment is written: then nothing is doubled in that round.
      fault: damaged(
        "doubleSegment",
        afterStart(changeRows("showsARowTwice", pages, ([row = [], ...rows]) => [row, row, ...rows])),
      ),
      also: ["lostRows"],
    },
    jobStuck: {
      seen: withFlush({ status: "running", pace: latePace }),
      fault: damaged(
        "stickJob",
        changeColumn("leavesTheJobRunning", /FROM system\.jobs/, "status", () => "running"),
      ),
    },
    flushBroken: {
      seen: withFlush({ next: { ...endedOf(), status: "failed", message: "manifest is damaged" } }),
      says: /the next flush after a crash in a (flush|compaction) failed: /,
      fault: damaged(
        "breakFlush",
        afterStart(
          refuseIt("refusesToFlush", /^STORAGE FLUSH/, { message: "Statement 1 failed: Invalid operation: damaged" }),
        ),
      ),
    },
  },
  mayBeLost: [
    { what: /^SELECT/, because: "it is asked again until it is answered" },
    { what: /^SELECT (1 AS|metric_name)/, because: "it is asked again, or only a control" },
    columnProbes,
  ],
});
