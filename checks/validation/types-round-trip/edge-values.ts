/** Edge values of each type: how they are written, and the text that they must be read back as. */
import type { Json } from "../../../src/wire/json.ts";
import * as cells from "./cells.ts";
import { quoted } from "../../vocabulary/values.ts";

export interface EdgeValue {
  readonly name: string;
  readonly literal?: string;
  readonly param?: Json;
  /** What it may be read back as, as the `form` of its type returns it. */
  readonly want: readonly string[];
  /** The server may reject it, but if it stores it, it must return it. */
  readonly mayRefuse?: boolean;
}

export interface EdgeType {
  readonly type: string;
  readonly isKey?: true;
  readonly form: cells.Form;
  /** Values that differ in their last digits only are reported as lost digits. */
  readonly hasDigits?: true;
  readonly values: readonly EdgeValue[];
}

/** Unquoted as a literal, quoted as a parameter, since JSON numbers are not exact. */
const digits = (name: string, text: string, want = text): EdgeValue => ({
  name,
  literal: text,
  param: text,
  want: [want],
});
const plain = (name: string, value: number): EdgeValue => ({
  name,
  literal: String(value),
  param: value,
  want: [String(value)],
});
const double = (name: string, text: string): EdgeValue => ({
  name,
  literal: text,
  param: Number(text),
  want: [String(Number(text))],
});
const float = (name: string, text: string): EdgeValue => ({
  name,
  literal: text,
  param: Number(text),
  want: [String(Math.fround(Number(text)))],
});
const text = (name: string, value: string, want = value): EdgeValue => ({
  name,
  literal: quoted(value),
  param: value,
  want: [want],
});
const odd = (value: EdgeValue): EdgeValue => ({ ...value, mayRefuse: true });
const bytes = (name: string, hex: string): EdgeValue => ({ name, literal: `X'${hex}'`, want: [hex] });
const json = (name: string, value: string): EdgeValue => ({
  name,
  literal: quoted(value),
  param: value,
  want: [cells.asJson(value) ?? ""],
});
const moment = (name: string, written: string, want = written): EdgeValue =>
  text(name, written, cells.asMoment(want) ?? want);
const time = (name: string, written: string): EdgeValue => text(name, written, cells.asTime(written) ?? written);

