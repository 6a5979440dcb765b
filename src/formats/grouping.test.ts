import { describe, expect, test } from "vitest";
import type { Result } from "../report.ts";
import { groupMembers, groupNotRun, groupTitle } from "./grouping.ts";

function result(check: string, kind: Result["kind"], sentence: string, tookMs = 0): Result {
  return {
    check,
    category: check.split("/")[0] ?? "",
    title: check,
    kind,
    effect: "none",
    required: false,
    ofTheRun: false,
    sentence,
    findings: [],
    touches: "nothing",
    limits: {},
    tookMs,
  };
}
const many = (count: number, kind: Result["kind"], sentence: string, tookMs = 0): Result[] =>
  Array.from({ length: count }, (_, at) => result(`${sentence}/${kind}${tookMs}-${at}`, kind, sentence, tookMs));
const grouped = (results: readonly Result[]): [number, string[]] => {
  const { rows, groups } = groupNotRun(results);
  return [rows.length, groups.map((group) => `${group.kind} ${group.sentence}: ${groupTitle(group)}`)];
};

describe("checks that were not run", () => {
  test("are grouped by reason, from three on", () => {
    expect(grouped(many(2, "unknown", "x"))).toEqual([2, []]);
    expect(grouped([...many(3, "unknown", "x"), ...many(2, "skip", "y"), ...many(4, "skip", "z")])).toEqual([
      2,
      ["unknown x: 3 checks were not run", "skip z: 4 checks were not run"],
    ]);
  });

  test("for one reason, some skipped and some unknown, are two groups", () => {
    expect(grouped([...many(3, "unknown", "x"), ...many(3, "skip", "x")])[1]).toHaveLength(2);
  });

  test("take with them those that did not finish for the same reason", () => {
    expect(grouped([...many(5, "unknown", "x"), ...many(2, "unknown", "x", 7)])).toEqual([
      0,
      ["unknown x: 5 checks were not run and 2 did not finish"],
    ]);
    expect(grouped([...many(1, "unknown", "x"), ...many(2, "unknown", "x", 7)])[1]).toEqual([
      "unknown x: 1 check was not run and 2 did not finish",
    ]);
  });

  test("are no checks that ran and ended for one reason, none that passed or failed, and not the run's own row", () => {
    const ofTheRun = many(3, "unknown", "x").map((one) => ({ ...one, ofTheRun: true }));
    for (const results of [many(5, "unknown", "timed out", 7), many(5, "pass", "x"), many(5, "fail", "x"), ofTheRun])
      expect(grouped(results)).toEqual([results.length, []]);
  });

  test("leave the rows in their order", () => {
    const [one, other] = [result("a/1", "pass", "p", 5), result("b/1", "fail", "f", 5)] as const;
    expect(groupNotRun([one, ...many(3, "unknown", "x"), other]).rows).toEqual([one, other]);
  });
});

test("few checks are listed, many are counted by category", () => {
  const members = (count: number, category: string): Result[] =>
    Array.from({ length: count }, (_, at) => result(`${category}/${at}`, "unknown", "x"));
  const of = (results: Result[]): string => groupMembers({ kind: "unknown", sentence: "x", results });
  expect(of(members(3, "a"))).toBe("a/0, a/1, a/2");
  expect(of([...members(5, "a"), ...members(2, "b")])).toBe("a 5, b 2");
});
