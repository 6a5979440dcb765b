import { expect, test } from "vitest";
import { loadCategories } from "../../checks/index.ts";
import type { Check, Found } from "../check.ts";
import { gallery, topics, type Member } from "./gallery.ts";
import { judgeTried, stepsFor } from "./gallery-run.ts";
import type { Outcome, Runnable } from "../run.ts";
import { levelOf } from "../check.ts";

const checks = (await loadCategories()).flatMap((category) => category.checks);
const checkNamed = (id: string): Check => {
  const check = checks.find((one) => one.id === id);
  if (check === undefined) throw new Error(`there is no check ${id}`);
  return check;
};
const split = (finding: string): [check: string, name: string] => {
  const at = finding.lastIndexOf("/");
  return [finding.slice(0, at), finding.slice(at + 1)];
};

test("the gallery has at least forty faults, each named once, of every topic", () => {
  const names = gallery.map(({ fault }) => fault.name);
  expect(names.length).toBeGreaterThanOrEqual(40);
  expect([...new Set(names)]).toEqual(names);
  expect(new Set(gallery.map(({ topic }) => topic))).toEqual(new Set(topics));
  for (const { does } of gallery) expect(does).toMatch(/^[A-Z].*[^.]$/);
});

test("every finding that should come exists, and one of each fault's findings blocks", () => {
  for (const { fits, fault } of gallery) {
    const levels = fits.map((finding) => {
      const [id, name] = split(finding);
      expect(Object.keys(checkNamed(id).findings), `${fault.name}: ${finding}`).toContain(name);
      return levelOf(checkNamed(id), name);
    });
    expect({ fault: fault.name, blocks: levels.includes("block") }).toEqual({ fault: fault.name, blocks: true });
  }
});

const member: Member = {
  topic: "data",
  does: "Something is wrong",
  fits: ["validation/counts-are-right/wrongCount"],
  fault: { name: "aFault", wrap: (wire) => wire },
};
const outcome = (id: string, verdict: "pass" | "unknown" | "skip" | readonly string[]): Outcome<Runnable> => {
  const step = { check: checkNamed(id), limits: {}, disposition: { kind: "run" } as const };
  if (typeof verdict === "string") return { step, verdict: { kind: verdict, sentence: `it is ${verdict}` }, tookMs: 1 };
  const found: Found[] = verdict.map((name) => ({ name, data: {} }));
  return { step, verdict: { kind: "fail", found }, tookMs: 1 };
};
const counts = "validation/counts-are-right";
const green = [outcome(counts, "pass")];
const kindOf = (after: Outcome<Runnable>[], fired = 1, before: Outcome<Runnable>[] = green) =>
  judgeTried(member, { before, after, fired }).kind;

test("a fault is found only by a finding that fits and was not there without it", () => {
  expect(kindOf([outcome(counts, ["wrongCount"])])).toBe("found");
  expect(kindOf([outcome(counts, ["wrongRowCount"])])).toBe("missed");
  expect(kindOf([outcome(counts, "pass"), outcome("validation/reads-are-fresh", ["stale"])])).toBe("missed");
  expect(kindOf(green)).toBe("missed");
  expect(kindOf([outcome(counts, ["wrongCount"])], 1, [outcome(counts, ["wrongCount"])])).toBe("unjudged");
});

test("a finding that only warns leaves the run ready, so the fault is missed", () => {
  const warns = { ...member, fits: ["validation/clauses-answer-right/refused"] as const };
  const clauses = "validation/clauses-answer-right";
  const tried = (found: readonly string[]) =>
    judgeTried(warns, { before: [], after: [outcome(clauses, found)], fired: 1 }).kind;
  expect(tried(["refused"])).toBe("missed");
  expect(tried(["refused", "wrongAnswer"])).toBe("found");
});

test("a fault that changed nothing, and checks that cannot tell, judge nothing", () => {
  expect(kindOf(green, 0)).toBe("unjudged");
  expect(kindOf([outcome(counts, "unknown")])).toBe("unjudged");
  expect(kindOf([outcome(counts, "skip")])).toBe("unjudged");
  expect(kindOf([])).toBe("unjudged");
});

test("the quick form runs the checks that the findings name, the other one all", () => {
  const steps = checks.map((check) => ({ check, limits: check.limits }));
  expect(stepsFor(member, steps, true).map(({ check }) => check.id)).toEqual([counts]);
  expect(stepsFor(member, steps, false)).toHaveLength(steps.length);
});
