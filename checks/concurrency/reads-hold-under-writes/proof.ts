import { lagBehind } from "../../../src/faults/races.ts";
import { changeColumn, sqlFault } from "../../../src/faults/sql.ts";
import type { Operation } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { completedFlush, sentBy } from "../evidence.ts";
import { readsHoldUnderWrites } from "./index.ts";

const insert = (n: number): Operation => ({
  ...sentBy(n % 3, n, 10 * n, 15),
  kind: "insert",
  key: String(n),
  values: {},
});
const inserts = Array.from({ length: 20 }, (_, n) => insert(n));
/** Sent at a time, a millisecond each. At 10·n + 7 the insert n and the one before are in flight, n − 1 are acknowledged. */
const count = (at: number, n: number): Operation => ({
  ...sentBy(4, 100 + at, at, 1),
  kind: "read",
  key: null,
  rows: [{ n: String(n) }],
});
const counts = inserts.slice(2).map((_, n) => count(10 * (n + 2) + 7, n + 2));
const last = count(400, 20);
const seenOf = (reads: readonly Operation[], change: object = {}) => ({
  operations: [...inserts, ...reads],
  flush: completedFlush(60),
  silent: [],
  timeoutMs: 5_000,
  controlMs: 3,
  ...change,
});
const counting = /^SELECT COUNT\(\*\) AS n FROM \S+\.counted/;
const silent = [{ exchange: 7, by: "reader" as const }];

export default proveCheck(readsHoldUnderWrites, {
  holds: [seenOf([...counts, last])],
  cannotTell: [
    seenOf([last]),
    seenOf(counts, { flush: null }),
    seenOf(counts, { flush: { ...completedFlush(60), status: "failed" } }),
    // Everything is slow.
    seenOf(counts, { silent, controlMs: 4_000 }),
    seenOf(counts, { silent, controlMs: null }),
  ],
  breaks: {
    wentBack: {
      seen: seenOf([...counts, count(197, 20), count(199, 19)]),
      also: ["missedRows"],
      fault: lagEveryOther(),
    },
    missedRows: {
      seen: seenOf([...counts, count(400, 19)]),
      also: ["wentBack"],
      fault: lagBehind("readFromAReplicaThatLags", counting, 1_000),
    },
    sawTooMany: {
      seen: seenOf([...counts, count(400, 21)]),
      fault: changeColumn("countRowsInBothStorages", counting, "n", (cell) => String(2 * Number(cell))),
    },
    stuck: {
      seen: seenOf(counts, { silent }),
      fault: sqlFault("blockReadersBehindAWriter", (sql) =>
        counting.test(sql) && / WHERE /.test(sql) ? Promise.resolve("silent") : undefined,
      ),
    },
  },
  mayBeLost: [
    { what: /^SELECT COUNT/, because: "one of many counts, and those that were answered are counted" },
    { what: /^INSERT /, because: "one of many rows, and a count may include those whose fate is not known" },
  ],
});

/** Every other count comes from a replica that lags, as behind a load balancer. */
function lagEveryOther() {
  return lagBehind("everyOtherReadFromAReplicaThatLags", /^SELECT COUNT\(\*\) AS n FROM \S+\.counted WHERE /, 1_000);
}
