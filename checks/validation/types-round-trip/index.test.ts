import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseExact } from "../../../src/wire/json.ts";
import { yes } from "../../vocabulary/evidence.ts";
import * as cells from "./cells.ts";
import { edgeTypes } from "./edge-values.ts";
import type { Got, Trip, TypeSeen } from "./trips.ts";
import { typesRoundTrip } from "./index.ts";

const texts = fc.oneof(fc.string(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String));
const gots = (want: string): Got => ({ is: "value", text: want });
const types = fc.array(fc.array(texts, { minLength: 6, maxLength: 9 }), { minLength: 10, maxLength: 15 }).map((all) =>
  all.map((values, at): TypeSeen => ({
    type: `TYPE${at}`,
    hasDigits: true,
    isOffered: true,
    unanswered: null,
    trips: values.map((want, index): Trip => ({
      value: `value ${index}`,
      way: "parameter",
      wrote: want,
      want: [want],
      mayRefuse: false,
      taken: "ok",
      message: "",
      before: gots(want),
      after: gots(want),
      exchange: index,
    })),
  })),
);
const judged = (all: readonly TypeSeen[]) =>
  typesRoundTrip.judge(
    {
      types: all,
      flushed: all.map(() => ({ said: yes("Job ID: FL-1"), job: "FL-1", status: "completed" })),
      toFlush: all.length,
    },
    {},
  );

test("values that are read back unchanged pass", () => {
  fc.assert(
    fc.property(types, (all) => {
      expect(judged(all).kind).toBe("pass");
    }),
  );
});

test("a value that is read back changed, immediately or after the flush, is found and named", () => {
  const spoilt = fc.record({
    type: fc.integer({ min: 0, max: 9 }),
    value: fc.integer({ min: 0, max: 5 }),
    phase: fc.constantFrom("before" as const, "after" as const),
    got: fc.oneof(
      fc.record({ is: fc.constant("value" as const), text: texts }),
      fc.record({
        is: fc.constantFrom("null" as const, "gone" as const, "unreadable" as const),
        text: fc.constant(""),
      }),
    ),
  });
  fc.assert(
    fc.property(types, spoilt, (all, { type, value, phase, got }) => {
      const trip = all[type]?.trips[value];
      fc.pre(trip !== undefined && (got.is !== "value" || got.text !== trip.want?.[0]));
      const changed = all.map((one, at) =>
        at === type
          ? { ...one, trips: one.trips.map((each, index) => (index === value ? { ...each, [phase]: got } : each)) }
          : one,
      );
      const verdict = judged(changed);
      expect(verdict.kind === "fail" ? verdict.found.map((found) => found.case) : []).toEqual([
        `TYPE${type}, value ${value}, parameter`,
      ]);
    }),
  );
});

describe("cells", () => {
  test.each([
    [cells.asInteger, ["9007199254740993", parseExact("9007199254740993")], "9007199254740993"],
    [cells.asDouble, [0.1, "0.1", 1e-1], "0.1"],
    [cells.asDouble, [-0, "-0.0"], "-0"],
    [cells.asDouble, ["NaN"], "NaN"],
    [cells.asDouble, ["Infinity", "inf"], "Infinity"],
    [cells.asFloat, [0.1, 0.10000000149011612], String(Math.fround(0.1))],
    [cells.asDecimal, ["1.1", "1.10", "01.1000", 1.1], "1.1"],
    [cells.asDecimal, ["-0.5", "-0.5000"], "-0.5"],
    [cells.asDecimal, ["0", "0.0000", "-0.0"], "0"],
    [cells.asDecimal, ["12345678901234.5678", parseExact("12345678901234.5678")], "12345678901234.5678"],
    [cells.asBytes, [[0, 255], "\\x00ff", "0x00FF"], "00ff"],
    [cells.asUuid, ["550E8400-e29b-41d4-a716-446655440000"], "550e8400-e29b-41d4-a716-446655440000"],
    [cells.asJson, ['{"b":1,"a":[2, 3]}', '{ "a": [2,3], "b": 1 }', { b: 1, a: [2, 3] }], '{"a":[2,3],"b":1}'],
    [cells.asMoment, [1_767_323_045_123_456, "2026-01-02T03:04:05.123456Z"], "2026-01-02 03:04:05.123456"],
    [cells.asMoment, [-1], "1969-12-31 23:59:59.999999"],
    [cells.asMoment, [parseExact("-62135596800000000")], "0001-01-01 00:00:00.000000"],
    [cells.asMoment, [parseExact("253402300799999999")], "9999-12-31 23:59:59.999999"],
    [cells.asDay, [-1, "1969-12-31"], "1969-12-31"],
    [cells.asDay, [-719_162], "0001-01-01"],
    [cells.asTime, [86_399_999_999, "23:59:59.999999"], "23:59:59.999999"],
  ] as const)("%o reads every spelling of a value as one", (form, spellings, want) => {
    for (const cell of spellings) expect(form(cell)).toBe(want);
  });

  test("a cell that is not a value of the type is not taken for one", () => {
    for (const [form, cell] of [
      [cells.asInteger, "1.5"],
      [cells.asDouble, true],
      [cells.asDecimal, "1e5"],
      [cells.asBytes, "abc"],
      [cells.asMoment, "soon"],
      [cells.asMoment, "2026-01-02T03:04:05+02:00"],
      [cells.asDay, "2.1.2026"],
      [cells.asTime, "noon"],
      [cells.asText, 5],
      [cells.asBoolean, "t"],
    ] as const)
      expect(form(cell)).toBeUndefined();
  });
});

test.each(edgeTypes)("$type: every value has a unique name, a way to write it and an expected text", ({ values }) => {
  expect(new Set(values.map(({ name }) => name)).size).toBe(values.length);
  const senseless = values.filter(({ literal, param, want }) => (literal ?? param) === undefined || want.length === 0);
  expect(senseless).toEqual([]);
});
