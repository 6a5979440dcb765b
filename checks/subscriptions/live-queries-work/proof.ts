import { changeFault, frameFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import type { SocketOutcome } from "../../../src/wire/wire.ts";
import { latePace, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import { noOpening, ready, refusal } from "../../vocabulary/opening-evidence.ts";
import { liveQueriesWork } from "./index.ts";

type Seen = Parameters<typeof liveQueriesWork.judge>[0];
type Failed = Seen["failed"];

const sound: Seen = {
  failed: [],
  overHttp: yes(),
  opening: ready(),
  acknowledged: 3,
  delivered: true,
  opened: latePace,
  arriving: latePace,
  notices: [],
};
const forbidden = { kind: "refused", why: "the upgrade was answered with 403" } as const;
const late = { kind: "unanswered", why: "the upgrade was not answered within 10000 ms" } as const;
const without = (failed: Failed): Seen => ({ ...sound, failed, opening: null, acknowledged: 0, delivered: false });

/** Every upgrade fails, like behind a proxy that does not forward them. */
function upgradeFault(name: string, outcome: SocketOutcome & { kind: "failed" }): Fault {
  return {
    name,
    wrap: (wire, fired) => ({
      ...wire,
      async socket() {
        fired();
        return await Promise.resolve(outcome);
      },
    }),
  };
}

export default proveCheck(liveQueriesWork, {
  holds: [sound, { ...sound, failed: [forbidden] }],
  cannotTell: [
    { ...without([forbidden, forbidden, forbidden]), overHttp: nothing() },
    { ...sound, opening: null, acknowledged: 0, delivered: false },
    without([forbidden, { kind: "ours", why: "the run's own token has expired" }]),
    { ...sound, opening: noOpening(), opened: slowPace, acknowledged: 0, delivered: false },
    without([{ kind: "ours", why: "the run's own token has expired" }]),
    { ...sound, opening: refusal("SUBSCRIPTION_LIMIT_EXCEEDED") },
    { ...sound, acknowledged: 0, delivered: false },
    // A server that is slow altogether is not accused.
    { ...without([late, late, late]), opened: slowPace },
    { ...sound, delivered: false, arriving: slowPace },
  ],
  breaks: {
    refused: {
      seen: without([forbidden, forbidden, forbidden]),
      fault: upgradeFault("refuseUpgrades", {
        kind: "failed",
        because: "malformed",
        detail: "the upgrade was answered with 403",
        status: 403,
      }),
    },
    unanswered: {
      seen: without([late, late, late]),
      fault: upgradeFault("loseUpgrades", {
        kind: "failed",
        because: "timeout",
        detail: "the upgrade was not answered within 10000 ms",
      }),
    },
    subscribeRefused: {
      seen: { ...sound, opening: refusal("SUBSCRIPTION_FAILED", "internal error"), acknowledged: 0, delivered: false },
      fault: frameFault("refuseSubscriptions", () => (message, { pass, fired }) => {
        if (message["type"] !== "subscription_ack") return pass(message);
        fired();
        pass({
          type: "error",
          subscription_id: message["subscription_id"] ?? "",
          code: "SUBSCRIPTION_FAILED",
          message: "internal error",
        });
      }),
    },
    nothingDelivered: {
      seen: { ...sound, delivered: false },
      fault: changeFault("swallowEveryChange", 1, () => []),
    },
  },
  mayBeLost: [
    { what: /^frame .*"change"/, because: "one row that is delivered is enough" },
    { what: /^INSERT /, because: "one row that is delivered is enough" },
  ],
});
