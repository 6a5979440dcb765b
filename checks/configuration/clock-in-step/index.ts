import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { integerText, onlyRow } from "../../../src/server/target.ts";

/** Fewer leave it to chance whether one of them was quick. */
const tripsMin = 4;

type Trip = {
  /** Our clock before and after, milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** The server's clock between the two, milliseconds since 1970; null where the answer held none. */
  readonly server: number | null;
};

export const clockInStep = defineCheck({
  id: "configuration/clock-in-step",
  title: "The server's clock is right",
  failureTitle: "The server's clock is wrong, or ours is",
  description:
    "Asks for NOW() eight times and compares the quickest answer with our own clock: the server's time lies between sending and receiving, so the error is at most half the round trip.",
  blindTo: "It compares two clocks and cannot say which of them is right.",
  risk: "Row versions, tokens and lifetimes are made from this clock: rows get the wrong order, tokens end too early or too late.",
  remedy: "Keep the clocks of the server and of this machine in step with NTP.",
  covers: [],
  touches: "nothing",
  level: "block",
  estimateMs: 100,
  estimateRequests: 8,
  limits: { clockOffMsMax: 5_000, clockDriftMsMax: 1_000 },
  findings: {
    clockOff: {
      say: (d: { offMs: number; errorMs: number }) =>
        `the server's clock is ${d.offMs} ms ${d.offMs > 0 ? "ahead of" : "behind"} ours (± ${d.errorMs} ms)`,
    },
    clockDrifts: {
      say: (d: { offMs: number; errorMs: number }) =>
        `the server's clock is ${d.offMs} ms ${d.offMs > 0 ? "ahead of" : "behind"} ours (± ${d.errorMs} ms)`,
      level: "warn",
    },
  },
  async observe(target, context) {
    const trips: Trip[] = [];
    for (let n = 0; n < context.size({ light: 5, standard: 8, deep: 20 }); n += 1) {
      const answer = await target.sql(target.login, "SELECT NOW() AS now");
      const origin = performance.timeOrigin;
      trips.push({
        from: origin + answer.sentAt,
        to: origin + answer.doneAt,
        server: millisOf(integerText(onlyRow(answer)?.["now"])),
      });
    }
    return { trips };
  },
  judge({ trips }, { limits }) {
    const answered = trips.flatMap(({ from, to, server }) =>
      server === null ? [] : [{ off: server - (from + to) / 2, error: (to - from) / 2 }],
    );
    const best = answered.toSorted((a, b) => a.error - b.error)[0];
    if (best === undefined || answered.length < tripsMin)
      return unknown(`only ${answered.length} of ${trips.length} answers told a time`);
    const offMs = Math.round(best.off);
    const errorMs = Math.ceil(best.error);
    // What half a round trip could explain is not held against the clock.
    const certain = Math.abs(best.off) - best.error;
    if (certain > limits.clockOffMsMax) return fail({ name: "clockOff", data: { offMs, errorMs } });
    if (certain > limits.clockDriftMsMax) return fail({ name: "clockDrifts", data: { offMs, errorMs } });
    if (best.error > limits.clockDriftMsMax)
      return unknown(`the quickest round trip took ${Math.round(best.error * 2)} ms, too long to tell`);
    return pass(`${Math.abs(offMs)} ms apart, ± ${errorMs} ms, best of ${answered.length}`);
  },
});

/** KalamDB writes NOW() in nanoseconds, columns in microseconds, views in milliseconds: the number of digits tells which. */
function millisOf(digits: string | undefined): number | null {
  if (digits === undefined || digits.length < 13) return null;
  return Number(digits.slice(0, 13)) + Number(`0.${digits.slice(13) || "0"}`);
}
