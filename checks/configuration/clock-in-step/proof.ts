import type { Json } from "../../../src/wire/json.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { integerText } from "../../../src/server/target.ts";
import { clockInStep } from "./index.ts";

const at = 1_800_000_000_000;
const trips = (off: number, tripMs = 10) =>
  Array.from({ length: 8 }, () => ({
    from: at,
    to: at + tripMs,
    server: String(at + tripMs / 2 + off) as string | null,
  }));

function setClockBack(name: string, ms: number): Fault {
  const moved = (cell: Json): Json => {
    const digits = integerText(cell);
    return digits === undefined
      ? cell
      : { exact: String(BigInt(digits) - BigInt(ms) * 10n ** BigInt(digits.length - 13)) };
  };
  return changeRows(name, /SELECT NOW\(\)/, (rows) => rows.map((row) => row.map(moved)));
}

export default proveCheck(clockInStep, {
  holds: [{ trips: trips(0) }, { trips: trips(999) }, { trips: trips(-400) }],
  cannotTell: [
    { trips: [] },
    { trips: trips(0).slice(0, 3) },
    { trips: trips(0).map((trip) => ({ ...trip, server: null })) },
    // Seconds, of which there are fewer digits.
    { trips: trips(0).map((trip) => ({ ...trip, server: "1800000000" })) },
    { trips: trips(0, 4_000) },
  ],
  breaks: {
    clockOff: { seen: { trips: trips(6_000) }, fault: setClockBack("setClockBackAMinute", 60_000) },
    clockDrifts: { seen: { trips: trips(-2_000) }, fault: setClockBack("setClockBackThreeSeconds", 3_000) },
  },
  mayBeLost: [{ what: /^SELECT NOW/, because: "the fastest of several answers counts, and their number is told" }],
});
