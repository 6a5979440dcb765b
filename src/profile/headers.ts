/** Headers that a gateway in front of the server asks for: `--header 'Name: value'`, and `headers:` in a profile. */
import type { Kind, Mismatch } from "./values.ts";

export interface Header {
  readonly name: string;
  readonly value: string;
}

/** Set by kalam-ready or by HTTP itself; a second one would be another request than the one that is reported. */
const reserved =
  /^(authorization|host|content-(length|type|encoding)|connection|upgrade|transfer-encoding|te|trailer|expect|keep-alive|accept-encoding|proxy-.*|sec-websocket-.*)$/i;

export function wrongHeaderName(name: string): (Mismatch & { readonly message: string }) | undefined {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    return { code: "headerName", message: "expected a header such as 'X-Gate: value'" };
  }
  if (!reserved.test(name)) return undefined;
  const advice = /^authorization$/i.test(name)
    ? "it carries the login; use --user or KALAM_READY_TOKEN"
    : "kalam-ready sets it itself";
  return { code: "reservedHeader", message: `the header ${name} cannot be set: ${advice}` };
}

/** The value of a header. It is never repeated in an error: it may be a secret. */
export const headerText: Kind<string> = {
  expected: "the value of a header",
  schema: { type: "string" },
  parse(text) {
    const value = text.trim();
    if (value === "") return { code: "emptyValue", message: "the value of the header is empty" };
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      return { code: "headerValue", message: "the value of a header must be one line of printable Latin-1 characters" };
    return { value };
  },
  mayBeSecret: () => true,
};

/** `Name: value`; references in the value are not replaced yet. */
export const headerLine: Kind<Header> = {
  expected: "a header such as 'X-Gate: value'",
  schema: { type: "string" },
  parse(line) {
    const at = line.indexOf(":");
    const name = line.slice(0, at).trim();
    const wrong = wrongHeaderName(at === -1 ? "" : name);
    if (wrong !== undefined) return wrong;
    const value = headerText.parse(line.slice(at + 1));
    return "value" in value ? { value: { name, value: value.value } } : value;
  },
};

/** Whether its name says that its value is a secret. */
export function isSecretHeader(name: string): boolean {
  return /key|token|secret|auth|cookie|password|session|credential/i.test(name);
}

/** Shorter values are words like `true`: masking them would garble the report and hide nothing. */
const maskedFrom = 8;

/** What of a header's value is masked: the whole, and each word of it, such as the token in `Bearer …`. */
export function secretsIn(value: string): string[] {
  return [value, ...value.split(/[\s,;=]+/)].filter((part) => part.length >= maskedFrom);
}
