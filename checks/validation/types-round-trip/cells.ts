/**
 * Normalizes cells to one text per value, since versions of the server write them differently: timestamps as numbers or
 * as text, bytes as a list or in hex. Undefined for an unknown format, so that it is not mistaken for a changed value.
 */
import { integerText, isExact, type Json, parseExact } from "../../../src/wire/json.ts";

export type Form = (cell: Json) => string | undefined;

export const asInteger: Form = (cell) => integerText(cell);

export const asText: Form = (cell) => (typeof cell === "string" ? cell : undefined);

export const asBoolean: Form = (cell) => (typeof cell === "boolean" ? String(cell) : undefined);

export const asUuid: Form = (cell) =>
  typeof cell === "string" && /^[0-9a-f-]{36}$/i.test(cell) ? cell.toLowerCase() : undefined;

/** The shortest text of the double, with the sign of zero. */
export const asDouble: Form = (cell) => {
  const value = numberIn(cell);
  return value === undefined ? undefined : Object.is(value, -0) ? "-0" : String(value);
};

/** As `asDouble`, rounded to 32 bits: some servers write all digits of the double. */
export const asFloat: Form = (cell) => {
  const value = numberIn(cell);
  return value === undefined ? undefined : String(Math.fround(value));
};

function numberIn(cell: Json): number | undefined {
  if (typeof cell === "number") return cell;
  const text = isExact(cell) ? cell.exact : cell;
  if (typeof text !== "string") return undefined;
  const word = /^([+-]?)inf(inity)?$/i.exec(text);
  if (word !== null) return word[1] === "-" ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** All digits, without insignificant zeros. */
export const asDecimal: Form = (cell) => {
  const text = typeof cell === "number" ? String(cell) : isExact(cell) ? cell.exact : cell;
  const [found, sign, whole = "", fraction = ""] =
    typeof text === "string" ? (/^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text) ?? []) : [];
  if (found === undefined) return undefined;
  const digits = `${whole.replace(/^0+(?=\d)/, "")}.${fraction.replace(/0+$/, "")}`.replace(/\.$/, "");
  return sign === "-" && digits !== "0" ? `-${digits}` : digits;
};

/** In hex. */
export const asBytes: Form = (cell) => {
  if (Array.isArray(cell)) return cell.map((byte: Json) => Number(byte).toString(16).padStart(2, "0")).join("");
  return typeof cell === "string" ? /^(?:\\x|0x)([0-9a-f]*)$/i.exec(cell)?.[1]?.toLowerCase() : undefined;
};

/** Independent of whitespace and the order of names; numbers with all digits. */
export const asJson: Form = (cell) => {
  if (typeof cell !== "string") return JSON.stringify(sorted(cell));
  try {
    return JSON.stringify(sorted(parseExact(cell)));
  } catch {
    return cell;
  }
};

function sorted(json: Json): Json {
  if (Array.isArray(json)) return json.map((part: Json) => sorted(part));
  if (typeof json !== "object" || json === null) return json;
  const pairs = Object.entries(json).map(([key, part]) => [key, sorted(part)] as const);
  return Object.fromEntries(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const dayMicros = 86_400_000_000n;

/** `2026-01-02 03:04:05.123456`, from microseconds since 1970 or from such a text. */
export const asMoment: Form = (cell) => {
  const micros = integerText(cell);
  if (micros !== undefined) return momentOf(BigInt(micros));
  const [found, day = "", time = "", fraction = ""] =
    typeof cell === "string"
      ? (/^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|[+-]00:?00)?$/.exec(cell) ?? [])
      : [];
  return found === undefined ? undefined : `${day} ${time}.${fraction.padEnd(6, "0")}`;
};

/** `2026-01-02`, from days since 1970 or from such a text. */
export const asDay: Form = (cell) => {
  const days = integerText(cell);
  if (days !== undefined) return momentOf(BigInt(days) * dayMicros)?.slice(0, 10);
  return typeof cell === "string" && /^\d{4}-\d\d-\d\d$/.test(cell) ? cell : undefined;
};

/** `03:04:05.123456`, from microseconds since midnight or from such a text. */
export const asTime: Form = (cell) => {
  const micros = integerText(cell);
  if (micros !== undefined) return momentOf(BigInt(micros))?.slice(11);
  const [found, time = "", fraction = ""] =
    typeof cell === "string" ? (/^(\d\d:\d\d:\d\d)(?:\.(\d+))?$/.exec(cell) ?? []) : [];
  return found === undefined ? undefined : `${time}.${fraction.padEnd(6, "0")}`;
};

function momentOf(micros: bigint): string | undefined {
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const date = new Date(Number((micros - rest) / 1_000n));
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 || date.getUTCFullYear() < 0) return undefined;
  return `${date.toISOString().slice(0, 19).replace("T", " ")}.${String(rest).padStart(6, "0")}`;
}
