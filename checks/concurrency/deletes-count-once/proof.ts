import { loseWrites } from "../../../src/faults/races.ts";
import { changeResult, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, yes } from "../../vocabulary/evidence.ts";
import { deletesCountOnce } from "./index.ts";

const flushed = { said: yes(), job: "FL-1", status: "completed" };
const skipped = { said: yes("skipped: no pending writes"), job: null, status: null };

type Outcome = "ok" | "refused" | "unsure";
const deletion = (keys: readonly number[], client: number, rows: number | null, outcome: Outcome = "ok") => ({
  keys,
  rows,
  outcome,
  message: "",
  sentAt: 100 * (keys[0] ?? 0) + client,
  doneAt: 100 * (keys[0] ?? 0) + client + 20,
  exchange: 10 * (keys[0] ?? 0) + client,
});
const ranges = [100, 200].map((first, client) => deletion([first, first + 1], client, 2));
/** Three clients for each of four keys; the second one wins. */
const shared = [1, 2, 3, 4].flatMap((key) => [0, 1, 2].map((client) => deletion([key], client, client === 1 ? 1 : 0)));
const seenOf = (change: object = {}) => ({
  inserted: 8,
  deletions: [...ranges, ...shared],
  flushedBefore: flushed,
  flushedAfter: skipped,
  left: [],
  leftAfterFlush: [],
  ...change,
});
const instead = (at: number, change: object) =>
  seenOf({ deletions: [...ranges, ...shared.map((one, n) => (n === at ? { ...one, ...change } : one))] });
const single = /^DELETE FROM \S+\.deleted WHERE id = \d+$/;
let emptySince = false;

export default proveCheck(deletesCountOnce, {
  holds: [
    seenOf(),
    // The one that was not answered had deleted it.
    instead(1, { outcome: "unsure", rows: null }),
    // A conflict is an answer, too.
    instead(0, { outcome: "refused", rows: null }),
  ],
  cannotTell: [
    seenOf({ deletions: [] }),
    seenOf({
      deletions: [...ranges, ...shared.map((one, at) => ({ ...one, sentAt: 100 * at, doneAt: 100 * at + 5 }))],
    }),
    seenOf({ left: null }),
    seenOf({ leftAfterFlush: null }),
    seenOf({ flushedBefore: { ...flushed, status: "failed" } }),
    seenOf({ flushedAfter: { ...skipped, said: no("SQL_EXECUTION_ERROR", "no", "rule") } }),
    seenOf({ deletions: [...ranges, ...shared.map((one) => ({ ...one, outcome: "unsure" as const, rows: null }))] }),
    seenOf({
      deletions: [
        ...ranges,
        ...shared.map((one) => (one.keys[0] === 2 ? { ...one, outcome: "refused" as const, rows: null } : one)),
      ],
      left: ["2"],
      leftAfterFlush: ["2"],
    }),
  ],
  breaks: {
    countedTwice: {
      seen: instead(0, { rows: 1 }),
      fault: changeResult("countWhatIsGone", single, (result) =>
        result["row_count"] === 0 ? { ...result, row_count: 1 } : undefined,
      ),
    },
    notCounted: {
      seen: instead(1, { rows: 0 }),
      fault: changeResult("countNothing", /\.deleted WHERE id = 3$/, (result) =>
        result["row_count"] === 1 ? { ...result, row_count: 0 } : undefined,
      ),
    },
    leftBehind: {
      seen: seenOf({ left: ["3"], leftAfterFlush: ["3"] }),
      // Each client deletes it anew.
      also: ["countedTwice"],
      fault: loseWrites("acknowledgeWithoutDeleting", /\.deleted WHERE id = 3$/, 1),
    },
    cameBack: {
      seen: seenOf({ leftAfterFlush: ["3"] }),
      fault: sqlFault("flushWithoutItsTombstones", async (sql, _, exchange) => {
        if (single.test(sql)) emptySince = true;
        const [, table] = /^STORAGE FLUSH TABLE (\S+\.deleted)$/.exec(sql) ?? [];
        if (table === undefined || !emptySince) return undefined;
        emptySince = false;
        await exchange(`INSERT INTO ${table} (id, mark) VALUES (3, 'row 3')`);
        return await exchange();
      }),
    },
  },
  mayBeLost: [
    {
      what: /^DELETE FROM \S+\.deleted WHERE id = \d+$/,
      because: "one of several clients that delete the same row, and the most at once is told",
    },
  ],
});
