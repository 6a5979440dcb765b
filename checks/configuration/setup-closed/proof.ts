import { proveCheck, type Fault } from "../../../src/proof.ts";
import { setupClosed } from "./index.ts";

type Kind = "done" | "pending" | "closed" | "unsure";
const setup = (kind: Kind) => ({ kind, outcome: `200 ${kind}`, exchange: 1 });
const sound = { own: setup("done"), forRemote: setup("closed") };

/** Replaces answers to the status of the setup; `chosen` decides by whether the request was for a remote client. */
function answerStatus(name: string, needsSetup: boolean, chosen: (forRemote: boolean) => boolean): Fault {
  return {
    name,
    wrap: (wire, fired) => ({
      ...wire,
      async exchange(request) {
        const answer = await wire.exchange(request);
        const isMine =
          request.path === "/v1/api/auth/status" && chosen(request.headers["x-forwarded-for"] !== undefined);
        if (!isMine || answer.kind !== "answered") return answer;
        fired();
        const body = new TextEncoder().encode(JSON.stringify({ needs_setup: needsSetup }));
        return { ...answer, status: 200, body };
      },
    }),
  };
}

export default proveCheck(setupClosed, {
  holds: [sound, { own: setup("closed"), forRemote: setup("closed") }],
  cannotTell: [
    { ...sound, own: setup("unsure") },
    { ...sound, forRemote: setup("unsure") },
  ],
  breaks: {
    pending: {
      seen: { ...sound, own: setup("pending") },
      fault: answerStatus("reportPendingSetup", true, (forRemote) => !forRemote),
    },
    openToRemote: {
      seen: { ...sound, forRemote: setup("done") },
      fault: answerStatus("openSetupToAll", false, (forRemote) => forRemote),
    },
  },
});
