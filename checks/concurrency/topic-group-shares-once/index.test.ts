import { expect, test } from "vitest";
import type { Delivery } from "../../../src/history/topic-group.ts";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { topicGroupSharesOnce } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(topicGroupSharesOnce, proof);
const { delivered, published } = sound;
const again = (n: number, change: Partial<Delivery>): Delivery => ({ ...(delivered[n] as Delivery), ...change });
const without = (...keys: string[]): Delivery[] => delivered.filter(({ key }) => !keys.includes(key));
/** Message 20 came at 223 ms. */
const late = (afterMs: number): Delivery =>
  again(20, { consumer: "stayer", invokedAt: 223 + afterMs, returnedAt: 228 + afterMs });
const held = "unknown: messages were held for so long that they may have been free again";
const both = (times: number): string => JSON.stringify({ offset: "20", partition: "0", times });
/** The same place of another partition, or another place of the same, long before. */
const others = [again(3, { partition: "1", offset: "20", key: "3" })];

test.each<readonly [string, Partial<typeof sound>, string[]]>([
  [
    "again after a second, without an acknowledgement",
    { delivered: [...delivered, late(1_000)], acknowledged: [] },
    [held],
  ],
  [
    "the first one again after a second",
    {
      delivered: [...delivered, again(0, { consumer: "stayer", invokedAt: 1_100, returnedAt: 1_105 })],
      acknowledged: [],
    },
    [held],
  ],
  [
    "again before a second is over",
    { delivered: [...delivered, late(999)], acknowledged: [] },
    [`deliveredToBoth: ${both(1)}`],
  ],
  [
    "again before a second is over, long after others",
    {
      delivered: [
        ...without("3").map((one) => (one.key === "0" ? { ...one, returnedAt: -5_000 } : one)),
        ...others,
        late(900),
      ],
      acknowledged: [],
    },
    [`deliveredToBoth: ${both(1)}`],
  ],
  [
    "two again before a second is over",
    {
      delivered: [...delivered, late(1), again(21, { consumer: "leaver", invokedAt: 240, returnedAt: 241 })],
      acknowledged: [],
    },
    [`deliveredToBoth: ${both(2)}`],
  ],
  [
    "again after its acknowledgement, however late",
    { delivered: [...delivered, late(5_000)] },
    ['offsetWentBack: {"offset":"20","partition":"0","times":1,"acknowledged":true}'],
  ],
  [
    "two back in the order of one consumer",
    {
      delivered: [
        ...delivered.slice(0, 22),
        again(12, { invokedAt: 226, returnedAt: 227 }),
        again(10, { invokedAt: 228, returnedAt: 229 }),
        ...delivered.slice(22),
      ],
      acknowledged: [],
    },
    ['offsetWentBack: {"offset":"12","partition":"0","times":2,"acknowledged":false}'],
  ],
  [
    "two lost, one of them in the topic",
    { delivered: without("3", "4"), inTopic: ["4", "5"] },
    ['lostMessage: {"lost":2,"of":25,"keys":["3","4"],"inTopic":1}'],
  ],
  [
    "two strange, in the place of two others",
    { delivered: delivered.map((one) => (/^[34]$/.test(one.key) ? { ...one, key: `9${one.key}` } : one)) },
    ['strangeMessage: {"key":"93","offset":"3","times":2}'],
  ],
])("%s", (_, change, verdict) => {
  expect(judged(topicGroupSharesOnce, { ...sound, ...change })).toEqual(verdict);
});

const take = (count: number): Partial<typeof sound> => {
  const keys = new Set(published.slice(25 - count).map(({ key }) => key));
  return {
    published: published.filter(({ key }) => keys.has(key)),
    delivered: delivered.filter(({ key }) => keys.has(key)),
  };
};
const alone = (name: string) =>
  delivered.map((one) => (/leaver|stayer/.test(one.consumer) ? { ...one, consumer: name } : one));

test.each<readonly [string, Partial<typeof sound>, string]>([
  ["twenty published", take(20), "pass: 20 rows, each delivered once: 8 and 9 to two consumers at once, 3 to one"],
  ["nineteen published", take(19), "unknown: only 19 rows were acknowledged; at least 20 are needed"],
  [
    "one consumer alone",
    { delivered: alone("stayer") },
    "unknown: the consumers received 0, 22, 3 messages; each must have received one at least",
  ],
  ["the other alone", { delivered: alone("leaver") }, "unknown: the consumers received 22, 0, 3 messages"],
  [
    "one message for the successor",
    { later: ["24"] },
    "pass: 25 rows, each delivered once: 11 and 11 to two consumers at once, 1 to one",
  ],
  [
    "one message for each",
    {
      delivered: delivered.map((one, at) => (at === 0 ? one : { ...one, consumer: at < 24 ? "stayer" : "successor" })),
    },
    "pass: 25 rows, each delivered once: 1 and 23 to two consumers at once, 1 to one",
  ],
])("%s", (_, change, verdict) => {
  expect(judged(topicGroupSharesOnce, { ...sound, ...change })[0]).toContain(verdict);
});
