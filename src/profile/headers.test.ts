import { expect, test } from "vitest";
import { headerLine, isSecretHeader, secretsIn } from "./headers.ts";

const read = (line: string): unknown => {
  const parsed = headerLine.parse(line);
  // An error must not repeat what may be a secret.
  if (!("value" in parsed)) expect(parsed.message).not.toContain("hunter22");
  return "value" in parsed ? `${parsed.value.name}=${parsed.value.value}` : parsed.code;
};

test.each([
  ["X-Gate: a b:c", "X-Gate=a b:c"],
  ["  x-gate :\t1 ", "x-gate=1"],
  ["Cookie: a=b; c=d", "Cookie=a=b; c=d"],
  ["X-Gate:${env:A B}", "X-Gate=${env:A B}"],
])("%j is a header", (line, header) => expect(read(line)).toBe(header));

test.each<readonly [string, string]>([
  ["hunter22", "headerName"],
  ["", "headerName"],
  [": hunter22", "headerName"],
  ["X Gate: hunter22", "headerName"],
  ["X-G\u00e4te: hunter22", "headerName"],
  ["X-Gate\r\nX-Other: hunter22", "headerName"],
  ["X-Gate: ", "emptyValue"],
  ["X-Gate: hunter22\r\nHost: x", "headerValue"],
  ["X-Gate: hunter22\u0000", "headerValue"],
  ["X-Gate: hunter22\u20ac", "headerValue"],
  ...[
    "Authorization",
    "host",
    "Content-Length",
    "Content-Type",
    "Transfer-Encoding",
    "CONNECTION",
    "Upgrade",
    "Keep-Alive",
    "Accept-Encoding",
    "Sec-WebSocket-Key",
    "sec-websocket-extensions",
    "Proxy-Authorization",
  ].map((name) => [`${name}: hunter22`, "reservedHeader"] as const),
])("%j is none: %s", (line, code) => expect(read(line)).toBe(code));

test("names that speak of secrets", () => {
  const names = ["X-Api-Key", "cookie", "X-Auth-User", "CF-Access-Client-Secret", "X-Tenant", "Accept-Language"];
  expect(names.filter(isSecretHeader)).toEqual(names.slice(0, 4));
});

test("what is masked is the whole value and its long words", () => {
  expect(secretsIn("Bearer abcdefgh")).toEqual(["Bearer abcdefgh", "abcdefgh"]);
  expect(secretsIn("a=12345678; b=1")).toEqual(["a=12345678; b=1", "12345678"]);
  expect(secretsIn("true")).toEqual([]);
});
