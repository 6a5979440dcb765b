/** How a written value is read, whether it came from a flag, a variable or a profile. A kind gives the parser, its errors and the JSON Schema. */
import { durationForm, durationMs, durationWanted } from "../duration.ts";
import { didYouMean } from "../nearest.ts";
import type { Json } from "../wire/json.ts";

/** What is wrong with a value, by name: stable where the words are not. */
export type ValueCode =
  | "emptyValue"
  | "notABoolean"
  | "notANumber"
  | "durationUnit"
  | "unknownWord"
  | "notADate"
  | "noReason"
  | "notAContainer"
  | "invalidUrl"
  | "credentialsInUrl"
  | "urlScheme"
  | "urlQuery"
  | "urlPath"
  | "headerName"
  | "reservedHeader"
  | "headerValue"
  | "insecureWithoutTls"
  | "incompleteClientCert"
  | "pemUnreadable"
  | "notPem"
  | "notAPlace"
  | "unknownCheck"
  | "ambiguousCheck";

export interface Mismatch {
  readonly code: ValueCode;
  /** Where "expected …, got …" does not say it. */
  readonly message?: string;
  /** Added to the message: `; did you mean "light"?` */
  readonly hint?: string;
}

export interface Kind<T> {
  /** A noun phrase: `one of light, standard, deep`. */
  readonly expected: string;
  /** Of the value as YAML writes it. */
  readonly schema: Json;
  parse(text: string): { readonly value: T } | Mismatch;
  /** Whether a text of this kind that came from a variable, as a whole or in part, may be a secret. Absent: never. */
  mayBeSecret?(text: string, whole: boolean): boolean;
}

/** `shown` is the value as an error may show it: what a reference leads to may be a secret. */
export function mismatchMessage({ expected }: Kind<unknown>, { message, hint = "" }: Mismatch, shown: string): string {
  return `${message ?? `expected ${expected}, got ${shown}`}${hint}`;
}

export const anyText: Kind<string> = {
  expected: "a string",
  schema: { type: "string" },
  parse: (text) => ({ value: text }),
  mayBeSecret: () => true,
};

export const nonEmpty: Kind<string> = {
  expected: "a string that is not empty",
  schema: { type: "string", pattern: "\\S" },
  parse: (text) => (text.trim() === "" ? { code: "emptyValue", message: "must not be empty" } : { value: text }),
};

export function pattern(code: ValueCode, expected: string, form: RegExp): Kind<string> {
  return {
    expected,
    schema: { type: "string", pattern: form.source },
    parse: (text) => (form.test(text) ? { value: text } : { code }),
  };
}

export const boolean: Kind<boolean> = {
  expected: "true or false",
  schema: { type: "boolean" },
  parse: (text) => (text === "true" || text === "false" ? { value: text === "true" } : { code: "notABoolean" }),
};

const decimal = /^\d+(\.\d+)?(e\d+)?$/i;
const digits = /^\d+$/;

export function number({ min, max, whole = false }: { min: number; max?: number; whole?: boolean }): Kind<number> {
  const range = max === undefined ? `of at least ${min}` : min === max ? `equal to ${min}` : `from ${min} to ${max}`;
  return {
    expected: `a ${whole ? "whole " : ""}number ${range}`,
    schema: { type: whole ? "integer" : "number", minimum: min, ...(max === undefined ? {} : { maximum: max }) },
    parse(text) {
      const value = (whole ? digits : decimal).test(text.trim()) ? Number(text) : Number.NaN;
      return Number.isFinite(value) && value >= min && value <= (max ?? Infinity) ? { value } : { code: "notANumber" };
    },
  };
}

/** In milliseconds. */
export const duration: Kind<number> = {
  expected: durationWanted,
  schema: { type: "string", pattern: durationForm.source },
  parse(text) {
    const ms = durationMs(text);
    return ms === undefined ? { code: "durationUnit" } : { value: ms };
  },
};

export function oneOf<const T extends string>(words: readonly T[]): Kind<T> {
  return {
    expected: `one of ${words.join(", ")}`,
    schema: { type: "string", enum: words },
    parse(text) {
      const found = words.find((word) => word === text);
      return found === undefined ? { code: "unknownWord", hint: didYouMean(text, words) } : { value: found };
    },
  };
}

/** The address of a server, with the path it is served under, if there is one; without a slash at its end. */
export const address: Kind<string> = {
  expected: "a URL such as http://127.0.0.1:8080",
  schema: { type: "string" },
  parse(text) {
    if (text.trim() === "") {
      return { code: "emptyValue", message: "must not be empty; give the server's URL, such as http://127.0.0.1:8080" };
    }
    const fault = wrongUrl(text);
    if (fault !== undefined) return fault;
    const { origin, pathname } = new URL(text);
    return { value: `${origin}${pathname.replace(/\/+$/, "")}` };
  },
};

function wrongUrl(text: string): Mismatch | undefined {
  // The text itself is not repeated where it may hold a password.
  const credentials: Mismatch = {
    code: "credentialsInUrl",
    message: "credentials must not be in the URL; use --user and KALAM_READY_PASSWORD",
  };
  const missingScheme = /^[\w.-]+(:\d+)?(\/|$)/.test(text) ? { hint: `; did you mean "http://${text}"?` } : {};
  if (!URL.canParse(text)) return text.includes("@") ? credentials : { code: "invalidUrl", ...missingScheme };
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return credentials;
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    if (text.includes("@")) return credentials;
    return { code: "urlScheme", message: "the URL must begin with http:// or https://", ...missingScheme };
  }
  if (url.search !== "" || url.hash !== "")
    return { code: "urlQuery", message: "the URL must not contain a query (?) or a fragment (#)" };
  const ofTheServer = /\/(v1|ui|health)(\/.*)?$/.exec(url.pathname)?.[0];
  if (ofTheServer === undefined) return undefined;
  const part = JSON.stringify(ofTheServer);
  return {
    code: "urlPath",
    message: `the URL must not contain a path of KalamDB itself, only one that it is served under; leave out ${part}`,
  };
}
