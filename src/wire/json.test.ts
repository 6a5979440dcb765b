import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cellText, depthMax, integerText, isExact, type Json, JsonLimitError, parseExact, writeExact } from "./json.ts";

/** Equal texts for equal numbers, however they are written. */
function valueOf(number: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const short = digits.replace(/0+$/, "");
  return short === "" ? "0" : `${sign}${short}e${Number(exponent) - fraction.length + digits.length - short.length}`;
}

/** Any character. */
const anySign = fc
  .oneof(fc.nat(0x7f), fc.nat(0x10_ffff))
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));
const digits = fc.stringMatching(/^\d{1,30}$/);
const number = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.oneof(fc.constant("0"), fc.stringMatching(/^[1-9]\d{0,24}$/)),
    fc.option(digits),
    fc.option(fc.stringMatching(/^[eE][+-]?\d{1,3}$/)),
  )
  .map(
    ([sign, whole, fraction, exponent]) => `${sign}${whole}${fraction === null ? "" : `.${fraction}`}${exponent ?? ""}`,
  );

test.for([
  "9007199254740991",
  "-9007199254740991",
  "0",
  "-1",
  "1.5",
  "0.30000000000000004",
  "1e3",
  "2.5E-7",
  "5.0e1",
  "100e-2",
  "1.50000000000000000",
  "0.00000000000000000125",
])("%s, which a double holds, is a plain number", (text) => {
  expect(parseExact(`[${text}]`)).toEqual([Number(text)]);
});

test.for([
  ["2^53", "9007199254740992"],
  ["2^53 + 1", "9007199254740993"],
  ["-(2^53 + 1)", "-9007199254740993"],
  ["the largest 64-bit integer", "9223372036854775807"],
  ["a time in nanoseconds", "1795361687193000001"],
  ["a long decimal", "12345678901234567890.123456789"],
  ["a decimal of seventeen digits that no double has", "0.12345678901234567"],
  ["more than the largest double", "1e400"],
  ["less than the smallest double", "1e-400"],
  ["a long one with an exponent", "1.2345678901234567891e5"],
] as const)("%s comes out with every digit", ([, text]) => {
  expect(parseExact(text)).toEqual({ exact: text });
});

test("any number in a text is written again with the same value", () => {
  fc.assert(
    fc.property(number, (text) => {
      expect(valueOf(writeExact(parseExact(`{"n":[${text}]}`)).slice('{"n":['.length, -2))).toBe(valueOf(text));
    }),
    { numRuns: 200 },
  );
});

test("digits inside strings and keys are unchanged", () => {
  const text = String.raw`{"9007199254740993":"9007199254740993","a":"say \"9007199254740993\" twice","b":"\\","c":[9007199254740993,"x\\\"1795361687193000001"]}`;
  expect(parseExact(text)).toEqual({
    "9007199254740993": "9007199254740993",
    a: 'say "9007199254740993" twice',
    b: "\\",
    c: [{ exact: "9007199254740993" }, String.raw`x\"1795361687193000001`],
  });
});

test("a written value is read back unchanged: strings of every kind, nesting, long numbers", () => {
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.string({ unit: anySign }),
      fc.constantFrom("\u00009007199254740993\u0000", '"9007199254740993"', "\\u00001\\u0000"),
      fc.boolean(),
      fc.constant(null),
      fc.integer(),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }).map((long): Json => ({ exact: String(long) })),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(value, (json) => {
      expect(JSON.stringify(parseExact(writeExact(json)))).toBe(JSON.stringify(json));
    }),
  );
});

test("only a number in { exact } is written as a number: any other object with that key stays an object", () => {
  const others = [{ exact: "no" }, { exact: "9007199254740993", more: 1 }, { exact: 1 }, { exact: "" }];
  for (const other of others) {
    expect(isExact(other)).toBe(false);
    expect(parseExact(writeExact(other as Json))).toEqual(other);
  }
  expect(writeExact({ last_seq_id: { exact: "9007199254740993" } })).toBe('{"last_seq_id":9007199254740993}');
});

test("a key with the value undefined is omitted, as in JSON.stringify", () => {
  const absent = { a: undefined, b: [undefined], c: 1 } as unknown as Json;
  expect(writeExact(absent)).toBe(JSON.stringify(absent));
});

test.for(["", "{", '{"a":1', "[1,]", "[01234567890123456789]", "[12345678901234567890a]", "NaN", "-", '"open'])(
  "%j is not JSON, and is rejected",
  (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(() => parseExact(text)).toThrow(SyntaxError);
  },
);

/** With a number that a double cannot hold in front, so that every token is looked at. */
const hostile: Readonly<Record<string, (size: number) => string>> = {
  "an unclosed string of escaped quotes": (size) => `[12345678901234567890,"${String.raw`\"`.repeat(size / 2)}`,
  "an unclosed string of backslashes": (size) => `[12345678901234567890,"${"\\".repeat(size)}`,
  "quotes, the last of them unclosed": (size) => `[12345678901234567890,${'"'.repeat(size - 1)}`,
  "unclosed strings of digits": (size) => `[12345678901234567890,${'"9'.repeat(size / 2 - 1)}"`,
  "a number without an end": (size) => `[${"9".repeat(size)}`,
  "a number of zeros, unfinished": (size) => `[1.${"0".repeat(size)}1`,
  "signs and exponents": (size) => `[${"-1e".repeat(size / 4)}`,
  "blanks where a number is expected": (size) => `[,${" ".repeat(size)}`,
};

