import { randomUUID } from "node:crypto";
import type { Settings } from "../settings.ts";
import { failed, Refusal } from "./errors.ts";

/** A parameter as PostgreSQL takes it: text, and the number of its type (0: whatever the place where it stands calls for). */
export interface Parameter {
  readonly text: string | null;
  readonly type: number;
}

const [boolOid, int8Oid, float8Oid] = [16, 20, 701];

/** What a value costs beside its own bytes. */
const overheadBytes = 24;

/** Marks a whole number too long for a JavaScript number. Nobody outside knows it, so nobody can send one. */
const exactMark = randomUUID();

/** JSON.parse, but whole numbers of 16 digits and more stay exact, for `toParameter`. */
export function parseExactly(json: string): unknown {
  if (!/\d{16}/.test(json)) return JSON.parse(json);
  const marked = json.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (found) =>
    /^-?\d{16,}$/.test(found) ? JSON.stringify({ [exactMark]: found }) : found,
  );
  return JSON.parse(marked);
}

/** A whole number of JSON read by `parseExactly`, in digits; nothing if the value is no whole number. */
export function wholeNumber(value: unknown): string | undefined {
  if (Number.isInteger(value)) return String(value);
  const exact =
    typeof value === "object" ? (value as Readonly<Record<string, unknown>> | null)?.[exactMark] : undefined;
  return typeof exact === "string" ? exact : undefined;
}

/** A value of JSON as a parameter. A string takes the type of its place, so that '2026-01-02' can be a moment. */
export function toParameter(value: unknown, index: number): Parameter {
  if (value === null) return { text: null, type: 0 };
  if (typeof value === "string") return { text: value, type: 0 };
  if (typeof value === "boolean") return { text: String(value), type: boolOid };
  if (typeof value === "number") {
    // JSON knows no infinity: it is what 1e999 became on its way.
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
