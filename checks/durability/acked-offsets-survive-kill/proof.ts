import { afterStart, damaged, neverStartAgain } from "../../../src/faults/control.ts";
import { topicFault } from "../../../src/faults/topics.ts";
import type { Operation, OperationOutcome } from "../../../src/history/history.ts";
import type { Acknowledgement, Delivery } from "../../../src/history/topic-group.ts";
import { proveCheck } from "../../../src/proof.ts";
import { sentBy } from "../../concurrency/evidence.ts";
import { failed, killedAt, notRestarted, slowToStart } from "../evidence.ts";
import { ackedOffsetsSurviveKill } from "./index.ts";

const insert = (n: number, outcome: OperationOutcome = "ok"): Operation => ({
  ...sentBy(1, n, 100 + 10 * n, outcome === "ok" ? 5 : 60, outcome),
  kind: "insert",
  key: String(n),
  values: { v: `j${n}` },
});
const delivery = (n: number, consumer: string, change: Partial<Delivery> = {}): Delivery => ({
  consumer,
  partition: "0",
  offset: String(n),
  key: String(n),
  poll: 500 + n,
  invokedAt: 110 + 10 * n,
  returnedAt: 113 + 10 * n,
  ...change,
});
const ack = (upTo: number, outcome: Acknowledgement["outcome"] = "ok"): Acknowledgement => ({
  consumer: "first",
  partition: "0",
  upTo: String(upTo),
  returnedAt: 170,
  outcome,
});
/** Six rows are acknowledged, a seventh is in flight at the kill; the group has acknowledged three, and received one more. */
const sound = {
  crash: killedAt(190),
  published: [...[0, 1, 2, 3, 4, 5].map((n) => insert(n)), insert(6, "unsure")],
  before: [0, 1, 2, 3].map((n) => delivery(n, "first")),
  acknowledged: [ack(2)],
  after: [3, 4, 5].map((n) => delivery(n, "second")),
  elsewhere: [] as readonly string[],
  waitedMs: 30,
  failures: [] as readonly { exchange: number; what: string }[],
};
const rounds = (...some: readonly Partial<typeof sound>[]) => ({
  rounds: [...some.map((one) => ({ ...sound, ...one })), sound],
});
const without = { after: sound.after.slice(1), elsewhere: ["3"], waitedMs: 12_000 };

export default proveCheck(ackedOffsetsSurviveKill, {
  holds: [
    rounds(),
    // An acknowledgement in flight may count or not.
    rounds({ acknowledged: [ack(2), ack(3, "unsure")], after: sound.after.slice(1) }),
    rounds({ acknowledged: [ack(2), ack(3, "unsure")] }),
    rounds({ after: [...sound.after, delivery(6, "second")] }),
  ],
  cannotTell: [
    rounds({ crash: killedAt(190, notRestarted) }),
    rounds({ crash: killedAt(190, slowToStart), after: [] }),
    { rounds: [{ ...sound, crash: killedAt(90) }] },
    rounds({ ...without, failures: [{ exchange: 5, what: "status 500" }] }),
    {
      rounds: [{ ...sound, before: [], acknowledged: [], after: [0, 1, 2, 3, 4, 5].map((n) => delivery(n, "second")) }],
    },
    {
      rounds: [
        { ...sound, before: [0, 1, 2, 3, 4, 5].map((n) => delivery(n, "first")), acknowledged: [ack(5)], after: [] },
      ],
    },
  ],
  breaks: {
    acknowledgedAgain: {
      seen: rounds({ after: [delivery(2, "second"), ...sound.after] }),
      fault: damaged(
        "rewindOffsets=5",
        afterStart(
          topicFault("deliverTheFirstAgain", (messages) => {
            const [first] = messages;
            return first === undefined ? undefined : [{ ...first, offset: 0 }, ...messages];
          }),
        ),
      ),
    },
    lostMessages: {
      seen: rounds(without),
      fault: damaged(
        "skipMessages",
        afterStart(topicFault("skipMessages", (messages) => (messages.length > 0 ? [] : undefined))),
      ),
    },
    strangeMessages: {
      seen: rounds({ after: [...sound.after, delivery(99, "second")] }),
      fault: afterStart(
        topicFault("inventAMessage", (messages) => {
          const last = messages.at(-1);
          return last && [...messages, { ...last, offset: 987_654_321, key: "987654321" }];
        }),
      ),
    },
    doesNotStart: {
      seen: rounds({ crash: killedAt(190, failed), after: [] }),
      fault: neverStartAgain,
    },
  },
  mayBeLost: [
    { what: /^INSERT /, because: "one of many rows, and those that were acknowledged are counted" },
    { what: /^SELECT metric_name/, because: "the process itself shows that it is another" },
    { what: /^SELECT 1 AS up/, because: "it is asked again until it is answered" },
    { what: /^DROP TOPIC /, because: "the end of the run removes the topic, too" },
  ],
});
