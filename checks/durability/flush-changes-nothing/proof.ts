import { changeColumn, changeRows, since } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { latePace, no, nothing, slowPace } from "../../vocabulary/evidence.ts";
import { columnProbes, endedOf, lineOf } from "../evidence.ts";
import type { Ended } from "../jobs.ts";
import { flushChangesNothing } from "./index.ts";

const count = lineOf("the number of rows", ["3"]);
const page = lineOf("rows 1 to 25", ["1 | a", "2 | b", "4 | d"]);
const before = [count, page];
const ended = endedOf();
const jobs = [
  { what: "the first flush", ended },
  { what: "the flush", ended },
  { what: "the compaction", ended },
] as const;
const during = [
  { ...count, times: 2 },
  { ...page, times: 1 },
];
const sound = {
  type: "SHARED",
  rows: 3,
  without: [],
  jobs,
  before,
  during,
  flushed: before,
  compacted: before,
} as const;
const own = { ...sound, type: "USER" } as const;
const flushIs = (instead: Partial<Ended>) => ({
  ...sound,
  jobs: jobs.map((one) => (one.what === "the flush" ? { ...one, ended: { ...ended, ...instead } } : one)),
});
const pages = /^SELECT id, n, .* FROM \S+\.own WHERE id > 0 /;

export default proveCheck(flushChangesNothing, {
  holds: [
    [sound, own],
    // One query was not answered meanwhile; the others were often enough.
    [{ ...sound, during: [...during, { ...lineOf("sums", null), times: 1 }] }],
  ],
  cannotTell: [
    [{ ...sound, during: during.slice(0, 1) }, own],
    [{ ...sound, before: [count, lineOf("rows 1 to 25", null)] }, own],
    [{ ...sound, compacted: [lineOf("the number of rows", null), page] }, own],
    [flushIs({ status: "running", pace: slowPace }), own],
    [flushIs({ said: nothing(), job: null, status: null }), own],
    [flushIs({ said: no("INVALID_INPUT", "no flush here", "rule"), job: null, status: null }), own],
  ],
  breaks: {
    digestChanged: {
      seen: [sound, { ...own, flushed: [count, lineOf("rows 1 to 25", ["1 | a", "2 | B", "4 | d"])] }],
      says: /rows \d+ to \d+: \d+ \|.* (is gone|became)/,
      // From the second flush on: what a row that is missing in a segment looks like.
      fault: since(
        /^STORAGE FLUSH TABLE \S+\.own$/,
        2,
        changeRows("losesARowOfTheFlush", pages, ([, ...rows]) => rows),
      ),
    },
    flushNeverEnds: {
      seen: [flushIs({ status: "running", pace: latePace }), own],
      fault: changeColumn("leavesTheJobRunning", /FROM system\.jobs/, "status", () => "running"),
    },
  },
  mayBeLost: [
    { what: /^SELECT/, because: "it is asked again until it is answered" },
    { what: /^SELECT 1 AS pace/, because: "it is only a control of time" },
    columnProbes,
  ],
});
