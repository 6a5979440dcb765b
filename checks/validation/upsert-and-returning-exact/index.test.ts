import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { upsertAndReturningExact } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(upsertAndReturningExact, proof);
type Tried = (typeof sound.tried)[number];
const having = (name: string, change: Partial<Tried>, types = ["SHARED"]): string[] =>
  judged(upsertAndReturningExact, {
    tried: sound.tried.map((one) => (one.case === name && types.includes(one.type) ? { ...one, ...change } : one)),
  });
const wrong = (finding: string, name: string, found: string, expected: string): string[] => [
  `${finding}: ${name}: ${JSON.stringify({ case: name, type: "SHARED", found, expected })}`,
];
const kept = [["1", "one", "10"]];

test("the rows that each case leaves", () => {
  expect(having("DO NOTHING", { rows: kept })).toEqual([expect.stringMatching(/^pass: 20 of 20/)]);
  expect(having("DO UPDATE WHERE", { rows: kept, returned: [] })).toEqual([expect.stringMatching(/^pass/)]);
  expect(having("RETURNING of a default", { rows: [["2", "two", "7"], ...kept] })).toEqual([
    expect.stringMatching(/^pass/),
  ]);
});

test.each<readonly [string, string, Partial<Tried>, string[]]>([
  ["no rows are left", "DO NOTHING", { rows: [] }, wrong("wrongRows", "DO NOTHING", "no rows", "(1, one, 10)")],
  ["nothing is returned", "RETURNING", { returned: null }, wrong("wrongReturned", "RETURNING", "no rows", "(2, two)")],
  [
    "a row is returned, and none is expected",
    "DO UPDATE WHERE",
    { returned: [["1"]] },
    wrong("wrongReturned", "DO UPDATE WHERE", "(1)", "no rows"),
  ],
  [
    "long texts are returned",
    "RETURNING",
    { returned: [["2", "x".repeat(160)]] },
    wrong("wrongReturned", "RETURNING", `(2, ${"x".repeat(156)}…`, "(2, two)"),
  ],
  [
    "texts that are shown whole are returned",
    "RETURNING",
    { returned: [["2", "x".repeat(155)]] },
    wrong("wrongReturned", "RETURNING", `(2, ${"x".repeat(155)})`, "(2, two)"),
  ],
])("%s", (_, name, change, expected) => {
  expect(having(name, change)).toEqual(expected);
});
