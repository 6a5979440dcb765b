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

/** The deepest nesting accepted. No answer needs a tenth of it, and what walks a value recurses once per level. */
export const depthMax = 200;

/** JSON, but more of it than is accepted. */
export class JsonLimitError extends SyntaxError {}

/** The most memory that one value may take: a megabyte of `{},` takes twenty-seven. */
const memoryMax = 16 * 1024 * 1024;
/** Of an object or a list, and of any value in one. */
const [nodeCost, valueCost] = [64, 16];

/**
 * Throws a SyntaxError as `JSON.parse` does, and a JsonLimitError for a value nested more than `depthMax` deep or too
 * large.
 */
export function parseExact(text: string): Json {
  return parseMeasured(text).json;
}

/** With the memory that the value takes, estimated in bytes. */
export function parseMeasured(text: string): { readonly json: Json; readonly memory: number } {
  const scanned = scan(text);
  return { json: JSON.parse(scanned.text) as Json, memory: scanned.memory };
}

const [quote, backslash, minus, digit0, digit9] = [0x22, 0x5c, 0x2d, 0x30, 0x39];

/**
 * The text with every number that a double cannot hold in `{"exact":…}`. A scan by hand: each character is visited once,
 * whereas a regular expression looks for the end of an unclosed string again from each of its quotes.
 */
function scan(text: string): { readonly text: string; readonly memory: number } {
  let memory = text.length;
  const pieces: string[] = [];
  let copied = 0;
  let at = 0;
  let depth = 0;
  let isWide = false;
  // The last string, which is a key if a colon follows.
  let [from, to] = [0, 0];
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at += 1;
      from = at;
      while (at < text.length) {
        const inner = text.charCodeAt(at);
        if (inner === quote) break;
        isWide ||= inner > 0xff;
        at += inner === backslash ? 2 : 1;
      }
      to = at;
      at += 1;
    } else if (code === minus || (code >= digit0 && code <= digit9)) {
      const end = pastNumber(text, at);
      // Fifteen digits always survive a double; most numbers are that short, so they are decided first.
      if (end - at > 15 || hasExponent(text, at, end)) {
        const token = text.slice(at, end);
        if (jsonNumber.test(token) && !survivesDouble(token)) {
          pieces.push(text.slice(copied, at), `{"exact":"${token}"}`);
          copied = end;
          memory += 2 * nodeCost;
        }
      }
      at = end;
    } else {
      // `[` and `{`, `]` and `}`
      if (code === 0x5b || code === 0x7b) {
        depth += 1;
        memory += nodeCost;
        if (depth > depthMax) throw new JsonLimitError(`JSON nested more than ${depthMax} levels deep`);
      } else if (code === 0x5d || code === 0x7d) depth -= 1;
      else if (code === 0x2c) memory += valueCost;
      else if (code === 0x3a) {
        memory += keyCost(text, from, to);
        from = to;
      }
      at += 1;
    }
    checkMemory(memory);
  }
  // One character beyond Latin-1 makes all of its string take two bytes each.
  if (isWide) memory += text.length;
  checkMemory(memory);
  return { text: pieces.length === 0 ? text : pieces.join("") + text.slice(copied), memory };
}

function checkMemory(memory: number): void {
  if (memory > memoryMax) throw new JsonLimitError(`JSON that takes more than ${memoryMax} bytes of memory`);
}

/**
 * Hashes of the keys seen so far. Objects with the same keys share them; an object with a new one takes much more. A server
 * can invent keys without end, so beyond this number each counts as new; the seed is random, so that it cannot choose keys
 * with the same hash.
 */
const knownKeys = new Set<number>();
const [knownKeysMax, newKeyCost] = [16_384, 512];
const seed = Math.floor(Math.random() * 2 ** 30);

function keyCost(text: string, from: number, to: number): number {
  let hash = seed;
  for (let at = from; at < to; at += 1) hash = (Math.imul(hash ^ text.charCodeAt(at), 0x5bd1e995) ^ (hash >>> 15)) | 0;
  if (knownKeys.has(hash)) return 0;
  if (knownKeys.size < knownKeysMax) knownKeys.add(hash);
  return newKeyCost;
}

/** Past everything that can be part of a number; whether it is one, `jsonNumber` decides. */
function pastNumber(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    const isDigit = code >= digit0 && code <= digit9;
    // + - . E e
    if (!isDigit && code !== 0x2b && code !== minus && code !== 0x2e && code !== 0x45 && code !== 0x65) return at;
    at += 1;
  }
  return at;
}

function hasExponent(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x45 || code === 0x65) return true;
  }
  return false;
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function survivesDouble(token: string): boolean {
  if (/^-?\d+$/.test(token)) return token.length <= 15 || Number.isSafeInteger(Number(token));
  // A server that writes doubles writes the shortest text of each, which is also what String() gives.
  return valueOf(token) === valueOf(String(Number(token)));
}

/** Digits and power of ten: equal texts for equal numbers; empty for anything that is not a number. */
function valueOf(number: string): string {
  const [found, sign, whole = "", fraction = "", exponent = "0"] = numberForm.exec(number) ?? [];
  if (found === undefined) return "";
  const digits = (whole + fraction).replace(/^0+/, "");
  let last = digits.length;
  while (digits.charCodeAt(last - 1) === digit0) last -= 1;
  const short = digits.slice(0, last);
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

/** More digits than the largest decimal has: reading a million of them as a number takes seconds. */
const integerDigitsMax = 100;

/** The digits of an integer cell, whether the server wrote a string, a number, or a number beyond a double. */
export function integerText(cell: Json | undefined): string | undefined {
  if (typeof cell === "number" && Number.isSafeInteger(cell)) return String(cell);
  const written = isExact(cell) ? cell.exact : cell;
  if (typeof written !== "string" || written.length > integerDigitsMax) return undefined;
  return /^-?\d+$/.test(written) ? written : undefined;
}

/** A cell as text: a string unchanged, a number with all its digits, anything else as JSON; empty where absent. */
export function cellText(cell: Json | undefined): string {
  if (cell === undefined) return "";
  return typeof cell === "string" ? cell : writeExact(cell);
}

export function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
