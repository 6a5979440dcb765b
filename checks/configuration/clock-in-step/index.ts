import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { integerText, onlyRow } from "../../../src/server/target.ts";

/** With fewer, none of the round trips may be a fast one. */
const tripsMin = 4;

type Trip = {
  /** Our clock when the query was sent and answered, in milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** The digits of the server's clock in between; null where the answer has no time. */
  readonly server: string | null;
};

type Offset = { readonly offMs: number; readonly errorMs: number };

export const clockInStep = defineCheck({
  id: "configuration/clock-in-step",
  title: "The server's clock is accurate",
  failureTitle: "The server's clock is wrong, or ours is",
  description:
    "Asks for NOW() eight times and compares the fastest answer with our own clock. The server's time lies between sending and receiving, so the error is at most half the round trip.",
  blindTo: "It compares two clocks and cannot tell which one is wrong.",
  risk: "Row versions, tokens and TTLs use this clock: rows get the wrong order, tokens and events expire too early or too late.",
  remedy: "Synchronise the clocks of the server and of this machine with NTP.",
  covers: [],
  touches: "nothing",
  level: "block",
  estimateMs: 100,
  estimateRequests: 8,
  limits: { clockOffMsMax: 5_000, clockDriftMsMax: 1_000 },
  findings: {
    clockOff: { say: offsetText },
    clockDrifts: { say: offsetText, level: "warn" },
  },
  async observe(target, context) {
    const trips: Trip[] = [];
    const { timeOrigin } = performance;
    for (let n = 0; n < context.size({ light: 5, standard: 8, deep: 20 }); n += 1) {
      const answer = await target.sql(target.login, "SELECT NOW() AS now");
      trips.push({
        from: timeOrigin + answer.sentAt,
        to: timeOrigin + answer.doneAt,
        server: integerText(onlyRow(answer)?.["now"]) ?? null,
      });
    }
    return { trips };
  },
  judge({ trips }, { found, limits }) {
    const answered = trips.flatMap(({ from, to, server }) => {
      const now = millisOf(server);
      return now === null ? [] : [{ off: now - (from + to) / 2, error: (to - from) / 2 }];
    });
    const best = answered.toSorted((a, b) => a.error - b.error)[0];
    if (best === undefined || answered.length < tripsMin)
      return unknown(`only ${answered.length} of ${trips.length} answers contained a time`);
    const offset = { offMs: Math.round(best.off), errorMs: Math.ceil(best.error) };
    // What half a round trip can explain does not count against the clock.
    const certain = Math.abs(best.off) - best.error;
    if (certain > limits.clockOffMsMax) found.clockOff(offset);
    else if (certain > limits.clockDriftMsMax) found.clockDrifts(offset);
    if (best.error > limits.clockDriftMsMax)
      return unknown(`the fastest round trip took ${Math.round(best.error * 2)} ms, too long to compare the clocks`);
    return pass(`${Math.abs(offset.offMs)} ms apart, ± ${offset.errorMs} ms, best of ${answered.length}`);
  },
});

function offsetText({ offMs, errorMs }: Offset): string {
  return `the server's clock is ${Math.abs(offMs)} ms ${offMs > 0 ? "ahead of" : "behind"} ours (± ${errorMs} ms)`;
}

/** KalamDB returns NOW() in nanoseconds, columns in microseconds, views in milliseconds: the number of digits tells which. */
function millisOf(digits: string | null): number | null {
  if (digits === null || digits.length < 13) return null;
  return Number(digits.slice(0, 13)) + Number(`0.${digits.slice(13)}`);
}