describe.each([1, 8, 64])("%d MB of text that is not JSON are rejected in one pass", (megabytes) => {
  test.each(Object.keys(hostile))("%s", { timeout: 240_000 }, (name) => {
    expect(() => parseExact(hostile[name]?.(megabytes * 1024 * 1024) ?? "[]")).toThrow(SyntaxError);
  });
});

test("a string of 15 MB beside a long number is read whole", { timeout: 240_000 }, () => {
  const long = "x".repeat(15 * 1024 * 1024);
  const [big, text] = parseExact(`[12345678901234567890,"${long}"]`) as [Json, string];
  expect(big).toEqual({ exact: "12345678901234567890" });
  expect(text === long).toBe(true);
});

test("a number of a million digits keeps them, and is no integer to compare", { timeout: 240_000 }, () => {
  const long = `1${"0".repeat(1024 * 1024)}1`;
  expect(parseExact(long)).toEqual({ exact: long });
  expect(integerText({ exact: long })).toBeUndefined();
  expect(integerText(long)).toBeUndefined();
});

const nested = (levels: number, [open, close]: readonly [string, string]): string =>
  open.repeat(levels) + close.repeat(levels);
describe.each([
  ["lists", ["[", "]"]],
  ["objects", ['{"a":', "}"]],
  ["unclosed lists", ["[", ""]],
  ["lists behind a long number", ["[12345678901234567890,", "]"]],
] as const)("nested %s", (_, brackets) => {
  test.each([depthMax + 1, 100_000, 1_000_000])("%d deep are malformed", (levels) => {
    expect(() => parseExact(nested(levels, brackets))).toThrow(JsonLimitError);
  });
});

test("a value as deep as accepted can be read, written and copied; brackets in a string nest nothing", () => {
  const deep = nested(depthMax, ["[", "]"]);
  expect(writeExact(parseExact(deep))).toBe(deep);
  expect(JSON.stringify(JSON.parse(JSON.stringify(parseExact(deep)), (_key, value: unknown) => value))).toBe(deep);
  const text = "[".repeat(100_000);
  expect(parseExact(JSON.stringify([text, [text]]))).toEqual([text, [text]]);
});

test.each([
  ["a long text", () => `"${"x".repeat(17 * 1024 * 1024)}"`],
  ["characters of two bytes", () => `"${"\u4e00".repeat(9 * 1024 * 1024)}"`],
  ["objects", () => `[${"{},".repeat(1024 * 1024)}1]`],
  ["lists", () => `[${"[],".repeat(1024 * 1024)}1]`],
  ["numbers", () => `[${"1,".repeat(1024 * 1024)}1]`],
  ["numbers that a double cannot hold", () => `[${"1e999,".repeat(200_000)}1]`],
  ["objects that share no keys", () => `[${Array.from({ length: 60_000 }, (_, n) => `{"new ${n}":1}`).join(",")}]`],
])("JSON that takes too much memory is rejected: %s", (_, text) => {
  expect(() => parseExact(text())).toThrow(JsonLimitError);
});

test("a result of 50,000 rows is read", () => {
  const rows = Array.from({ length: 50_000 }, (_, n) => `[${n},"row ${n}",null]`);
  expect(parseExact(`{"rows":[${rows.join(",")}]}`)).toMatchObject({ rows: expect.any(Array) as Json[] });
});

test("an integer has the same text, however the server wrote it", () => {
  expect(integerText("378912345678901234")).toBe("378912345678901234");
  expect(integerText({ exact: "378912345678901234" })).toBe("378912345678901234");
  expect(integerText(-7)).toBe("-7");
});

test.for<[Json | undefined]>([
  [1.5],
  [9_007_199_254_740_992],
  ["1.5"],
  ["1e3"],
  [""],
  [" 1"],
  [{ exact: "1.234567890123456789" }],
  [{ exact: "1e400" }],
  [null],
  [true],
  [["1"]],
  [undefined],
])("%j is not an exact integer", ([cell]) => {
  expect(integerText(cell)).toBeUndefined();
});

test("a cell as text: a string unchanged, a number with all its digits, anything else as JSON, and empty if absent", () => {
  const cells: [Json | undefined, string][] = [
    ["a b", "a b"],
    ["", ""],
    [5, "5"],
    [{ exact: "9007199254740993" }, "9007199254740993"],
    [true, "true"],
    [null, "null"],
    [["a", 1], '["a",1]'],
    [undefined, ""],
  ];
  expect(cells.map(([cell]) => cellText(cell))).toEqual(cells.map(([, text]) => text));
});
