import { acknowledgeEarly, loseWrites, refuseWhatWasDone, sometimesInstead } from "../../../src/faults/races.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import type { Operation, Values } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { completedFlush, sentBy } from "../evidence.ts";
import { parallelInsertsAllLand } from "./index.ts";

/** Ten writers, each insert beside nine others. */
const inserts = Array.from({ length: 40 }, (_, n): Operation => ({
  ...sentBy(n % 10, n, 10 * Math.floor(n / 10), 8),
  kind: "insert",
  key: String(n),
  values: { mark: `m${n}` },
}));
const rows: readonly Values[] = inserts.map(({ key }) => ({ id: key ?? "", mark: `m${key}` }));
const read = (shown: readonly Values[], at = 100): Operation => ({
  ...sentBy(10, at, at, 5),
  kind: "read",
  key: null,
  rows: shown,
});
const flush = completedFlush(15);
const without = (key: string): readonly Values[] => rows.filter(({ id }) => id !== key);
const insert = /^INSERT INTO \S+\.landed /;
const select = /^SELECT id, mark FROM \S+\.landed /;

export default proveCheck(parallelInsertsAllLand, {
  holds: [
    { operations: [...inserts, read(rows.slice(0, 20), 20), read(rows)], flush },
    {
      operations: [
        ...inserts.map((one, n) => (n === 5 ? { ...one, outcome: "unsure" as const } : one)),
        read(without("5")),
      ],
      flush,
    },
  ],
  cannotTell: [
    { operations: [...inserts.slice(0, 10), read(rows.slice(0, 10))], flush },
    { operations: inserts, flush },
    { operations: [...inserts, read(rows)], flush: null },
    { operations: [...inserts, read(rows)], flush: completedFlush(99) },
    { operations: [...inserts, read(rows)], flush: { ...flush, status: "failed" } },
    {
      operations: [
        ...inserts.map((one, n) => ({ ...one, invokedAt: 10 * n, returnedAt: 10 * n + 8 })),
        read(rows, 500),
      ],
      flush,
    },
  ],
  breaks: {
    lostRows: {
      seen: { operations: [...inserts, read(without("7"))], flush },
      fault: loseWrites("acknowledgeOneInTwentyWithoutWriting", insert, 20),
    },
    lateRows: {
      seen: { operations: [...inserts, read(without("7"), 60), read(rows)], flush },
      fault: acknowledgeEarly("acknowledgeBeforeTheWrite", insert, 5, 600),
    },
    strangeRows: {
      seen: { operations: [...inserts, read([...rows, { id: "999", mark: "x" }])], flush },
      fault: refuseWhatWasDone("writeWhatWasRefused", insert, 20),
    },
    doubledRows: {
      seen: { operations: [...inserts, read([...rows, { id: "3", mark: "m3" }])], flush },
      fault: changeRows("showARowInBothStorages", select, ([first, ...rest]) =>
        first === undefined ? undefined : [first, first, ...rest],
      ),
    },
    changedRows: {
      seen: {
        operations: [...inserts, read(rows.map((row) => (row["id"] === "3" ? { ...row, mark: "m4" } : row)))],
        flush,
      },
      fault: sometimesInstead("storeAnotherWritersValue", insert, 20, (sql) =>
        sql.replace(/'w(\d)-/, (_, writer) => `'w${(Number(writer) + 1) % 10}-`),
      ),
    },
  },
  mayBeLost: [
    { what: /^INSERT /, because: "one of many rows, and those that were acknowledged are counted" },
    { what: /^SELECT id, mark /, because: "one of many reads, and those that were answered are counted" },
  ],
});
