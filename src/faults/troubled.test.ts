import { expect, test } from "vitest";
import type { Loss } from "./trouble.ts";
import { problemOf } from "./troubled.ts";

const lost = (change: Partial<Loss> = {}): Loss => ({ what: "SELECT 1", done: false, again: false, ...change });
const green = { kind: "pass", sentence: "fine" } as const;

test("no check may fail under a trouble, whatever was lost", () => {
  const red = { kind: "fail", found: [{ name: "broke", data: { n: 1 } }] } as const;
  expect(problemOf({}, red, [lost({ again: true })])).toBe(
    'it fails although only answers were lost (SELECT 1): broke {"n":1}',
  );
});

test("no check may pass without what was lost, unless it was done, sent again, or is said not to matter", () => {
  expect(problemOf({}, green, [lost()])).toMatch(
    /^it passes although this was lost, and not sent again: SELECT 1; it says: fine$/,
  );
  expect(problemOf({}, green, [lost({ again: true }), lost({ done: true })])).toBeUndefined();
  const mayBeLost = [{ what: /^SELECT/, because: "one of many" }];
  expect(problemOf({ mayBeLost }, green, [lost()])).toBeUndefined();
  expect(problemOf({ mayBeLost }, green, [lost(), lost({ what: "DROP TABLE t" })])).toContain("DROP TABLE t");
});

test("unknown is right under any trouble", () => {
  expect(problemOf({}, { kind: "unknown", sentence: "no answer" }, [lost()])).toBeUndefined();
});
