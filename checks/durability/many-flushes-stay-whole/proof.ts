import { afterStart, damaged } from "../../../src/faults/control.ts";
import { changeColumn, changeRows, claimSuccess, refuseIt } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import type { Json } from "../../../src/wire/json.ts";
import { no, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import { flushedOf, notRestarted, stopped } from "../evidence.ts";
import { manyFlushesStayWhole } from "./index.ts";

const row = (id: number) => ({ id: String(id), mark: id > 30 ? "added" : `row ${id}` });
const rows = Array.from({ length: 31 }, (_, at) => row(at + 1));
const reading = (shown: readonly ReturnType<typeof row>[]) => ({ rows: shown, why: null, cause: null, exchange: 9 });
const unread = { rows: null, why: "flushed: connection reset", cause: null, exchange: 9 };
const flushes = [flushedOf([10]), flushedOf([10, 10]), flushedOf([10, 10, 10]), flushedOf([10, 10, 11])];
const sound = {
  flushes,
  restart: stopped,
  after: reading(rows.slice(0, 30)),
  write: yes(),
  again: no("SQL_EXECUTION_ERROR", "Primary key violation", "constraint"),
  final: reading(rows),
};
const read = /^SELECT id, mark FROM \S+ ORDER/;

export default proveCheck(manyFlushesStayWhole, {
  holds: [sound, { ...sound, flushes: [...flushes.slice(0, 2), flushedOf([30]), flushedOf([31])] }],
  cannotTell: [
    { ...sound, restart: notRestarted },
    { ...sound, flushes: flushes.map((one, at) => (at === 1 ? { ...one, status: "running", pace: slowPace } : one)) },
    { ...sound, after: unread },
    { ...sound, write: nothing() },
    { ...sound, again: nothing() },
    { ...sound, flushes: flushes.slice(0, 3) },
  ],
  breaks: {
    lostRows: {
      seen: { ...sound, after: reading(rows.slice(10, 30)) },
      says: /10 in all/,
      fault: damaged("skipSegment", afterStart(changeRows("skipsTheFirstSegment", read, (shown) => shown.slice(10)))),
    },
    doubledRows: {
      seen: { ...sound, after: reading([row(1), ...rows.slice(0, 30)]) },
      // Without the key's index.
      also: ["coldKeyDoubled"],
      fault: damaged(
        "doubleSegment",
        afterStart(changeRows("showsARowTwice", read, ([first = [], ...rest]) => [first, first, ...rest])),
      ),
    },
    manifestDidNotGrow: {
      seen: { ...sound, flushes: [flushedOf([10]), flushedOf([10]), ...flushes.slice(2)] },
      fault: changeColumn("forgetsLaterSegments", /FROM system\.manifest/, "manifest_json", (manifest) => {
        const { segments } = JSON.parse(manifest as string) as { segments: readonly Json[] };
        return JSON.stringify({ segments: segments.slice(0, 1) });
      }),
    },
    cannotWriteAgain: {
      seen: { ...sound, write: no("SQL_EXECUTION_ERROR", "read only", "rule"), final: reading(rows.slice(0, 30)) },
      fault: afterStart(refuseIt("refusesInserts", /^INSERT INTO \S+ \(id, mark\) VALUES \(31/)),
    },
    coldKeyDoubled: {
      seen: { ...sound, again: yes() },
      fault: afterStart(claimSuccess("forgetsColdKeys", /VALUES \(1, 'again'\)/, 1)),
    },
  },
  mayBeLost: [
    { what: /^SELECT metric_name/, because: "the process itself shows that it is another" },
    { what: /^SELECT 1 AS (up|pace)/, because: "it is asked again until it is answered" },
    { what: /FROM system\.(jobs|manifest)/, because: "it is asked again until it is answered" },
  ],
});
