import { closeFault, pingFault } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { idleStaysAlive } from "./index.ts";

const sound = {
  alive: { arrived: true, lostAfterMs: null as number | null, how: "" },
  silent: { afterMs: 11_000, code: 1000, reason: "Heartbeat timeout" } as {
    afterMs: number;
    code: number;
    reason: string;
  } | null,
  waitedMs: 15_000,
};

export default proveCheck(idleStaysAlive, {
  holds: [sound],
  cannotTell: [{ ...sound, alive: { arrived: false, lostAfterMs: null, how: "" } }],
  breaks: {
    droppedIdle: {
      seen: { ...sound, alive: { arrived: false, lostAfterMs: 10_500, how: "1000 Heartbeat timeout" } },
      fault: pingFault("swallowThePings"),
    },
    neverClosed: {
      seen: { ...sound, silent: null, waitedMs: 21_000 },
      fault: closeFault("swallowTheClose", ({ reason }) => reason !== ""),
    },
  },
});
