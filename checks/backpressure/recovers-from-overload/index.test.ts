import { expect, test } from "vitest";
import { judged, nothing, soundFor } from "../../vocabulary/evidence.ts";
import { recoversFromOverload } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(recoversFromOverload, proof);
type Phase = typeof sound.before;
const seen = (change: Partial<typeof sound>): string[] => judged(recoversFromOverload, { ...sound, ...change });
const [calm, overload] = [sound.before, sound.overload];
const before = (change: Partial<Phase>): string[] => seen({ before: { ...calm, ...change } });
const under = (change: Partial<Phase>): string[] => seen({ overload: { ...overload, ...change } });
const after = (...changes: Partial<Phase>[]): string[] => seen({ after: changes.map((one) => ({ ...calm, ...one })) });
const passes = [expect.stringMatching(/^pass/)];
const failed = { ...nothing("unrecognised"), status: 500, message: "pool timed out" };

test("one wrong answer is enough, under the overload and in any phase after it", () => {
  const wrong = { wrong: 1, sample: [failed] };
  const told = (of: number, when: string): string[] => [
    `collapsed: ${when}: ${JSON.stringify({ wrong: 1, of, when, example: "500 pool timed out" })}`,
  ];
  expect(under(wrong)).toEqual(told(480, "under overload"));
  expect(after(wrong, {})).toEqual(told(30, "after it"));
  expect(after({}, wrong)).toEqual(told(30, "after it"));
  expect(under({ wrong: 2, sample: [] })).toEqual([expect.stringMatching(/^collapsed: .*"wrong":2,.*"example":""/)]);
  expect(under({ sample: [failed] })).toEqual(passes);
});

test("broken connections are the overload's from ten on, and from five in a hundred", () => {
  const broken = (count: number, offered: number, more: Partial<typeof sound> = {}): string[] =>
    seen({ overload: { ...overload, broken: count, offered, sample: [nothing("reset")] }, ...more });
  const told = (count: number): string[] => [
    expect.stringMatching(new RegExp(`^collapsed: under .*"wrong":${count},`)),
  ];
  expect(broken(10, 200)).toEqual(told(10));
  expect(broken(10, 201)).toEqual(passes);
  expect(broken(9, 180)).toEqual(passes);
  expect(broken(24, 480)).toEqual(told(24));
  expect(broken(23, 480)).toEqual([expect.stringContaining(", 23 on connections that broke;")]);
  expect(broken(100, 480, { before: { ...calm, broken: 1 } })).toEqual(passes);
  // Beside errors they count as well where they are many.
  expect(under({ broken: 24, wrong: 3, sample: [failed] })).toEqual(told(27));
  expect(under({ broken: 9, wrong: 3, sample: [failed] })).toEqual(told(3));
});

test("one request without an answer is told, whenever it was sent", () => {
  const told = (unanswered: number, of: number): string[] => [
    `stoppedAnswering: ${JSON.stringify({ unanswered, of })}`,
  ];
  expect(under({ unanswered: 1 })).toEqual(told(1, 510));
  expect(after({ unanswered: 1 }, { unanswered: 2 })).toEqual(told(3, 540));
  expect(before({ unanswered: 1 })).toEqual(passes);
});

const delays = (p95: number, p99: number): Pick<Phase, "delays"> => ({
  delays: { count: 30, p50: 40, p95, p99, max: p99 },
});

test("it stays slow only where 99 and 95 of 100 are more than twice as slow, and than 250 ms", () => {
  const slowly = (was: readonly [number, number], is: readonly [number, number]): string[] =>
    seen({ before: { ...calm, ...delays(...was) }, after: [{ ...calm, ...delays(...is) }] });
  expect(slowly([60, 80], [200, 250])).toEqual(passes);
  expect(slowly([60, 80], [200, 251])).toEqual(['staysSlow: {"beforeMs":80,"afterMs":251,"seconds":5}']);
  expect(slowly([60, 80], [120, 900])).toEqual(passes);
  expect(slowly([60, 80], [121, 900])).toEqual([expect.stringMatching(/^staysSlow/)]);
  expect(slowly([60, 200], [300, 400])).toEqual(passes);
  expect(slowly([60, 200], [300, 401])).toEqual([expect.stringMatching(/^staysSlow/)]);
  expect(slowly([2, 3], [90, 100])).toEqual(passes);
});

test("the last phase is what counts, unless we were late ourselves", () => {
  const slow = delays(390, 400);
  expect(after(slow, {})).toEqual(passes);
  expect(after({}, slow)).toEqual([expect.stringMatching(/^staysSlow/)]);
  expect(after({ ...slow, ownLateMs: 200 })).toEqual([expect.stringMatching(/^staysSlow/)]);
  expect(after({ ...slow, ownLateMs: 201 })).toEqual([
    "unknown: this machine was too busy to judge (requests were sent up to 201 ms late)",
  ]);
  expect(after({ ...slow, heldMs: 100 })).toEqual([expect.stringMatching(/^staysSlow/)]);
  expect(after({ ...slow, heldMs: 101 })).toEqual(["unknown: our own pacing held requests back by up to 101 ms"]);
  for (const change of [{ ownLateMs: 900 }, { heldMs: 900 }]) expect(after(change)).toEqual(passes);
});

test("enough requests were answered before and after, and enough were under way", () => {
  expect(before({ right: 10, offered: 10 })).toEqual(passes);
  expect(before({ right: 9, offered: 9 })).toEqual(["unknown: only 9 of 9 requests were answered before the overload"]);
  expect(before({ right: 29 })).toEqual(["unknown: only 29 of 30 requests were answered before the overload"]);
  expect(seen({ knee: 10 })).toEqual(passes);
  expect(seen({ knee: 9.9 })).toEqual([expect.stringMatching(/^unknown: the server answers only 9\.9 of/)]);
  expect(under({ inFlight: 24 })).toEqual(passes);
  expect(under({ inFlight: 23 })).toEqual([expect.stringMatching(/^unknown: at most 23 requests/)]);
  expect(after({ right: 10 })).toEqual(passes);
  expect(after({ right: 9 })).toEqual(["unknown: only 9 requests were answered after the overload"]);
  expect(after({ delays: null })).toEqual(["unknown: only 30 requests were answered after the overload"]);
  expect(after()).toEqual(["unknown: only 0 requests were answered after the overload"]);
});

test("refusals are told where there were any", () => {
  expect(under({ refused: 1 })).toEqual([expect.stringContaining(": 300 answered, 1 refused; p99")]);
  expect(under({ refused: 0 })).toEqual([expect.stringContaining(": 300 answered; p99")]);
  expect(under({ broken: 1 })).toEqual([expect.stringContaining(", 12 refused, 1 on connections that broke; p99")]);
});
