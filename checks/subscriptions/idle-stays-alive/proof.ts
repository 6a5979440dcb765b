import { closeFault, pingFault } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { idleStaysAlive } from "./index.ts";

const sound = {
  alive: { arrived: true, lostAfterMs: null as number | null, how: "", single: false },
  silent: { afterMs: 11_000, code: 1000, reason: "Heartbeat timeout" } as {
    afterMs: number;
    code: number;
    reason: string;
  } | null,
  pace: { waitedMs: 15_000, controlMs: 12 as number | null },
  timeoutMs: 10_000,
};

export default proveCheck(idleStaysAlive, {
  holds: [sound, { ...sound, silent: { afterMs: 11_000, code: 1000, reason: "" } }],
  cannotTell: [
    { ...sound, alive: { ...sound.alive, arrived: false } },
    // One of the two, and any network may do that.
    { ...sound, alive: { arrived: false, lostAfterMs: 7_000, how: "1006", single: true } },
    { ...sound, silent: { afterMs: 3_000, code: 1006, reason: "" } },
    // A server that is slow altogether is not accused.
    { ...sound, silent: null, pace: { waitedMs: 21_000, controlMs: 3_000 } },
    {
      ...sound,
      alive: { arrived: false, lostAfterMs: 10_500, how: "1000 Heartbeat timeout", single: false },
      pace: { waitedMs: 15_000, controlMs: 3_000 },
    },
  ],
  breaks: {
    droppedIdle: {
      seen: { ...sound, alive: { arrived: false, lostAfterMs: 10_500, how: "1000 Heartbeat timeout", single: false } },
      fault: pingFault("swallowThePings"),
    },
    cutInBetween: {
      seen: { ...sound, timeoutMs: 60_000, alive: { arrived: false, lostAfterMs: 30_000, how: "1006", single: false } },
      onPaperOnly: "it needs a server with a client time-out of a minute, and half a minute to be cut",
    },
    neverClosed: {
      seen: { ...sound, silent: null },
      fault: closeFault("swallowTheClose", ({ reason }) => reason !== ""),
    },
  },
});
