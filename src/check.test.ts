import { describe, expect, test } from "vitest";
import {
  defineCheck,
  defineCheckOf,
  defineObservation,
  fail,
  levelOf,
  pass,
  say,
  unknown,
  type Check,
  type Found,
  type Verdict,
} from "./check.ts";

const text = {
  id: "shop/prices-right",
  title: "Prices are right",
  failureTitle: "Prices are wrong",
  description: "d",
  blindTo: "b",
  risk: "r",
  remedy: "m",
  covers: ["P-1"],
  level: "block",
} as const;
const judging = {
  findings: { wrong: (d: { by: number }) => `wrong by ${d.by}`, late: (d: { ms: number }) => `${d.ms.toFixed(0)} ms` },
  judge: (seen: { by: number }): Verdict<Found<"wrong", { by: number }>> =>
    seen.by === 0 ? pass("right") : fail({ name: "wrong", data: seen }),
} as const;
const looking = { touches: "scratch", estimateMs: 5, estimateRequests: 2 } as const;

describe("a verdict", () => {
  test("carries its sentence, or what was found", () => {
    expect(pass("3 of 3")).toEqual({ kind: "pass", sentence: "3 of 3" });
    expect(unknown("too few")).toEqual({ kind: "unknown", sentence: "too few" });
    const found = [{ name: "wrong", data: 1 }, { name: "late", data: 2 }] as const; // prettier-ignore
    expect(fail(...found)).toEqual({ kind: "fail", found });
  });

  test("of failure needs a finding: nothing found is not a verdict", () => {
    expect(() => fail()).toThrow("at least one finding");
  });
});

describe("a check", () => {
  const check = defineCheck({
    ...text,
    ...judging,
    ...looking,
    needs: ["dba"],
    alone: true,
    timeoutMs: 9,
    limits: { priceMax: 5 },
    levels: { late: "warn" },
    observe: () => Promise.resolve({ by: 0 }),
  });

  test("has an observation of its own, under its own id, with all that was said about it", async () => {
    const { observe, ...rest } = check.observation;
    expect(rest).toEqual({ id: check.id, ...looking, needs: ["dba"], alone: true, timeoutMs: 9 });
    expect(await observe(undefined as never, undefined as never)).toEqual({ by: 0 });
    expect(check).toMatchObject({ ...text, limits: { priceMax: 5 }, levels: { late: "warn" } });
    expect(check).not.toHaveProperty("touches");
  });

  test("has no limits and no levels of its own where none were given", () => {
    const plain = defineCheck({ ...text, ...judging, ...looking, observe: () => Promise.resolve({ by: 1 }) });
    expect(plain).toMatchObject({ limits: {}, levels: {} });
    expect(Object.keys(plain.observation).toSorted()).toEqual([
      "estimateMs",
      "estimateRequests",
      "id",
      "observe",
      "touches",
    ]);
  });

  test("may share an observation, which stays one and the same", () => {
    const observation = defineObservation({ id: "shop", ...looking, observe: () => Promise.resolve({ by: 0 }) });
    const checks = ["shop/a", "shop/b"].map((id) => defineCheckOf(observation, { ...text, ...judging, id }));
    expect(checks[0]?.observation).toBe(observation);
    expect(checks[1]?.observation).toBe(observation);
    expect(checks[1]).toMatchObject({ id: "shop/b", limits: {}, levels: {} });
  });

  test("has its level, and single findings may have theirs", () => {
    expect(levelOf(check, "wrong")).toBe("block");
    expect(levelOf(check, "late")).toBe("warn");
  });
});

describe("the sentence of a finding", () => {
  const check: Check = defineCheck({ ...text, ...judging, ...looking, observe: () => Promise.resolve({ by: 0 }) });

  test("is made from its data", () => {
    expect(say(check, { name: "wrong", data: { by: 3 } })).toBe("wrong by 3");
  });

  test("that the check does not know is its name", () => {
    expect(say(check, { name: "gone", data: {} })).toBe("gone");
    expect(say(check, { name: "toString", data: {} })).toBe("toString");
  });

  test("that cannot be made of its data, which may be older than the check, says so", () => {
    expect(say(check, { name: "late", data: {} })).toBe("late (its sentence cannot be made from {})");
    expect(say(check, { name: "late", data: null })).toBe("late (its sentence cannot be made from null)");
  });
});
