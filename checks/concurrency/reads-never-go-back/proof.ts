import { lagBehind, sometimesInstead } from "../../../src/faults/races.ts";
import type { Operation } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { completedFlush, sentBy } from "../evidence.ts";
import { readsNeverGoBack } from "./index.ts";

const update = (n: number): Operation => ({
  ...sentBy(n % 4, n, 10 * n, 12),
  kind: "update",
  key: n % 2 === 0 ? "a" : "b",
  values: { v: `v${n}` },
});
const read = (key: string, statement: number, at: number, v: string): Operation => ({
  ...sentBy(7, statement, at, 4),
  kind: "read",
  key,
  rows: [{ id: key, v }],
});
const updates = Array.from({ length: 14 }, (_, n) => update(n + 2));
/** Of each update, while the next one of the other row is in flight, and again while it is not over itself. */
const reads = updates.flatMap(({ key, values, invokedAt, statement }: Operation & { values?: unknown }) => {
  const { v } = values as { v: string };
  return [read(key ?? "", 100 + statement, invokedAt + 7, v), read(key ?? "", 200 + statement, invokedAt + 8, v)];
});
const operations = [...updates, ...reads];
const flush = completedFlush(80);
const select = /^SELECT id, v FROM \S+\.registers WHERE /;

export default proveCheck(readsNeverGoBack, {
  holds: [
    { operations, flush },
    // One that was not answered may have happened late.
    {
      operations: [
        ...operations,
        { ...update(0), outcome: "unsure" },
        read("a", 400, 300, "v14"),
        read("a", 401, 310, "v0"),
      ],
      flush,
    },
  ],
  cannotTell: [
    { operations: updates, flush },
    { operations: [...updates.slice(0, 4), ...reads.slice(0, 8)], flush },
    { operations, flush: null },
    { operations, flush: completedFlush(999) },
    { operations, flush: { ...flush, status: "failed" } },
    {
      operations: operations
        .map((one, at) => ({ ...one, invokedAt: 10 * at, returnedAt: 10 * at + 5 }))
        .filter(({ kind }) => kind === "update"),
      flush,
    },
  ],
  breaks: {
    staleRead: {
      seen: { operations: [...operations, read("a", 400, 300, "v4")], flush },
      fault: lagBehind("readFromAReplicaThatLagsASecond", select, 1_000),
    },
    inventedValue: {
      seen: { operations: [...operations, read("a", 400, 300, "v5")], flush },
      fault: sometimesInstead("answerOneReadInTwentyWithAnotherRow", select, 20, (sql) =>
        sql.replace(/id = (\d+)$/, (_, key) => `id = ${(Number(key) % 4) + 1}`),
      ),
    },
  },
  mayBeLost: [
    {
      what: /^(SELECT id, v|UPDATE) /,
      because: "one of many reads and updates, and those that were answered are counted",
    },
  ],
});
