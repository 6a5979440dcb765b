import fc from "fast-check";
import { expect, test } from "vitest";
import { resumeComplete } from "../../subscriptions/resume-complete/index.ts";
import { differencesOf, whyUnknown, type Resumed } from "./index.ts";

const returned = fc.record<Resumed>({
  missed: fc.constant(5),
  lost: fc.constant([]),
  repeated: fc.constant([]),
  ghosts: fc.constant([]),
  fenced: fc.constant(true),
  silent: fc.constant(false),
  exchange: fc.nat(),
});
const returns = fc.array(returned, { minLength: 1, maxLength: 10 });
const keys = fc.array(fc.nat({ max: 9_999 }).map(String), { minLength: 1, maxLength: 6 });
const verdictOf = (resumed: readonly Resumed[], why: string | null = null) =>
  resumeComplete.judge({ resumed: [...resumed], why }, resumeComplete.limits);

test("resumed subscriptions that received everything once pass, unless it was only one", () => {
  fc.assert(
    fc.property(returns, (resumed) => {
      expect(verdictOf(resumed).kind).toBe(resumed.length < 2 ? "unknown" : "pass");
    }),
  );
});

test("one thing wrong in one of them is found by its name, and no other", () => {
  const names = { lost: "lostOnResume", repeated: "repeated", ghosts: "ghostRows" } as const;
  fc.assert(
    fc.property(returns, fc.nat(), fc.constantFrom("lost", "repeated", "ghosts"), keys, (resumed, pick, list, some) => {
      const at = pick % resumed.length;
      const broken = resumed.map((one, n) => (n === at ? { ...one, [list]: some } : one));
      expect(verdictOf(broken, "the next one did not begin")).toMatchObject({
        kind: "fail",
        found: [{ name: names[list], data: { rounds: 1, of: resumed.length, keys: some.slice(0, 3).join(", ") } }],
      });
    }),
  );
});

test("where the last row did not arrive, nothing is lost and nothing is proven", () => {
  fc.assert(
    fc.property(returns, fc.nat(), fc.constantFrom("lost", "ghosts"), keys, (resumed, pick, list, some) => {
      const at = pick % resumed.length;
      const missedFence = resumed.map((one, n) => (n === at ? { ...one, [list]: some, fenced: false } : one));
      expect(differencesOf(missedFence)).toEqual({ lost: undefined, repeated: undefined, ghosts: undefined });
      expect(verdictOf(missedFence).kind).toBe("unknown");
    }),
  );
});

test("nothing resumed is no pass", () => {
  expect(whyUnknown([])).toBeDefined();
  expect(verdictOf([]).kind).toBe("unknown");
});