const moments: readonly EdgeValue[] = [
  moment("a second", "2026-01-02 03:04:05"),
  moment("microseconds", "2026-01-02 03:04:05.123456"),
  moment("one microsecond", "2026-01-02 03:04:05.000001"),
  moment("just before 1970", "1969-12-31 23:59:59.999999"),
  moment("1900", "1900-01-01 00:00:00"),
  moment("leap day", "2024-02-29 12:00:00"),
  moment("year 1", "0001-01-01 00:00:00"),
  moment("end of year 9999", "9999-12-31 23:59:59.999999"),
  moment("UTC", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05"),
  moment("east of UTC", "2026-01-02T03:04:05+02:00", "2026-01-02 01:04:05"),
];

export const edgeTypes: readonly EdgeType[] = [
  {
    type: "BOOLEAN",
    form: cells.asBoolean,
    values: [
      { name: "true", literal: "TRUE", param: true, want: ["true"] },
      { name: "false", literal: "FALSE", param: false, want: ["false"] },
    ],
  },
  {
    type: "SMALLINT",
    form: cells.asInteger,
    values: [plain("largest", 32_767), plain("smallest", -32_768), plain("zero", 0)],
  },
  {
    type: "INT",
    form: cells.asInteger,
    values: [plain("largest", 2_147_483_647), plain("smallest", -2_147_483_648), plain("minus one", -1)],
  },
  {
    type: "BIGINT",
    form: cells.asInteger,
    hasDigits: true,
    values: [
      digits("largest", "9223372036854775807"),
      digits("smallest", "-9223372036854775808"),
      digits("2^53 - 1", "9007199254740991"),
      digits("2^53", "9007199254740992"),
      digits("2^53 + 1", "9007199254740993"),
      digits("-(2^53 + 1)", "-9007199254740993"),
      { name: "2^53 + 1 as a number of JSON", param: { exact: "9007199254740993" }, want: ["9007199254740993"] },
    ],
  },
  {
    type: "FLOAT",
    form: cells.asFloat,
    hasDigits: true,
    values: [
      float("a tenth", "0.1"),
      float("largest", "3.4028235e38"),
      float("smallest normal", "1.17549435e-38"),
      float("negative", "-1.5"),
    ],
  },
  {
    type: "DOUBLE",
    form: cells.asDouble,
    hasDigits: true,
    values: [
      double("a tenth", "0.1"),
      double("17 digits", "0.30000000000000004"),
      double("largest", "1.7976931348623157e308"),
      double("smallest", "5e-324"),
      double("smallest normal", "2.2250738585072014e-308"),
      double("two thirds, negative", "-0.6666666666666666"),
      // SQL has no negative zero; a server may still keep it.
      { name: "minus zero", literal: "'-0.0'", param: "-0.0", want: ["0", "-0"] },
      odd({ name: "NaN", literal: "'NaN'", param: "NaN", want: ["NaN"] }),
      odd({ name: "infinity", literal: "'Infinity'", param: "Infinity", want: ["Infinity"] }),
      odd({ name: "beyond the largest", literal: "1e400", want: ["Infinity"] }),
    ],
  },
  {
    type: "DECIMAL(18, 4)",
    form: cells.asDecimal,
    hasDigits: true,
    values: [
      digits("18 digits", "12345678901234.5678"),
      digits("largest", "99999999999999.9999"),
      digits("smallest", "-99999999999999.9999"),
      digits("minus a half", "-0.5"),
      digits("smallest fraction", "0.0001"),
      digits("smallest negative fraction", "-0.0001"),
      digits("trailing zero", "1.10", "1.1"),
      digits("zero", "0"),
    ],
  },
  {
    type: "TEXT",
    form: cells.asText,
    values: [
      text("empty", ""),
      text("a blank", " "),
      text("blanks around", " a "),
      text("the word NULL", "NULL"),
      text("composed", "\u00E9"),
      text("decomposed", "e\u0301"),
      text("four-byte characters", "\u{1F600}\u{1D4B3}"),
      text("joined characters", "\u{1F469}\u200D\u{1F4BB}"),
      text("quotes", `it's "so"`),
      text("backslash", "a\\nb\\"),
      text("control characters", "a\tb\r\nc\u0001\u007F"),
      text("byte order mark", "\uFEFFa"),
      text("no character", "\uFFFF"),
      text("right to left", "\u05D0\u202Eabc"),
      odd(text("NUL", "a\u0000b")),
    ],
  },
  {
    type: "JSON",
    form: cells.asJson,
    values: [
      json("nested", '{"a": 1, "b": [1, 2, {"c": null}]}'),
      json("null of JSON", "null"),
      json("a text", '"x"'),
      json("a number beyond doubles", '{"n": 9007199254740993}'),
      json("four-byte characters", '{"\u{1F600}": "\u{1D4B3}"}'),
      json("escapes", String.raw`{"e": "\u00e9\n\"\\"}`),
      json("empty", "{}"),
    ],
  },
  {
    type: "BYTES",
    form: cells.asBytes,
    values: [bytes("none", ""), bytes("zero and 255", "00ff"), bytes("no UTF-8", "c328fe"), bytes("a text", "616263")],
  },
  {
    type: "UUID",
    form: cells.asUuid,
    values: [
      text("nil", "00000000-0000-0000-0000-000000000000"),
      text("largest", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
      text("version 4", "550e8400-e29b-41d4-a716-446655440000"),
    ],
  },
  { type: "TIMESTAMP", form: cells.asMoment, hasDigits: true, values: moments },
  { type: "DATETIME", form: cells.asMoment, hasDigits: true, values: moments },
  {
    type: "DATE",
    form: cells.asDay,
    values: ["2026-01-02", "1969-12-31", "1900-02-28", "2024-02-29", "1582-10-10", "0001-01-01", "9999-12-31"].map(
      (day) => text(day, day),
    ),
  },
  {
    type: "TIME",
    form: cells.asTime,
    hasDigits: true,
    values: [
      time("midnight", "00:00:00"),
      time("last microsecond", "23:59:59.999999"),
      time("microseconds", "12:34:56.000001"),
    ],
  },
  {
    type: "TEXT PRIMARY KEY",
    isKey: true,
    form: cells.asText,
    // All different keys; folding or trimming them makes some equal.
    values: ["a", "A", "a ", " a", "\u00E9", "e\u0301", "\u{1F600}", "it's"].map((key) => ({
      name: JSON.stringify(key),
      literal: quoted(key),
      want: [key],
    })),
  },
  {
    type: "BIGINT PRIMARY KEY",
    isKey: true,
    form: cells.asInteger,
    hasDigits: true,
    values: ["9007199254740992", "9007199254740993", "9223372036854775807", "-9223372036854775808"].map((key) => ({
      name: key,
      literal: key,
      want: [key],
    })),
  },
];
