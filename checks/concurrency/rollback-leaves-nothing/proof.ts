import { keepLastInsert, showBeforeRollback } from "../../../src/faults/batches.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import type { Operation, Values } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { sentBy } from "../evidence.ts";
import { rollbackLeavesNothing } from "./index.ts";

const base: readonly Values[] = ["1", "2", "3", "4", "5", "6"].map((id) => ({ id, mark: "base" }));
const read = (n: number, rows: readonly Values[] | null = base): Operation => ({
  ...sentBy(4, 100 + n, 10 * n + 2, 3),
  kind: "read",
  key: null,
  rows,
});
const said = {
  "rolled back": yes("Transaction rolled back"),
  failing: no("SQL_EXECUTION_ERROR", "Statement 6 failed: Primary key violation", "batchPart"),
  "without an end": no("SQL_EXECUTION_ERROR", "rolled back automatically", "rule"),
} as const;
const kinds = ["rolled back", "failing", "without an end"] as const;
const batches = kinds.flatMap((kind) =>
  Array.from({ length: 4 }, (_, n) => ({ kind, said: said[kind], invokedAt: 40 * n, returnedAt: 40 * n + 35 })),
);
const reads = Array.from({ length: 15 }, (_, n) => read(n));
const undone: Values = { id: "1000", mark: "undone" };
const seenOf = (change: object = {}, more: readonly Operation[] = [read(40)]) => ({
  batches,
  operations: [...reads, ...more],
  open: [],
  ...change,
});
const having = (kind: string, change: object) =>
  batches.map((one) => (one.kind === kind ? { ...one, ...change } : one));
const anyBatch = /^BEGIN; INSERT INTO \S+\.undone /;

export default proveCheck(rollbackLeavesNothing, {
  holds: [seenOf(), seenOf({ batches: having("without an end", { said: yes() }) })],
  cannotTell: [
    seenOf({ batches: having("failing", { said: yes() }) }, [read(40, [...base, undone])]),
    seenOf({ batches: having("failing", { said: nothing() }) }),
    seenOf({ batches: having("rolled back", { said: no("INVALID_SQL", "found: BEGIN", "parse") }) }),
    seenOf({ batches: batches.slice(0, 8) }),
    seenOf({ open: null }),
    seenOf({ operations: [] }),
    seenOf({ operations: [read(40)] }),
    seenOf({ operations: [read(40, null)] }),
  ],
  breaks: {
    dirtyRead: {
      seen: seenOf({}, [read(20, [...base, undone]), read(40)]),
      fault: showBeforeRollback("showABatchBeforeItsEnd", anyBatch, 30),
    },
    keptRows: {
      seen: seenOf({}, [read(40, base.slice(1))]),
      fault: keepLastInsert("keepTheLastRowOnRollback", /^BEGIN; INSERT INTO \S+\.undone .*; ROLLBACK$/),
    },
    openTransaction: {
      seen: seenOf({ open: [{ transaction: "t1", owner: "sql-req-kr_a1b2c_1-2-0" }] }),
      fault: changeRows("forgetToEndATransaction", /FROM system\.transactions /, (rows, _, sql) => [
        ...rows,
        ["01a22485", `sql-req-${/LIKE '%(\w+)%'/.exec(sql)?.[1] ?? ""}-2-0`],
      ]),
    },
  },
  mayBeLost: [
    { what: /^BEGIN; INSERT /, because: "whether it was answered or not, nothing of it may be left" },
    { what: /^SELECT id, mark /, because: "one of many reads, and those that were answered are counted" },
  ],
});
