import { topicFault, type Message } from "../../../src/faults/topics.ts";
import type { Operation, OperationOutcome } from "../../../src/history/history.ts";
import type { Acknowledgement, Delivery } from "../../../src/history/topic-group.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { sentBy } from "../evidence.ts";
import { topicGroupSharesOnce } from "./index.ts";

const insert = (n: number, outcome: OperationOutcome = "ok"): Operation => ({
  ...sentBy(2, n, 10 * n, 5, outcome),
  kind: "insert",
  key: String(n),
  values: {},
});
const published = Array.from({ length: 25 }, (_, n) => insert(n));
/** Received 20 milliseconds after it was inserted, in turn by two consumers; those from 22 on by the third. */
const delivery = (n: number, change: Partial<Delivery> = {}): Delivery => ({
  consumer: n >= 22 ? "successor" : n % 2 === 0 ? "leaver" : "stayer",
  partition: "0",
  offset: String(n),
  key: String(n),
  poll: 100 + n,
  invokedAt: 10 * n + 20,
  returnedAt: 10 * n + 23,
  ...change,
});
const delivered = published.map((_, n) => delivery(n));
const acknowledged: readonly Acknowledgement[] = [
  { consumer: "stayer", partition: "0", upTo: "21", returnedAt: 240, outcome: "ok" },
];
const sound = { published, delivered, acknowledged, failures: [], later: ["22", "23", "24"], inTopic: null };
const repeated = (n: number, change: Partial<Delivery>): Delivery[] => [...delivered, delivery(n, change)];

/** Swallows one message in ten. */
function swallow(): Fault {
  let count = 0;
  return topicFault("swallowOneMessageInTen", (messages) => {
    const kept = messages.filter(() => {
      count += 1;
      return count % 10 !== 0;
    });
    return kept.length < messages.length ? kept : undefined;
  });
}

/** Delivers the last message again, once, to the consumer that has acknowledged it. */
function repeatAfterAck(): Fault {
  const last = new Map<string, Message>();
  const due = new Map<string, Message>();
  return topicFault("deliverTheLastMessageAgainAfterItsAck", (messages, { by, partition, upTo }) => {
    const place = `${by} ${partition}`;
    if (upTo !== undefined) {
      const message = last.get(place);
      if (message !== undefined && Number(message["offset"]) <= upTo) due.set(place, message);
      last.delete(place);
      return undefined;
    }
    const again = due.get(place);
    due.delete(place);
    const latest = messages.at(-1);
    if (latest !== undefined) last.set(place, latest);
    return again === undefined ? undefined : [again, ...messages];
  });
}

/** Delivers the last message of a poll also to the other consumer, if that polls before it is acknowledged. */
function share(): Fault {
  interface Held {
    readonly by: string;
    readonly message: Message;
    acknowledgedAt: number;
  }
  const last = new Map<string, Held>();
  return topicFault("deliverToBothConsumers", (messages, { by, partition, upTo, sentAt }) => {
    const held = last.get(partition);
    if (upTo !== undefined) {
      if (held !== undefined && Number(held.message["offset"]) <= upTo)
        held.acknowledgedAt = Math.min(held.acknowledgedAt, performance.now());
      return undefined;
    }
    const message = messages.at(-1);
    if (message !== undefined) last.set(partition, { by, message, acknowledgedAt: Infinity });
    if (held === undefined || held.by === by || sentAt >= held.acknowledgedAt) return undefined;
    if (message === undefined) last.delete(partition);
    return [...messages, held.message];
  });
}

/** Gives one message in nine the key of no row. */
function misname(): Fault {
  let count = 0;
  return topicFault("giveOneMessageInNineAnotherKey", (messages) => {
    let hasChanged = false;
    const changed = messages.map((message) => {
      count += 1;
      if (count % 9 !== 0) return message;
      hasChanged = true;
      return { ...message, key: "987654321" };
    });
    return hasChanged ? changed : undefined;
  });
}

export default proveCheck(topicGroupSharesOnce, {
  holds: [sound, { ...sound, published: [...published, insert(30, "unsure"), insert(31, "refused")] }],
  cannotTell: [
    { ...sound, failures: [{ exchange: 5, what: "status 500" }], delivered: delivered.slice(1) },
    { ...sound, published: published.slice(0, 10), delivered: delivered.slice(0, 10), later: [] },
    { ...sound, delivered: delivered.map((one) => ({ ...one, consumer: "stayer" })) },
    { ...sound, later: [] },
    {
      ...sound,
      delivered: repeated(20, { consumer: "stayer", invokedAt: 1_300, returnedAt: 1_305 }),
      acknowledged: [],
    },
    { ...sound, acknowledged: [] },
  ],
  breaks: {
    lostMessage: {
      seen: { ...sound, delivered: delivered.slice(1), inTopic: ["0"] },
      fault: swallow(),
    },
    strangeMessage: {
      seen: { ...sound, delivered: repeated(25, { key: "99" }) },
      fault: misname(),
    },
    offsetWentBack: {
      seen: { ...sound, delivered: repeated(20, { consumer: "stayer", invokedAt: 250, returnedAt: 255 }) },
      fault: repeatAfterAck(),
    },
    deliveredToBoth: {
      seen: { ...sound, delivered: repeated(20, { consumer: "stayer", invokedAt: 225, returnedAt: 230 }) },
      fault: share(),
    },
  },
  mayBeLost: [
    { what: /^INSERT /, because: "one of many rows, and those that were acknowledged are counted" },
    { what: /^DROP TOPIC /, because: "the end of the run removes the topic, too" },
  ],
});
