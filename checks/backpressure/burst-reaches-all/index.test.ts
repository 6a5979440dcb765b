import { expect, test } from "vitest";
import { judged, nothing, soundFor } from "../../vocabulary/evidence.ts";
import { burstReachesAll } from "./index.ts";
import proof from "./proof.ts";

const { bursts } = soundFor(burstReachesAll, proof);
type Burst = (typeof bursts)[number];
const withBurst = (at: number, change: (one: Burst) => Partial<Burst>): string[] =>
  judged(burstReachesAll, { bursts: bursts.map((one, index) => (index === at ? { ...one, ...change(one) } : one)) });
const without = (lacking: Readonly<Record<number, number>>) => (one: Burst) => ({
  shares: one.shares.map((share, at) => {
    const lost = lacking[at] ?? 0;
    return { ...share, got: share.got - lost, missing: Array.from({ length: lost }, (_, n) => `${at}.${n}`) };
  }),
});

test.each([0, 1, 2])("of burst %i one lost change is found, with the subscriber that missed most", (at) => {
  const [name, changes] = [bursts[at]?.name ?? "", bursts[at]?.changes ?? 0];
  const of = { burst: name, of: 5, changes };
  expect(withBurst(at, without({ 4: 1 }))).toEqual([
    `lostChanges: ${name}: ${JSON.stringify({ burst: name, subscribers: 1, of: 5, got: changes - 1, changes, first: ["4.0"] })}`,
  ]);
  const [found = ""] = withBurst(at, without({ 0: 1, 1: 3, 2: 2 }));
  expect(JSON.parse(found.slice(`lostChanges: ${name}: `.length))).toEqual({
    ...of,
    subscribers: 3,
    got: changes - 3,
    first: ["1.0", "1.1", "1.2"],
  });
});

test("what a subscriber was told, or what may still come, does not clear the others", () => {
  const shares = (one: Burst): readonly Burst["shares"][number][] => without({ 0: 9, 1: 1, 2: 5 })(one).shares;
  expect(
    withBurst(1, (one) => ({
      shares: shares(one).map((share, at) => ({
        ...share,
        fenced: at !== 2,
        notices: at === 0 ? ["SLOW_READER 9 changes were dropped"] : [],
      })),
    })),
  ).toEqual([expect.stringMatching(/"subscribers":1,"of":5,"got":499,"changes":500,"first":\["1\.0"\]/)]);
});

test.each([0, 1, 2])("burst %i must be acknowledged, in the table, and seen to the end by every subscriber", (at) => {
  const name = bursts[at]?.name ?? "";
  const lost = without({ 0: 1 });
  expect(withBurst(at, (one) => ({ ...lost(one), said: nothing() }))).toEqual([
    `unknown: ${name}: not acknowledged: no answer within 15000 ms`,
  ]);
  for (const off of [-1, 1])
    expect(withBurst(at, (one) => ({ ...lost(one), there: one.rows + off }))).toEqual([
      expect.stringMatching(new RegExp(`^unknown: ${name}: the table has \\d+ of \\d+ rows`)),
    ]);
  expect(withBurst(at, ({ shares }) => ({ shares: shares.slice(1) }))).toEqual([
    `unknown: ${name}: only 4 subscribers`,
  ]);
  const last = (change: Partial<Burst["shares"][number]>): string[] =>
    withBurst(at, ({ shares }) => ({ shares: shares.map((one, n) => (n === 4 ? { ...one, ...change } : one)) }));
  expect(last({ fenced: false })).toEqual([expect.stringMatching(new RegExp(`^unknown: ${name}: the rows written`))]);
  expect(last({ notices: ["closed", "again"] })).toEqual([`unknown: ${name}: a subscriber was told: closed; again`]);
});

test("all three bursts are needed, and a lost change is found among fewer", () => {
  expect(judged(burstReachesAll, { bursts: bursts.slice(1) })).toEqual(["unknown: only 2 of 3 bursts were written"]);
  const [first] = bursts;
  if (first === undefined) throw new Error("no bursts");
  expect(judged(burstReachesAll, { bursts: [{ ...first, ...without({ 3: 1 })(first) }] })).toEqual([
    expect.stringMatching(/^lostChanges/),
  ]);
});
