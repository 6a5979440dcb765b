import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatJunit } from "../formats/junit.ts";
import type { Report } from "../report.ts";
import { Redactor } from "./redaction.ts";

function redactorOf(...secrets: string[]): Redactor {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

const secret = 'p&ss/w+rd "ä\\€ 100%';
const bytes = Buffer.from(secret);
const inJson = (value: string): string => JSON.stringify(value).slice(1, -1);

describe("a secret is masked in every form in which it travels", () => {
  test.for<[string, string]>([
    ["as it is", secret],
    ["URL-encoded", encodeURIComponent(secret)],
    ["in a query or form", new URLSearchParams({ p: secret }).toString().slice(2)],
    ["in JSON", inJson(secret)],
    ["in JSON that stands in JSON", inJson(inJson(secret))],
    ["in base64", bytes.toString("base64")],
    ["in base64 without its padding", bytes.toString("base64").replace(/=+$/, "")],
    ["in base64 for URLs", bytes.toString("base64url")],
    ["in XML", secret.replaceAll("&", "&amp;")],
    ["in an attribute", secret.replaceAll("&", "&amp;").replaceAll('"', "&quot;")],
  ])("%s", ([, form]) => {
    expect(redactorOf(secret).redact(`before ${form} after`)).toBe("before ••• after");
  });
});

test("every text of a structure is masked before anything is made of it", () => {
  const redactor = redactorOf("hunter22");
  const report = { rows: [{ sentence: "saw hunter22", tookMs: 1, none: null }] };
  expect(redactor.redactAll(report)).toEqual({ rows: [{ sentence: "saw •••", tookMs: 1, none: null }] });
  expect(new Redactor().redactAll(report)).toBe(report);
});

/** Any sign that there is. */
const sign = fc
  .oneof(fc.nat(0x7f), fc.nat(0x10_ffff))
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));

test("whatever a secret of three characters or more is, no form of it survives", () => {
  const long = fc.string({ unit: sign, minLength: 3 }).filter((text) => text.length >= 3 && !text.includes("•"));
  fc.assert(
    fc.property(long, fc.string(), (any, around) => {
      const document = { around, any: [any, { [any]: around }], url: `http://x/?q=${encodeURIComponent(any)}` };
      const base64 = Buffer.from(any).toString("base64");
      const redacted = redactorOf(any).redact(`${any}\n${JSON.stringify(document)}\n${base64}`);
      for (const form of [any, inJson(any), encodeURIComponent(any), base64]) expect(redacted).not.toContain(form);
    }),
    { numRuns: 100 },
  );
});

test("of several secrets none survives, however they overlap", () => {
  const some = fc.array(fc.stringMatching(/^[ab.*]{3,6}$/), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(some, fc.stringMatching(/^[ab.* ]*$/), (secrets, text) => {
      const redacted = redactorOf(...secrets).redact(`${secrets.join("")}${text}`);
      for (const one of secrets) expect(redacted).not.toContain(one);
    }),
  );
});

test("a secret that contains another one is masked whole", () => {
  expect(redactorOf("abc", "abcdef").redact("abcdef abc")).toBe("••• •••");
});

test("a secret that is registered later is masked from then on", () => {
  const redactor = redactorOf("first");
  expect(redactor.redact("first second")).toBe("••• second");
  redactor.add("second");
  expect(redactor.redact("first second")).toBe("••• •••");
});

test("signs that mean something in patterns are nothing but signs", () => {
  expect(redactorOf("a.c", "(x|y)*", "$&1").redact("abc a.c (x|y)* $&1 x")).toBe("abc ••• ••• ••• x");
});

test("a text of one or two characters is no secret: its mask would black out half of every sentence", () => {
  expect(redactorOf("", "a", "ab").redact("a cab")).toBe("a cab");
});

test("without secrets nothing changes", () => {
  expect(new Redactor().redact("root password token")).toBe("root password token");
});

test("a secret in a sentence of the report does not get into JUnit by way of its escapes", () => {
  const result = { check: "a/b", category: "a", kind: "fail", effect: "blocks", title: secret, sentence: secret };
  const report = {
    results: [{ ...result, tookMs: 1, findings: [{ name: "wrong", sentence: secret, sent: [] }] }],
    profile: { failOn: "block" },
    run: { tookMs: 1, startedAt: "" },
    verdict: "NOT READY",
    exit: 1,
    reasons: [secret],
  };
  const redacted = redactorOf(secret).redact(formatJunit(report as unknown as Report));
  expect(redacted).not.toMatch(/p&amp;ss|100%/);
  expect(redacted).toContain("•••");
});
