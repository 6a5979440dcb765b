import { describe, expect, test } from "vitest";
import { judged, no } from "../../vocabulary/evidence.ts";
import { withStep } from "../statement-effects/evidence.ts";
import type { Effects } from "../statement-effects/index.ts";
import { statements, type Rows } from "../statement-effects/statements.ts";
import { writesHitTheirRows } from "./index.ts";

type Change = Parameters<typeof withStep>[1];
const sqlOf = (name: string): string => statements.find((one) => one.name === name)?.sql("t") ?? "";
const finding = (which: string, name: string, data: object, kind = "SHARED"): string =>
  `${which}: ${name}, ${kind}: ${JSON.stringify({ sql: sqlOf(name), kind, ...data })}`;
const after = (rows: Rows | null, change: Rows): Rows => ({ ...rows, ...change });
const without = (rows: Rows | null, ...keys: string[]): Rows =>
  Object.fromEntries(Object.entries(rows ?? {}).filter(([key]) => !keys.includes(key)));
const first = "INSERT of one row";
const range = "UPDATE of a range";
const [eve, was] = ['["eve","71","z"]', '["eve","70","z"]'];

test.each<readonly [string, string, Change, string[]]>([
  [
    "the first statement wrote another text",
    first,
    (step) => ({ after: after(step.after, { "1": ["Ann", "10", "first"] }) }),
    [
      finding("notAsWritten", first, {
        key: "1",
        was: "not there",
        is: '["Ann","10","first"]',
        more: 0,
        expected: '["ann","10","first"]',
      }),
    ],
  ],
  [
    "two of four rows are as they were, and two others have changed",
    range,
    (step) => ({
      after: after(step.after, {
        "7": ["eve", "70", "z"],
        "8": [null, "80", "null"],
        "1": ["ann", "11", "by text"],
        "2": ["Ann", "21", null],
      }),
    }),
    [
      finding("otherRowChanged", range, {
        key: "1",
        was: '["ann","10","by text"]',
        is: '["ann","11","by text"]',
        more: 1,
      }),
      finding("notAsWritten", range, { key: "7", was, is: was, more: 1, expected: eve }),
    ],
  ],
  [
    "three other rows are gone",
    "DELETE of no row",
    (step) => ({ after: without(step.after, "1", "2", "3") }),
    [
      finding("otherRowChanged", "DELETE of no row", {
        key: "1",
        was: '["ann","10","by text"]',
        is: "not there",
        more: 2,
      }),
    ],
  ],
  [
    "rows of a statement that was refused",
    range,
    (step) => ({ after: without(step.after, "1"), said: no("X", "no", "rule") }),
    ["unknown: UPDATE of a range, SHARED: not acknowledged: 400 no"],
  ],
  [
    "a step that is none of the statements",
    "the first flush",
    () => ({ name: "a step of a newer version", after: {} }),
    [`pass: ${2 * statements.length} statements on 2 tables left exactly the expected rows, hot and flushed`],
  ],
])("%s", (_, name, change, expected) => {
  expect(judged(writesHitTheirRows, withStep(name, change))).toEqual(expected);
});

describe("an INSERT that is refused for its keys", () => {
  const many = "INSERT of many rows";
  const message = "Primary key violation";
  const refused = { said: no("X", message, "constraint") };
  const unclear = (name: string): string[] => [`unknown: ${name}, SHARED: not acknowledged: 400 ${message}`];
  test.each<readonly [string, string, Change, string[]]>([
    [
      "of which none is there",
      many,
      ({ before }) => ({ ...refused, after: before }),
      [`freeKeyRefused: ${many}, SHARED: ${JSON.stringify({ sql: sqlOf(many), kind: "SHARED", said: message })}`],
    ],
    [
      "of which one was there",
      many,
      ({ before }) => ({ ...refused, before: after(before, { "2": ["x", "1", null] }), after: before }),
      unclear(many),
    ],
    [
      "of which one is there afterwards",
      many,
      ({ before }) => ({ ...refused, after: after(before, { "2": ["Ann", "20", null] }) }),
      unclear(many),
    ],
    [
      "in a step of a newer version",
      many,
      ({ before }) => ({ ...refused, name: "newer", after: before }),
      unclear("newer"),
    ],
  ])("%s", (_, name, change, expected) => {
    expect(judged(writesHitTheirRows, withStep(name, change))).toEqual(expected);
  });
});

test("the first table is judged as the second one is", () => {
  const [user, shared] = withStep(first, () => ({ after: {} })).tables.toReversed();
  const tables = [
    { ...user, kind: "USER" },
    { ...shared, kind: "SHARED" },
  ] as Effects["tables"];
  expect(judged(writesHitTheirRows, { tables })).toEqual([
    finding(
      "notAsWritten",
      first,
      { key: "1", was: "not there", is: "not there", more: 0, expected: '["ann","10","first"]' },
      "USER",
    ),
  ]);
});
