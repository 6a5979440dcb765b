import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Category, Check, Observation } from "../check.ts";
import type { Plan, Step } from "../plan.ts";
import type { Outcome } from "../run.ts";
import { showProgress, statusText, watchRun, type Status } from "./progress.ts";

const observation = (id: string, estimateMs: number, alone = false): Observation =>
  ({ id, estimateMs, alone, touches: "nothing" }) as unknown as Observation;
const check = (id: string, observed: Observation): Check =>
  ({
    id,
    title: id,
    level: "block",
    findings: { lost: { say: () => "" }, slow: { say: () => "" } },
    limits: {},
    observation: observed,
  }) as unknown as Check;
const step = (of: Check, kind: "run" | "skip" = "run"): Step => ({
  check: of,
  category: { id: "a" } as Category,
  limits: {},
  required: false,
  disposition: kind === "run" ? { kind } : { kind, reason: "not wanted" },
});
const planOf = (...steps: Step[]): Plan => ({ steps }) as unknown as Plan;
const outcome = (of: Check, tookMs: number, rest: Partial<Outcome> = {}): Outcome => ({
  step: step(of),
  verdict: { kind: "pass", sentence: "3 of 3" },
  tookMs,
  ...rest,
});

describe("what is known of a run in progress", () => {
  const [short, long, last] = [observation("s", 1_000), observation("l", 10_000), observation("z", 4_000, true)];
  const [one, other, shared, alone] = [check("a/one", short), check("a/other", long), check("a/shared", long), check("a/alone", last)]; // prettier-ignore
  let now = 0;
  const watch = (budgetMs = 600_000, parallel = 2): ReturnType<typeof watchRun> => {
    now = 50_000;
    const plan = planOf(step(one), step(other), step(shared), step(alone), step(check("a/skipped", short), "skip"));
    return watchRun(plan, { parallel, budgetMs }, () => now);
  };

  test("before anything has run it is the plan's, without what is skipped", () => {
    expect(watch().now()).toEqual({ done: 0, of: 4, red: [], unknown: 0, running: [], leftMs: 14_000 });
  });

  test("checks in progress are named, the longest first, and their time counts", () => {
    const run = watch();
    run.onStart(other);
    run.onStart(shared);
    now += 3_000;
    run.onStart(one);
    now += 500;
    expect(run.now()).toMatchObject({ running: ["other", "shared", "one"], leftMs: 6_500 + 4_000 });
  });

  test("checks that share an observation are several checks and one time", () => {
    const run = watch();
    for (const of of [other, shared]) run.onStart(of);
    now += 10_000;
    for (const of of [other, shared]) run.onDone(outcome(of, 10_000), "pass");
    expect(run.now()).toMatchObject({ done: 2, running: [], leftMs: 1_000 + 4_000 });
  });

  test("what the run has shown scales what is left: a slow server, a fast one", () => {
    for (const [tookMs, isExpected] of [
      [40_000, (left: number) => left > 6_000],
      [1_000, (left: number) => left < 4_000],
    ] as const) {
      // prettier-ignore
      const run = watch();
      run.onStart(other);
      run.onStart(shared);
      for (const of of [other, shared]) run.onDone(outcome(of, tookMs), "pass");
      expect(isExpected(run.now().leftMs ?? 0)).toBe(true);
    }
  });

  test("a check that the run's end did not reach shows nothing about the time", () => {
    const run = watch();
    run.onDone(outcome(other, 0, { early: true }), "unknown");
    expect(run.now()).toMatchObject({ done: 1, unknown: 1, leftMs: 1_000 + 4_000 });
  });

  test("never more than the budget", () => {
    const run = watch(9_000);
    expect(run.now().leftMs).toBe(9_000);
    now += 8_000;
    expect(run.now().leftMs).toBe(1_000);
  });

  test("nothing is known if all that is left takes longer than estimated", () => {
    const run = watch();
    for (const of of [one, other, shared]) run.onDone(outcome(of, of.observation.estimateMs), "pass");
    run.onStart(alone);
    now += 4_001;
    expect(run.now().leftMs).toBeUndefined();
  });

  test("red is what blocks; what is unknown is counted", () => {
    const run = watch();
    const appearances = ["fail", "warn", "accepted", "unknown"] as const;
    [one, other, shared, alone].forEach((of, at) => run.onDone(outcome(of, 1), appearances[at] ?? "pass"));
    expect(run.now()).toEqual({ done: 4, of: 4, red: ["one"], unknown: 1, running: [], leftMs: 0 });
  });
});

