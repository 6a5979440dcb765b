import { cellText, isRecord, type Json } from "../../../src/wire/json.ts";
import { connectionFault, messageFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { unsubscribeSilences } from "./index.ts";

const round = {
  before: ["before 0"],
  after: [] as string[],
  fenced: true,
  deaf: false,
  othersEnded: false,
  exchange: 1,
};
const sound = { rounds: [round, round, round], why: null as string | null };

type Message = { readonly [key: string]: Json };
const subscribed = ({ type, subscription }: Message): string | undefined =>
  type === "subscribe" && isRecord(subscription) ? cellText(subscription["id"]) : undefined;

/** The first unsubscribe ends all subscriptions of its connection. */
function unsubscribeAll(): Fault {
  return connectionFault("unsubscribeAll", () => {
    const ids = new Set<string>();
    return {
      sent(message) {
        const id = subscribed(message);
        if (id !== undefined) ids.add(id);
        if (message["type"] !== "unsubscribe") return undefined;
        const all = [...ids].map((one) => ({ type: "unsubscribe", subscription_id: one }));
        ids.clear();
        return all;
      },
    };
  });
}

/** Changes for an id that was unsubscribed once are dropped. */
function silenceUsedIds(): Fault {
  return connectionFault("silenceUsedIds", () => {
    const ended = new Set<string>();
    return {
      sent(message) {
        if (message["type"] === "unsubscribe") ended.add(cellText(message["subscription_id"]));
        return undefined;
      },
      got: (message) =>
        message["type"] === "change" && ended.has(cellText(message["subscription_id"])) ? [] : undefined,
    };
  });
}

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
    othersEnded: {
      seen: { ...sound, rounds: [round, round, { ...round, fenced: false, othersEnded: true }] },
      fault: unsubscribeAll(),
    },
    deaf: {
      seen: { ...sound, rounds: [round, { ...round, before: [], deaf: true }] },
      fault: silenceUsedIds(),
    },
  },
});
