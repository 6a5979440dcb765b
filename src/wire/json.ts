/**
 * Lossless JSON. `JSON.parse` converts every number to a double, so 9007199254740993 becomes ...992, and a row version
 * or a time in nanoseconds silently changes. Here a number that a double cannot hold becomes
 * `{ exact: "9007199254740993" }`: still JSON, and distinct from a string of the same digits.
 */

/** A JSON value. Evidence consists of these only, with 64-bit integers as strings. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface Exact {
  readonly exact: string;
}

const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A number of sixteen characters or with an exponent. It may also match inside a string, which only costs time. */
const bigNumber = /(?:^|[:,[])\s*-?(?:[\d.eE+-]{16}|[\d.]+[eE])/;

/** Throws a SyntaxError as `JSON.parse` does. */
export function parseExact(text: string): Json {
  // Thousands of frames a second pass through here, and hardly any has such a number.
  if (!bigNumber.test(text)) return JSON.parse(text) as Json;
  return JSON.parse(
    text.replace(stringOrNumber, (token) => {
      // Fifteen digits always survive a double; most tokens are that short, so they are decided first.
      if (token.startsWith('"') || survivesDouble(token)) return token;
      return `{"exact":"${token}"}`;
    }),
  ) as Json;
}

function survivesDouble(token: string): boolean {
  if (/^-?\d+$/.test(token)) return token.length <= 15 || Number.isSafeInteger(Number(token));
  if (token.length <= 15 && !/e/i.test(token)) return true;
  // A server that writes doubles writes the shortest text of each, which is also what String() gives.
  return valueOf(token) === valueOf(String(Number(token)));
}

/** Digits and power of ten: equal texts for equal numbers; empty for anything that is not a number. */
function valueOf(number: string): string {
  const [found, sign, whole = "", fraction = "", exponent = "0"] = numberForm.exec(number) ?? [];
  if (found === undefined) return "";
  const digits = (whole + fraction).replace(/^0+/, "");
  const short = digits.replace(/0+$/, "");
  return short === "" ? "0" : `${sign}${short}e${Number(exponent) - fraction.length + digits.length - short.length}`;
}

const numberForm = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** The inverse of `parseExact`: `{ exact }` is written as a number again. */
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

/** The digits of an integer cell, whether the server wrote a string, a number, or a number beyond a double. */
export function integerText(cell: Json | undefined): string | undefined {
  if (typeof cell === "number" && Number.isSafeInteger(cell)) return String(cell);
  const written = isExact(cell) ? cell.exact : cell;
  return typeof written === "string" && /^-?\d+$/.test(written) ? written : undefined;
}

/** A cell as text: a string unchanged, a number with all its digits, anything else as JSON; empty where absent. */
export function cellText(cell: Json | undefined): string {
  if (cell === undefined) return "";
  return typeof cell === "string" ? cell : writeExact(cell);
}

export function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
