import { topicFault } from "../../../src/faults/topics.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import type { Death } from "./dying.ts";
import { unacknowledgedRedelivered } from "./index.ts";

const ten = Array.from({ length: 10 }, (_, key) => String(key));
const sound: Death = {
  timeoutMs: 8_000,
  claimed: ten,
  again: ten,
  inTopic: ten,
  waitedMs: 8_100,
  failures: [],
  exchanges: [7],
};
const orphaned: Death = { ...sound, again: ten.slice(0, 8), waitedMs: 20_000 };

/** What a consumer has received is nobody else's for ever, acknowledged or not. */
const neverRelease = (): Fault => {
  const owners = new Map<string, string>();
  return topicFault("neverReleaseClaims", (messages, { by, group, upTo }) => {
    if (upTo !== undefined) return undefined;
    const kept = messages.filter((message) => {
      const place = JSON.stringify([group, message["topic_id"], message["offset"]]);
      const owner = owners.get(place) ?? by;
      owners.set(place, owner);
      return owner === by;
    });
    return kept.length < messages.length ? kept : undefined;
  });
};

export default proveCheck(unacknowledgedRedelivered, {
  holds: [sound, { ...sound, waitedMs: 300 }],
  cannotTell: [
    { ...sound, timeoutMs: null, claimed: [], again: [], inTopic: [] },
    { ...sound, claimed: ten.slice(1) },
    { ...orphaned, inTopic: [] },
    { ...orphaned, waitedMs: 9_000 },
    { ...orphaned, failures: [{ exchange: 5, what: "status 500" }] },
  ],
  breaks: { notRedelivered: { seen: orphaned, fault: neverRelease() } },
  mayBeLost: [{ what: /^DROP TOPIC /, because: "the end of the run removes the topic, too" }],
});
