import { describe, expect, test } from "vitest";
import {
  defineCheck,
  defineCheckOf,
  defineObservation,
  levelOf,
  pass,
  say,
  unknown,
  type Check,
  type Judging,
  type Limits,
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
const findings = {
  wrong: { say: (d: { by: number }) => `wrong by ${d.by}` },
  late: { say: (d: { ms: number }) => `${d.ms.toFixed(0)} ms`, level: "warn" },
} as const;
type Seen = { readonly by: number; readonly ms?: number };
const judging = {
  findings,
  judge({ by, ms = 0 }: Seen, { found }: Judging<typeof findings, Limits>) {
    if (by !== 0) found.wrong({ by }, { case: "milk", sent: [3, { exchange: 4 }] });
    if (ms > 100) found.late({ ms }, { sent: { exchange: 5 } });
    return ms < 0 ? unknown("no clock") : pass("right");
  },
} as const;
const traits = { touches: "scratch", estimateMs: 5, estimateRequests: 2 } as const;

describe("a judge", () => {
  const { judge } = defineCheck({ ...text, ...judging, ...traits, observe: () => Promise.resolve<Seen>({ by: 0 }) });

  test("returns its conclusion if it found nothing", () => {
    expect(judge({ by: 0 }, {})).toEqual({ kind: "pass", sentence: "right" });
    expect(judge({ by: 0, ms: -1 }, {})).toEqual({ kind: "unknown", sentence: "no clock" });
  });

  test("fails with every finding, its data, its case and the exchanges that show it", () => {
    expect(judge({ by: 2, ms: 200 }, {})).toEqual({
      kind: "fail",
      found: [
        { name: "wrong", data: { by: 2 }, case: "milk", sent: [3, 4] },
        { name: "late", data: { ms: 200 }, sent: [5] },
      ],
    });
  });

  test("fails with what it found, even if the rest could not be determined", () => {
    expect(judge({ by: 2, ms: -1 }, {})).toMatchObject({ kind: "fail", found: [{ name: "wrong" }] });
  });

  test("starts without findings on each call", () => {
    judge({ by: 2 }, {});
    expect(judge({ by: 0 }, {})).toMatchObject({ kind: "pass" });
  });

  test("does not compile with a wrong name or wrong data", () => {
    const wrong = ({ found }: Judging<typeof findings, Limits>): void => {
      // @ts-expect-error There is no such finding.
      found.lost({ by: 1 });
      // @ts-expect-error Its data have another type.
      found.wrong({ ms: 1 });
    };
    expect(wrong).toBeTypeOf("function");
  });
});

describe("a check", () => {
  const check = defineCheck({
    ...text,
    ...judging,
    ...traits,
    needs: ["dba"],
    alone: true,
    timeoutMs: 9,
    limits: { priceMax: 5 },
    observe: () => Promise.resolve<Seen>({ by: 0 }),
  });

  test("has its own observation, with the check's id and all its traits", async () => {
    const { observe, ...rest } = check.observation;
    expect(rest).toEqual({ id: check.id, ...traits, needs: ["dba"], alone: true, timeoutMs: 9 });
    expect(await observe(undefined as never, undefined as never)).toEqual({ by: 0 });
    expect(check).toMatchObject({ ...text, limits: { priceMax: 5 } });
    expect(check).not.toHaveProperty("touches");
  });

  test("has no limits if none are given", () => {
    const plain = defineCheck({ ...text, ...judging, ...traits, observe: () => Promise.resolve<Seen>({ by: 1 }) });
    expect(plain).toMatchObject({ limits: {} });
    expect(Object.keys(plain.observation).toSorted()).toEqual([
      "estimateMs",
      "estimateRequests",
      "id",
      "observe",
      "touches",
    ]);
  });

  test("can share an observation, and shares the same object", () => {
    const observation = defineObservation({ id: "shop", ...traits, observe: () => Promise.resolve<Seen>({ by: 0 }) });
    const checks = ["shop/a", "shop/b"].map((id) => defineCheckOf(observation, { ...text, ...judging, id }));
    expect(checks[0]?.observation).toBe(observation);
    expect(checks[1]?.observation).toBe(observation);
    expect(checks[1]).toMatchObject({ id: "shop/b", limits: {} });
  });

  test("has a level, which a finding can override", () => {
    expect(levelOf(check, "wrong")).toBe("block");
    expect(levelOf(check, "late")).toBe("warn");
  });
});

describe("the sentence of a finding", () => {
  const check: Check = defineCheck({
    ...text,
    ...judging,
    ...traits,
    observe: () => Promise.resolve<Seen>({ by: 0 }),
  });

  test("is made from its data", () => {
    expect(say(check, { name: "wrong", data: { by: 3 } })).toBe("wrong by 3");
  });

  test("that the check does not have is its name", () => {
    expect(say(check, { name: "gone", data: {} })).toBe("gone");
    expect(say(check, { name: "toString", data: {} })).toBe("toString");
  });

  test("says so if its data do not fit, as in a report older than the check", () => {
    expect(say(check, { name: "late", data: {} })).toBe("late (no sentence can be made from {})");
    expect(say(check, { name: "late", data: null })).toBe("late (no sentence can be made from null)");
  });
});
