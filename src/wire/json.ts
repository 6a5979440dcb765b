/**
 * JSON without loss. `JSON.parse` puts every number through a double, so 9007199254740993 comes out as ...992, and a
 * row version or a time in nanoseconds is silently another one. Here a number that a double cannot hold comes out as
 * `{ exact: "9007199254740993" }`: still JSON, and it says by its shape that it was a bare number and not a string.
 */

/** What JSON can hold. Evidence is this and nothing else; 64-bit integers are strings in it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface Exact {
  readonly exact: string;
}

const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A number of sixteen characters, or with an exponent, outside quotes; in a string it may be taken for one, at no harm. */
const bigNumber = /(?:^|[:,[])\s*-?(?:[\d.eE+-]{16}|[\d.]+[eE])/;

/** Throws a SyntaxError as `JSON.parse` does. */
export function parseExact(text: string): Json {
  // Thousands of frames a second pass here, and hardly one has such a number.
  if (!bigNumber.test(text)) return JSON.parse(text) as Json;
  return JSON.parse(
    text.replace(stringOrNumber, (token) => {
      // Fifteen digits always survive a double; shorter tokens are most of them, so they leave first.
      if (token.startsWith('"') || survivesDouble(token)) return token;
      return `{"exact":"${token}"}`;
    }),
  ) as Json;
}

function survivesDouble(token: string): boolean {
  if (/^-?\d+$/.test(token)) return token.length <= 15 || Number.isSafeInteger(Number(token));
  if (token.length <= 15 && !/e/i.test(token)) return true;
  // A server that writes doubles writes the shortest text of each, which is the one that comes out again.
  return valueOf(token) === valueOf(String(Number(token)));
}

/** Digits and power of ten: the same text exactly where two numbers are the same; empty for what is no number. */
function valueOf(number: string): string {
  const [found, sign, whole = "", fraction = "", exponent = "0"] = numberForm.exec(number) ?? [];
  if (found === undefined) return "";
  const digits = (whole + fraction).replace(/^0+/, "");
  const short = digits.replace(/0+$/, "");
  return short === "" ? "0" : `${sign}${short}e${Number(exponent) - fraction.length + digits.length - short.length}`;
}

const numberForm = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** The inverse of `parseExact`: `{ exact }` is written as the bare number that it was. */
export function writeExact(value: Json): string {
  if (isExact(value)) return value.exact;
  if (Array.isArray(value)) return `[${value.map((item: Json | undefined) => writeExact(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const pairs = Object.entries(value).filter(([, inner]: [string, Json | undefined]) => inner !== undefined);
  return `{${pairs.map(([key, inner]) => `${JSON.stringify(key)}:${writeExact(inner)}`).join(",")}}`;
}

export function isExact(value: unknown): value is Exact {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 1) return false;
  const { exact } = value as Partial<Exact>;
  return typeof exact === "string" && numberForm.test(exact);
}

/** The digits of an integer cell, however the server wrote it: a string, a number, or a number beyond a double. */
export function integerText(cell: Json | undefined): string | undefined {
  if (typeof cell === "number" && Number.isSafeInteger(cell)) return String(cell);
  const written = isExact(cell) ? cell.exact : cell;
  return typeof written === "string" && /^-?\d+$/.test(written) ? written : undefined;
}

/** A cell as text: a string as it is, a number with all its digits, anything else as JSON; empty where there is none. */
export function cellText(cell: Json | undefined): string {
  if (cell === undefined) return "";
  return typeof cell === "string" ? cell : writeExact(cell);
}

export function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
