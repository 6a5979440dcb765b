import { commitEach, commitFirstOnly } from "../../../src/faults/batches.ts";
import type { Operation, OperationOutcome } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { completedFlush, sentBy } from "../evidence.ts";
import { transactionsWhole } from "./index.ts";

const transfer = (n: number, outcome: OperationOutcome = "ok"): Operation[] =>
  ["1", "2"].map((key) => ({ ...sentBy(0, n, 10 * n, 8, outcome), kind: "update", key, values: {} }));
const transfers = Array.from({ length: 12 }, (_, n) => transfer(n)).flat();
/** Sent at a time, two milliseconds each. */
const read = (at: number, first: string | null, second: string | null = "100"): Operation => ({
  ...sentBy(1, 100 + at, at, 2),
  kind: "read",
  key: null,
  rows: [{ id: "1", balance: first }, ...(second === null ? [] : [{ id: "2", balance: second }])],
});
const reads = Array.from({ length: 12 }, (_, n) => read(10 * n + 3, String(100 - n), String(100 + n)));
const seenOf = (more: readonly Operation[] = [], change: object = {}) => ({
  pairs: 1,
  operations: [...transfers, ...reads, ...more],
  flush: completedFlush(40),
  ...change,
});
const last = read(300, "90", "110");
const moving = /^BEGIN; UPDATE \S+\.balances /;

export default proveCheck(transactionsWhole, {
  holds: [
    seenOf([last]),
    // Whether a transfer happened or not, the total is the same.
    seenOf([...transfer(20, "unsure"), ...transfer(21, "refused"), last]),
  ],
  cannotTell: [
    seenOf([], { operations: transfers }),
    seenOf([], { operations: [...transfers, last] }),
    seenOf([], { operations: [...transfers.slice(0, 6), ...reads] }),
    seenOf([last], { flush: null }),
    seenOf([last], { flush: { ...completedFlush(40), status: "failed" } }),
  ],
  breaks: {
    tornRead: {
      seen: seenOf([read(55, "93"), last]),
      fault: commitEach("showEachStatementBeforeCommit", moving, 15),
    },
    moneyLost: {
      seen: seenOf([read(300, "93")]),
      fault: commitFirstOnly("applyOnlyTheFirstStatementOfOneCommitInFive", moving, 5),
    },
  },
  mayBeLost: [
    {
      what: /^BEGIN; UPDATE /,
      because: "whether it happened or not the total is the same, and acknowledged ones are counted",
    },
    { what: /^SELECT id, balance /, because: "one of many reads, and those that were answered are counted" },
  ],
});