test.for<[string, Partial<Status>, string]>([
  ["at the beginning", {}, "3 of 84 checks; about 20 s left; running a, b"],
  ["with a red check", { red: ["x"] }, "3 of 84 checks; 1 red: x; about 20 s left; running a, b"],
  [
    "with many",
    { red: ["x", "y", "z", "w"], unknown: 2 },
    "3 of 84 checks; 4 red: x, y and 2 more; 2 unknown; about 20 s left; running a, b",
  ],
  ["overdue", { leftMs: undefined }, "3 of 84 checks; longer than estimated; running a, b"],
  ["at the end", { done: 84, running: [], leftMs: 0 }, "84 of 84 checks"],
])("the status %s", ([, rest, text]) => {
  const status: Status = { done: 3, of: 84, red: [], unknown: 0, running: ["a", "b"], leftMs: 17_300 };
  expect(statusText({ ...status, ...rest })).toBe(text);
});

describe("what is shown", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const [good, bad, known, vague] = ["a/good", "a/bad", "a/known", "a/vague"].map((id) => check(id, observation(id, 1_000))) as [Check, Check, Check, Check]; // prettier-ignore
  const plan = planOf(step(good), step(bad), step(known), step(vague));
  const found = { kind: "fail", found: [{ name: "lost", data: {} }, { name: "slow", data: {} }] } as const; // prettier-ignore
  const accept = ["lost", "slow"].map((finding) => ({ check: "a/known", finding, reason: "r", until: "9999-12-31" }));

  function shown(form: "line" | "log" | "none", isVerbose = false): { line: string; log: string[] } {
    const told = { line: "", log: [] as string[] };
    const output = { progressForm: form, isVerbose, progress: (text: string) => void (told.line = text), tellLine: (text: string) => void told.log.push(text) }; // prettier-ignore
    const progress = showProgress(plan, { parallel: 1, budgetMs: 600_000, accept, checks: {} }, output);
    progress.onStart(good);
    progress.onDone(outcome(good, 12));
    progress.onDone(outcome(bad, 34, { verdict: found }));
    progress.onDone(outcome(known, 1, { verdict: found }));
    progress.onDone(outcome(vague, 0, { verdict: { kind: "unknown", sentence: "the budget was spent" }, early: true }));
    progress.end();
    vi.advanceTimersByTime(60_000);
    return told;
  }

  test("in a log: what is not green, once, and not what the run did not reach", () => {
    expect(shown("log").log).toEqual(["fail     a/bad  lost, slow  34 ms", "accepted a/known  lost, slow  1 ms"]);
  });

  test("with -v every check that was begun, in a log and on a terminal", () => {
    for (const form of ["log", "line"] as const)
      expect(shown(form, true).log.map((line) => line.split(/ +/).slice(0, 2))).toEqual([
        ["pass", "a/good"],
        ["fail", "a/bad"],
        ["accepted", "a/known"],
      ]);
  });

  test("on a terminal one line, and nothing else", () => {
    expect(shown("line")).toEqual({ line: "4 of 4 checks; 1 red: bad; 1 unknown", log: [] });
  });

  test("nothing where nothing is wanted, not even with -v", () => {
    expect(shown("none", true).log).toEqual([]);
  });

  test("the status again and again while the run lasts, and not after it", () => {
    const log: string[] = [];
    const output = { progressForm: "log", isVerbose: false, progress: () => undefined, tellLine: (text: string) => void log.push(text) } as const; // prettier-ignore
    const progress = showProgress(plan, { parallel: 1, budgetMs: 600_000, accept, checks: {} }, output);
    progress.onStart(good);
    vi.advanceTimersByTime(25_000);
    expect(log).toHaveLength(2);
    for (const line of log) expect(line).toMatch(/^0 of 4 checks; .*; running good$/);
    progress.end();
    vi.advanceTimersByTime(60_000);
    expect(log).toHaveLength(2);
  });
});
