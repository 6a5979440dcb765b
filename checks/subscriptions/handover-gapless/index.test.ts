import fc from "fast-check";
import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { convergesUnderCuts } from "../converges-under-cuts/index.ts";
import { handoverGapless } from "./index.ts";

const same = { missing: [] as string[], ghosts: [] as string[], stale: [] as string[], fenced: true, exchange: 1 };
const keys = fc.array(fc.nat({ max: 9_999 }).map(String), { minLength: 1, maxLength: 5 });
const wrong = fc.constantFrom("missing", "ghosts", "stale");

/** What both judge: rounds with a comparison at a fence each. `enough` rounds show something. */
function judges() {
  const handover = fc.array(
    fc.record({ burst: fc.boolean(), during: fc.integer({ min: 10, max: 20 }) }).map((round) => ({
      ...same,
      ...round,
      doubled: [] as string[],
      notices: [] as string[],
    })),
    { minLength: 3, maxLength: 30 },
  );
  const converges = fc.array(
    fc.record({ filter: fc.string(), fence: fc.nat(), cuts: fc.integer({ min: 1, max: 4 }) }).map((round) => ({
      ...same,
      ...round,
    })),
    { minLength: 2, maxLength: 30 },
  );
  return [
    [
      "handover-gapless",
      handover,
      (rounds: object[]) => handoverGapless.judge({ rounds: rounds as [], why: null }, {}),
    ],
    [
      "converges-under-cuts",
      converges,
      (rounds: object[]) => convergesUnderCuts.judge({ rounds: rounds as [], why: null }, {}),
    ],
  ] as const;
}

test.each(judges())("%s passes where every fence showed no difference", (_, rounds, judge) => {
  fc.assert(
    fc.property(rounds as fc.Arbitrary<object[]>, (some) => {
      expect(judge(some).kind).toBe("pass");
    }),
  );
});

test.each(judges())("%s fails for one difference, and cannot tell without its fence", (_, rounds, judge) => {
  fc.assert(
    fc.property(rounds as fc.Arbitrary<object[]>, fc.nat(), wrong, keys, (some, pick, list, which) => {
      const at = pick % some.length;
      const broken = some.map((round, n) => (n === at ? { ...round, [list]: which } : round));
      expect(judge(broken)).toMatchObject({
        kind: "fail",
        found: [{ name: expect.stringMatching(/^(lostInHandover|diverged)$/) as string }],
      });
      const missedFence = broken.map((round, n) => (n === at ? { ...round, fenced: false } : round));
      expect(judge(missedFence).kind).toBe("unknown");
    }),
  );
});

test.each(judges())("%s does not pass without rounds", (_, __, judge) => {
  expect(judge([]).kind).toBe("unknown");
});

test("rounds that differ are counted together, with two of the notices", () => {
  const round = { ...same, burst: false, during: 10, doubled: [] as string[], notices: [] as string[] };
  const rounds = [
    { ...round, burst: true, missing: ["1", "2"], notices: ["first"] },
    round,
    { ...round, ghosts: ["3"], notices: ["second", "third"] },
    { ...round, stale: ["4"] },
  ];
  const counts = { bursts: 1, rounds: 3, of: 4, missing: 2, ghosts: 1, stale: 1 };
  expect(judged(handoverGapless, { rounds, why: null })).toEqual([
    `lostInHandover: ${JSON.stringify({ ...counts, notices: "first; second" })}`,
  ]);
  const doubled = [round, { ...round, doubled: ["5", "6"] }];
  expect(judged(handoverGapless, { rounds: doubled, why: null })).toEqual([
    `doubledInHandover: ${JSON.stringify({ rounds: 1, of: 2, first: "5" })}`,
  ]);
});

test("thirty changes in the hand-over are enough", () => {
  const round = { ...same, burst: false, during: 10, doubled: [] as string[], notices: [] as string[] };
  const kind = (...during: number[]) =>
    handoverGapless.judge({ rounds: during.map((each) => ({ ...round, during: each })), why: null }, {}).kind;
  expect([kind(10, 20), kind(10, 19)]).toEqual(["pass", "unknown"]);
});

test("of a view that diverged only what differs is said", () => {
  const round = { ...same, filter: "n < 5", fence: 1, cuts: 2 };
  expect(judged(convergesUnderCuts, { rounds: [round, { ...round, ghosts: ["3", "4"] }], why: null })).toEqual([
    `diverged: ${JSON.stringify({ fences: 1, of: 2, filter: "n < 5", cuts: 2, what: "ghosts 3, 4" })}`,
  ]);
});
