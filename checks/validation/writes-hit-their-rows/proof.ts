import { refuseIt, sendInstead, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing } from "../../vocabulary/evidence.ts";
import { soundEffects, withShared, withStep } from "../statement-effects/evidence.ts";
import type { Step } from "../statement-effects/index.ts";
import { writesHitTheirRows } from "./index.ts";

const nextKey = (sql: string): string =>
  sql.replace(/ WHERE id = (\d+)$/, (_, id: string) => ` WHERE id = ${BigInt(id) + 1n}`);

const isTaken = ({ before }: Step): Partial<Step> => ({
  said: no("SQL_EXECUTION_ERROR", "Primary key violation: value '7' already exists", "constraint"),
  after: before,
});

export default proveCheck(writesHitTheirRows, {
  holds: [soundEffects],
  cannotTell: [
    { tables: [] },
    withStep("DELETE by key", () => ({ said: nothing() })),
    withStep("UPDATE by text", () => ({ said: no("SQL_EXECUTION_ERROR", "no", "rule") })),
    withStep("UPDATE by key", () => ({ after: null })),
    // Another refusal, of another statement, of a key that is taken, and one after which the row is there.
    withStep("INSERT of a flushed and deleted key", (step) => ({ ...isTaken(step), said: no("X", "no", "rule") })),
    withStep("UPDATE by key", isTaken),
    withStep("INSERT of a flushed and deleted key", (step) => ({ ...isTaken(step), after: null })),
    withStep("UPDATE by key", () => ({ unsteady: true })),
    withStep("the first flush", ({ before }) => ({ notFlushed: "the flush did not complete", after: {}, before })),
    withShared(({ steps }) => ({ steps: steps.slice(0, 5) })),
  ],
  breaks: {
    otherRowChanged: {
      seen: withStep("DELETE by key", ({ after }) => ({
        after: Object.fromEntries(Object.entries(after ?? {}).filter(([id]) => id !== "7")),
      })),
      // Only of flushed rows, and with the right row as well.
      fault: sendInstead("deleteTheNextRowToo", /^DELETE FROM \S+ WHERE id = 7$/, (sql) =>
        sql.replace("id = 7", "id IN (7, 8)"),
      ),
    },
    notAsWritten: {
      seen: withStep("UPDATE by a large key", ({ before }) => ({ after: before })),
      also: ["otherRowChanged"],
      fault: sendInstead("updateTheNextRow", /^UPDATE \S+ SET .* WHERE id = \d+$/, nextKey),
    },
    changedByFlush: {
      seen: withStep("the second flush", ({ before }) => ({ after: { ...before, "7": ["eve", "72", null] } })),
      // A deleted row comes back with the flush after its deletion.
      fault: sqlFault("bringDeletedRowsBack", async (sql, _, exchange) => {
        const [, table] = /^STORAGE FLUSH TABLE (\S+_rows)$/.exec(sql) ?? [];
        if (table === undefined) return undefined;
        await exchange(`INSERT INTO ${table} (id, name, n) VALUES (6, 'dan', 61)`);
        return await exchange();
      }),
    },
    freeKeyRefused: {
      seen: withStep("INSERT of a flushed and deleted key", isTaken),
      fault: refuseIt("keepDeletedKeysTaken", /^INSERT INTO \S+ \(id, name, n, note\) VALUES \(7, NULL, 7, NULL\)$/, {
        message: "Statement 1 failed: Already exists: Primary key violation: value '7' already exists in column 'id'",
      }),
    },
  },
});
