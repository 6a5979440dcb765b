import { messageFault } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { unsubscribeSilences } from "./index.ts";

const round = { before: ["before 0"], after: [] as string[], fenced: true, exchange: 1 };
const sound = { rounds: [round, round, round], why: null as string | null };

export default proveCheck(unsubscribeSilences, {
  holds: [sound],
  cannotTell: [
    { rounds: [round], why: "a subscription did not begin" },
    { ...sound, rounds: [round, round] },
    { ...sound, rounds: [round, round, { ...round, fenced: false }] },
    { ...sound, rounds: [round, round, { ...round, before: [] }] },
  ],
  breaks: {
    goesOn: {
      seen: { ...sound, rounds: [round, round, { ...round, after: ["after 2"] }] },
      fault: messageFault("ignoreUnsubscribe", (message) => (message["type"] === "unsubscribe" ? [] : undefined)),
    },
  },
});
