import { changeResult, changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { nothing } from "../../vocabulary/evidence.ts";
import { soundEffects, withShared, withStep } from "../statement-effects/evidence.ts";
import { countsAreRight } from "./index.ts";

export default proveCheck(countsAreRight, {
  holds: [soundEffects],
  cannotTell: [
    { tables: [] },
    withStep("DELETE by key", () => ({ said: nothing(), rowCount: null })),
    withStep("DELETE by key", ({ before }) => ({ after: before })),
    withStep("DELETE by key", () => ({ rowCount: null })),
    withStep("DELETE by key", ({ counts }) => ({ counts: counts.map((one) => ({ ...one, count: null })) })),
    withStep("DELETE by key", ({ counts }) => ({
      unsteady: true,
      counts: counts.map((one) => ({ ...one, count: "99" })),
    })),
    withStep("the first flush", () => ({ notFlushed: "the flush did not complete" })),
    withShared(({ steps }) => ({ steps: steps.slice(0, 5) })),
  ],
  breaks: {
    wrongRowCount: {
      seen: withStep("UPDATE of no row", () => ({ rowCount: 1 })),
      fault: changeResult("countEveryDeleteAsOne", /^DELETE /, (result) => ({ ...result, row_count: 1 })),
    },
    wrongCount: {
      seen: withStep("DELETE by key", ({ counts, after }) => ({
        counts: counts.map((one) => ({ ...one, count: String(Object.keys(after ?? {}).length + 1) })),
      })),
      // Only without a condition, as by a server that takes the number from its statistics.
      fault: changeRows("countOneMoreFromStatistics", /^SELECT COUNT\(\*\) AS c FROM \S+$/, (rows) =>
        rows.map(([count]) => [String(Number(count) + 1)]),
      ),
    },
  },
});
