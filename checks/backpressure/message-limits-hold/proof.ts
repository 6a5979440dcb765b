import { endFault, frameFault, messageFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { messageLimitsHold } from "./index.ts";
import type { Flood, Limits, Long } from "./limits.ts";

const mebibyte = 1_048_576;
const long = (bytes: number, answer: Long["answer"] = { kind: "error", text: "MESSAGE_TOO_LARGE" }): Long => ({
  bytes,
  limit: mebibyte,
  answer,
  exchange: 7,
});
const flood: Flood = { messages: 200, perSecond: 50, refused: 150, tookMs: 12, closed: null, exchange: 8 };
const sibling = (who: string) => ({ who, closed: null as string | null, delivered: true });
const siblings = ["another connection of the same user", "another user's connection", "the connection itself"].map(
  sibling,
);
const sound: Limits = { long: [long(mebibyte + 1), long(2 * mebibyte)], flood, siblings, control: true, direct: true };
const cut = { kind: "closed", text: "1006" } as const;
const first = (change: object) => ({
  ...sound,
  siblings: siblings.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
});

const isLong = (message: object): boolean => "padding" in message;

/** The limit is off by one: the message that is one byte too long is taken. */
const offByOne = messageFault("takeOneByteMore", (message) => {
  const padding = message["padding"];
  return isLong(message) && typeof padding === "string" && JSON.stringify(message).length === mebibyte + 1
    ? [{ ...message, padding: padding.slice(1) }]
    : undefined;
});

/** Neither the error nor the reason arrives. */
const cutWithoutAWord: Fault = (() => {
  const hide = frameFault("hideTheError", () => (message, { pass, fired }) => {
    if (message["code"] === "MESSAGE_TOO_LARGE") fired();
    else pass(message);
  });
  const end = endFault("loseTheReason", (close) =>
    close.code === 1009 ? { ...close, code: 1006, reason: "" } : undefined,
  );
  return { name: "cutWithoutAWord", wrap: (wire, fired) => hide.wrap(end.wrap(wire, fired), fired) };
})();

/** The first connection gets nothing any more once another has sent too much. */
const starveTheSibling = (): Fault => {
  let tooMuch = false;
  let connections = 0;
  const count = messageFault("count", (message) => {
    if (message["subscription_id"] === "no such") tooMuch = true;
    return undefined;
  });
  const starve = frameFault("starveTheSibling", () => {
    connections += 1;
    const own = connections;
    return (message, { pass, fired }) => {
      if (!tooMuch || own !== 1 || message["type"] !== "change") return pass(message);
      fired();
    };
  });
  return { name: "starveTheSibling", wrap: (wire, fired) => starve.wrap(count.wrap(wire, fired), fired) };
};

const allowAnyRate: Fault = frameFault("allowAnyRate", () => (message, { pass, fired }) => {
  if (message["code"] !== "RATE_LIMIT_EXCEEDED") return pass(message);
  fired();
  pass({ type: "error", subscription_id: "no such", code: "BATCH_FETCH_FAILED", message: "Subscription not found" });
});

export default proveCheck(messageLimitsHold, {
  holds: [
    sound,
    { ...sound, long: [long(mebibyte + 1, { kind: "closed", text: "1009 Message exceeds maximum size" })] },
    { ...sound, flood: { ...flood, refused: 3, closed: "1008 too many messages" } },
  ],
  cannotTell: [
    { ...sound, long: [] },
    { ...sound, long: [long(mebibyte + 1, null)] },
    { ...sound, long: [long(mebibyte + 1, cut)], direct: false },
    { ...sound, flood: null },
    { ...sound, flood: { ...flood, refused: 0, tookMs: 4_000 } },
    { ...sound, flood: { ...flood, refused: 0, tookMs: null } },
    { ...sound, flood: { ...flood, refused: 0, closed: "1006" }, direct: false },
    { ...sound, siblings: [] },
    { ...first({ delivered: false }), control: false },
    first({ closed: "1006", delivered: false }),
  ],
  breaks: {
    accepted: {
      seen: {
        ...sound,
        long: [long(mebibyte + 1, { kind: "accepted", text: "subscription_ack" }), long(2 * mebibyte)],
      },
      fault: offByOne,
    },
    unexplained: { seen: { ...sound, long: [long(mebibyte + 1, cut)] }, fault: cutWithoutAWord },
    killedSiblings: { seen: first({ delivered: false }), fault: starveTheSibling() },
  },
  mayBeLost: [{ what: /^frame .*RATE_LIMIT/, because: "one of many refusals, which are counted" }],
});

/** Further faults, by the finding that they must cause (faults.test.ts). */
export const alsoFound: Readonly<Record<string, readonly Fault[]>> = { accepted: [allowAnyRate] };
