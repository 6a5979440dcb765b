import { expect, test } from "vitest";
import { dataType, postgresType, sqlType, toJson, typeNamed } from "./types.ts";

test.for([
  ["9007199254740993", "BigInt", "us", '"9007199254740993"'],
  ["2147483647", "Int", "us", "2147483647"],
  ["t", "Boolean", "us", "true"],
  ["\\x00ff10", "Bytes", "us", "[0,255,16]"],
  ["2026-01-02 03:04:05.123456", "Timestamp", "us", "1767323045123456"],
  ["2026-01-02 03:04:05.123456+00", "DateTime", "us", "1767323045123456"],
  ["2026-01-02 03:04:05.1", "Timestamp", "ms", "1767323045100"],
  ["2026-01-02 03:04:05.123456", "Timestamp", "ns", "1767323045123456000"],
  ["1969-12-31 23:59:59.5", "Timestamp", "us", "-500000"],
  ["0001-01-01 00:00:00", "Timestamp", "us", "-62135596800000000"],
  ["2026-01-02", "Date", "us", "20455"],
  ["1969-12-31", "Date", "us", "-1"],
  ["03:04:05.000001", "Time", "us", "11045000001"],
  ["0.1", "Double", "us", "0.1"],
  ["1e+20", "Double", "us", "1e+20"],
  ["-Infinity", "Double", "us", '"-Infinity"'],
  ['it\'s "so" \\ \u0001', "Text", "us", JSON.stringify('it\'s "so" \\ \u0001')],
] as const)("%s as %s in %s is converted exactly", ([text, type, unit, json]) => {
  expect(toJson(text, type, unit)).toBe(json);
  expect(toJson(null, type, unit)).toBe("null");
});

test("a DECIMAL keeps its digits, precision and scale", () => {
  const type = dataType(1700, ((10 << 16) | 2) + 4);
  expect(type).toEqual({ Decimal: { precision: 10, scale: 2 } });
  expect(toJson("12345678.90", type, "us")).toBe('"12345678.90"');
  expect([sqlType(type), postgresType(type)]).toEqual(["DECIMAL(10, 2)", "numeric(10,2)"]);
});

test("types are found by name and alias only", () => {
  expect(typeNamed("INTEGER", [])).toBe("Int");
  expect(typeNamed("DECIMAL", [12, 3])).toEqual({ Decimal: { precision: 12, scale: 3 } });
  expect(typeNamed("NOTATYPE", [])).toBeUndefined();
  expect(typeNamed("", [])).toBeUndefined();
});
