/** The columns of a table, with a valid value and invalid values for each. */
import { number, text, type Value } from "../../vocabulary/values.ts";

export interface WrongValues {
  readonly name: string;
  readonly type: string;
  readonly good: Value;
  readonly bad: Readonly<Record<string, Value>>;
}

export const wrongValues: readonly WrongValues[] = [
  {
    name: "i",
    type: "INT",
    good: number(7),
    bad: { text: text("abc"), "empty text": text(""), "too large": number(2_147_483_648), fraction: number(1.7) },
  },
  { name: "s", type: "SMALLINT", good: number(7), bad: { "too large": number(32_768), text: text("abc") } },
  { name: "b", type: "BIGINT", good: number(7), bad: { "too large": text("9223372036854775808"), text: text("12x") } },
  { name: "d", type: "DOUBLE", good: number(1.5), bad: { text: text("abc"), comma: text("1,5") } },
  {
    name: "de",
    type: "DECIMAL(10, 2)",
    good: text("1.25"),
    bad: { text: text("abc"), "too large": text("123456789.99") },
  },
  { name: "f", type: "BOOLEAN", good: { literal: "true", param: true }, bad: { text: text("maybe") } },
  {
    name: "ts",
    type: "TIMESTAMP",
    good: text("2026-01-02 03:04:05"),
    bad: { text: text("not a time"), "30 February": text("2026-02-30 00:00:00") },
  },
  { name: "da", type: "DATE", good: text("2026-01-02"), bad: { "month 13": text("2026-13-01"), text: text("soon") } },
  { name: "ti", type: "TIME", good: text("01:02:03"), bad: { "hour 25": text("25:00:00") } },
  {
    name: "u",
    type: "UUID",
    good: text("550e8400-e29b-41d4-a716-446655440000"),
    bad: { text: text("not-a-uuid"), "a digit short": text("550e8400-e29b-41d4-a716-44665544000") },
  },
  {
    name: "j",
    type: "JSON",
    good: text('{"a": 1}'),
    bad: { "open object": text("{bad"), "empty text": text(""), "text behind it": text('{"a": 1} x') },
  },
];
