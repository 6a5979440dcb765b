import { randomUUID } from "node:crypto";
import type { Settings } from "../settings.ts";
import { failed, Refusal } from "./errors.ts";

/** A parameter for PostgreSQL: its text and type OID (0 to infer the type). */
export interface Parameter {
  readonly text: string | null;
  readonly type: number;
}

const [boolOid, int8Oid, float8Oid] = [16, 20, 701];

/** Bytes that each parameter costs beside its value. */
const overheadBytes = 24;

/** The key that marks a whole number too long for a JavaScript number; random, so that no client can send it. */
const exactMark = randomUUID();

/** JSON.parse, but whole numbers of 16 or more digits stay exact, for `toParameter`. */
export function parseExactly(json: string): unknown {
  if (!/\d{16}/.test(json)) return JSON.parse(json);
  const marked = json.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (found) =>
    /^-?\d{16,}$/.test(found) ? JSON.stringify({ [exactMark]: found }) : found,
  );
  return JSON.parse(marked);
}

/** The digits of a whole number read by `parseExactly`; undefined for any other value. */
export function wholeNumber(value: unknown): string | undefined {
  if (Number.isInteger(value)) return String(value);
  const exact =
    typeof value === "object" ? (value as Readonly<Record<string, unknown>> | null)?.[exactMark] : undefined;
  return typeof exact === "string" ? exact : undefined;
}

/** A JSON value as a parameter. The type of a string is inferred, so that '2026-01-02' can be a timestamp. */
export function toParameter(value: unknown, index: number): Parameter {
  if (value === null) return { text: null, type: 0 };
  if (typeof value === "string") return { text: value, type: 0 };
  if (typeof value === "boolean") return { text: String(value), type: boolOid };
  if (typeof value === "number") {
    // JSON has no infinity; JSON.parse makes one of 1e999.
    if (!Number.isFinite(value)) throw new Refusal("INVALID_INPUT", "Invalid JSON payload: number out of range");
    return { text: String(value), type: Number.isSafeInteger(value) ? int8Oid : float8Oid };
  }
  const whole = wholeNumber(value);
  if (whole !== undefined) return { text: whole, type: int8Oid };
  const kind = Array.isArray(value) ? "Array" : "Object";
  throw new Refusal("INVALID_PARAMETER", `Parameter $${index + 1} invalid: ${kind} parameters not yet supported`);
}

export function checkParameters(parameters: readonly Parameter[], settings: Settings): void {
  const most = settings["execution.max_parameters"];
  if (parameters.length > most) {
    throw failed(`Parameter count exceeded: maximum ${most} parameters allowed, got ${parameters.length}`);
  }
  const largest = settings["execution.max_parameter_size_bytes"];
  parameters.forEach(({ text }, index) => {
    const size = Buffer.byteLength(text ?? "") + overheadBytes;
    if (size > largest) {
      throw failed(`Parameter size exceeded: parameter at index ${index} is ${size} bytes (max ${largest} bytes)`);
    }
  });
}
