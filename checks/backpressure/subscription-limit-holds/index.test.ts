import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { noOpening, ready, refusal } from "../../vocabulary/opening-evidence.ts";
import { subscriptionLimitHolds } from "./index.ts";
import proof from "./proof.ts";
import { isLimit, type Quota, type Returned } from "./quota.ts";

const sound = soundFor(subscriptionLimitHolds, proof);
const full = refusal("SUBSCRIPTION_LIMIT_EXCEEDED", "Maximum subscriptions reached");
const seen = (change: Partial<Quota>): string[] => judged(subscriptionLimitHolds, { ...sound, ...change });
const withWay = (at: number, change: Partial<Returned>, more: Partial<Quota> = {}): string[] =>
  seen({ returned: sound.returned.map((one, index) => (index === at ? { ...one, ...change } : one)), ...more });
const withOther = (at: number, change: object): string[] =>
  seen({ others: sound.others.map((one, index) => (index === at ? { ...one, ...change } : one)) });
const unknown = (start: string): string[] => [expect.stringMatching(new RegExp(`^unknown: ${start}`))];

test("a limit is a refusal for the number of subscriptions, not for the rate", () => {
  expect(isLimit(full)).toBe(true);
  expect(isLimit({ ...full, code: "TOO_MANY" })).toBe(true);
  for (const change of [{ code: "RATE_LIMIT_EXCEEDED" }, { reason: "other" }, { kind: "unsure" }, { kind: "ready" }])
    expect(isLimit({ ...full, ...(change as object) })).toBe(false);
});

test("as many as the limit, and one more refused", () => {
  for (const extra of [null, full]) expect(seen({ opened: 11, extra })).toEqual(['noLimit: {"opened":11,"limit":10}']);
  expect(seen({ opened: 9 })).toEqual([
    expect.stringMatching(/^belowLimit: \{"opened":9,"limit":10,"code":"SUBSCRIPTION_LIMIT_EXCEEDED/),
  ]);
  const others = [noOpening(), ready(), refusal("RATE_LIMIT_EXCEEDED"), refusal("NOT_FOUND"), null];
  for (const opened of [9, 10])
    for (const extra of others) expect(seen({ opened, extra })).toEqual(unknown(`${opened} of 10 `));
  expect(seen({ limit: null })).toEqual(unknown("the limit is not in the settings"));
  expect(seen({ tooMany: true, opened: 11 })).toEqual(unknown("a limit of 10 subscriptions is too high"));
});

/** Without a limit that holds, nothing that follows shows anything. */
const notHeld: readonly Partial<Quota>[] = [
  { extra: null },
  { extra: noOpening() },
  { opened: 9, extra: noOpening() },
  { opened: 9, extra: null },
];

test("an unsubscribe of nothing must free nothing", () => {
  const forged = ['quotaForged: {"how":"unsubscribing with ids that do not exist"}'];
  expect(seen({ forged: ready() })).toEqual(forged);
  for (const change of notHeld) expect(seen({ ...change, forged: ready() })).toEqual(unknown(""));
  expect(seen({ opened: 9, forged: ready(), end: ready() })).toEqual([expect.stringMatching(/^belowLimit/)]);
  expect(seen({ opened: 11, forged: ready(), end: ready() })).toEqual([expect.stringMatching(/^noLimit/)]);
  for (const one of [null, noOpening(), refusal("RATE_LIMIT_EXCEEDED")])
    expect(seen({ forged: one })).toEqual(unknown("one more subscription was neither refused nor accepted: "));
});

test.each([0, 1])("the other subscription %i goes on", (at) => {
  const who = sound.others[at]?.who ?? "";
  const hurt = (what: string): string[] => [`hurtOthers: ${JSON.stringify({ who, what })}`];
  for (const delivered of [true, false]) {
    expect(withOther(at, { closed: "1011 gone", delivered })).toEqual(hurt("lost the connection: 1011 gone"));
    expect(withOther(at, { closed: "1006", delivered })).toEqual(
      unknown(`${who} lost the connection \\(1006\\), maybe`),
    );
  }
  expect(withOther(at, { delivered: false })).toEqual(hurt("received no more changes"));
  expect(withOther(at, { delivered: false, control: false })).toEqual(unknown(`${who} received no change`));
  expect(withOther(at, { control: false })).toEqual([expect.stringMatching(/^pass/)]);
});

test("both other subscriptions are needed", () => {
  for (const count of [0, 1])
    expect(seen({ others: sound.others.slice(0, count) })).toEqual(["unknown: nobody else received no change"]);
});

test.each([
  [0, "unsubscribe", "an unsubscribe"],
  [1, "close", "a close"],
  [2, "cut", "a TCP reset"],
])("way %i: as many come back as ended by %s", (at, way, text) => {
  const freed = sound.returned[at]?.freed ?? 0;
  const lost = { back: freed - 1, last: full, waitedMs: 21_000 };
  expect(withWay(at, lost)).toEqual([
    expect.stringMatching(
      new RegExp(
        `^quotaLost: ${way}: \\{"way":"${way}","freed":${freed},"back":${freed - 1},"waitedMs":21000,"code":"`,
      ),
    ),
  ]);
  // All are back, though the limit was met on the way.
  expect(withWay(at, { last: full })).toEqual([expect.stringMatching(/^pass/)]);
  for (const last of [noOpening(), ready(), refusal("RATE_LIMIT_EXCEEDED")])
    expect(withWay(at, { ...lost, last })).toEqual(unknown(`after ${text}: `));
  for (const change of notHeld) expect(withWay(at, lost, change)).toEqual(unknown(""));
  expect(withWay(at, { freed: 0, back: 0 })).toEqual(unknown(`after ${text}: `));
});

test("when all are back, one more must be refused again", () => {
  const end = ready();
  const how = "subscriptions ended by an unsubscribe, a close, a TCP reset";
  expect(seen({ end })).toEqual([`quotaForged: ${JSON.stringify({ how })}`]);
  // It shows nothing where fewer came back, where not all was tried, or where there is no limit.
  const unclear = unknown("one more subscription was neither refused nor accepted: ");
  for (const at of [0, 1, 2]) {
    const freed = sound.returned[at]?.freed ?? 0;
    for (const change of [{ back: freed - 1 }, { back: freed + 1 }, { freed: 0, back: 0 }])
      expect(withWay(at, change, { end })).toEqual(unclear);
    expect(seen({ returned: sound.returned.filter((_, index) => index !== at), end })).toEqual(unclear);
  }
  expect(seen({ returned: [], end })).toEqual(unclear);
  for (const forged of [null, noOpening()]) expect(seen({ forged, end })).toEqual(unclear);
  for (const change of notHeld) expect(seen({ ...change, end })).toEqual(unknown(""));
  for (const one of [null, noOpening()]) expect(seen({ end: one })).toEqual(unclear);
  expect(seen({ returned: sound.returned.slice(1) })).toEqual(unknown("not every way to end a subscription was tried"));
});
