import { damaged } from "../../../src/faults/control.ts";
import { sendInstead } from "../../../src/faults/sql.ts";
import type { OperationOutcome } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { killedAt, notRestarted, slowToStart } from "../evidence.ts";
import { batchSurvivesWhole } from "./index.ts";

const unit = (first: number, outcome: OperationOutcome = "ok", at = 100) => {
  const pairs = first < 10_000;
  const kind = pairs ? ("transaction" as const) : ("insert" as const);
  return { kind, first, rows: pairs ? 2 : 500, outcome, exchange: 3, invokedAt: at, returnedAt: at + 20 };
};
const units = [unit(1_000), unit(11_000), unit(2_000, "unsure", 190), unit(12_000, "unsure", 190)];
const there: { readonly [first: string]: number } = { 1_000: 2, 11_000: 500, 12_000: 500 };
const sound = { crash: killedAt(200), units, there, why: null as string | null, exchange: 9 };
const shows = (change: { readonly [first: string]: number }) => ({
  rounds: [{ ...sound, there: { ...there, ...change } }],
});

export default proveCheck(batchSurvivesWhole, {
  holds: [{ rounds: [sound] }, shows({ 2_000: 2, 12_000: 0 })],
  cannotTell: [
    { rounds: [{ ...sound, crash: killedAt(200, notRestarted) }] },
    { rounds: [{ ...sound, crash: killedAt(200, slowToStart), there: null }] },
    { rounds: [{ ...sound, crash: killedAt(150) }] },
    { rounds: [{ ...sound, there: null, why: "batches: connection reset" }] },
    // No transaction was acknowledged.
    { rounds: [{ ...sound, units: units.slice(1) }] },
  ],
  breaks: {
    tornBatch: {
      seen: shows({ 12_000: 317 }),
      says: /of (an INSERT of 500|a transaction of 2) rows, (acknowledged|not answered), \d+ are there/,
      fault: damaged(
        "tearBatch=5",
        sendInstead("commitsTheFirstHalf", /^BEGIN; INSERT/, (sql) =>
          sql.replace(/; INSERT INTO (\S+) [^;]*; COMMIT$/, "; COMMIT"),
        ),
      ),
    },
  },
  mayBeLost: [
    { what: /^(INSERT|BEGIN)/, because: "one batch of many, and both kinds are counted" },
    { what: /^SELECT metric_name/, because: "the process itself shows that it is another" },
    { what: /^SELECT 1 AS up/, because: "it is asked again until it is answered" },
  ],
});
