import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatJunit } from "../formats/junit.ts";
import { truncated } from "../formats/printable.ts";
import type { Report } from "../report.ts";
import { plausibleToken, Redactor } from "./redaction.ts";

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

const user = (name: string): string => Buffer.from(`${name}:${secret}`).toString("base64").slice(0, -4);
describe("a secret is masked, too,", () => {
  const units = (value: string): string[] => value.split("");
  const code = (character: string): number => character.charCodeAt(0);
  const hex4 = (character: string): string => code(character).toString(16).padStart(4, "0");
  test.for<[string, string]>([
    ["with lower-case percent-encoding", encodeURIComponent(secret).replace(/%../g, (one) => one.toLowerCase())],
    ["with every byte percent-encoded", [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")],
    [
      "with every character as \\u",
      units(secret)
        .map((one) => `\\u${hex4(one)}`)
        .join(""),
    ],
    ["with characters beyond ASCII as \\u", inJson(secret).replace(/[^ -~]/g, (one) => `\\u${hex4(one)}`)],
    ["with upper-case \\u", inJson(secret).replace(/[^ -~]/g, (one) => `\\u${hex4(one).toUpperCase()}`)],
    ["with escaped slashes", inJson(secret).replaceAll("/", "\\/")],
    ["in JSON in JSON in JSON", inJson(inJson(inJson(secret)))],
    [
      "with decimal entities",
      units(secret)
        .map((one) => `&#${code(one)};`)
        .join(""),
    ],
    [
      "with hexadecimal entities",
      units(secret)
        .map((one) => `&#x${code(one).toString(16)};`)
        .join(""),
    ],
    ["with some entities", secret.replaceAll("&", "&amp;").replaceAll('"', "&#34;").replaceAll("ä", "&auml;")],
    ["in an URL in JSON in HTML", inJson(encodeURIComponent(inJson(secret))).replaceAll("%", "&#37;")],
    ["in hexadecimal", bytes.toString("hex")],
    ["in upper-case hexadecimal", bytes.toString("hex").toUpperCase()],
  ])("%s", ([, form]) => {
    expect(redactorOf(secret).redact(`before ${form} after`)).toBe("before ••• after");
    expect(redactorOf(secret).redact(`"${form}","next"`)).toBe('"•••","next"');
  });

  test.for(["a", "ab", "abc", "somebody"])("in base64 behind the user %s", (name) => {
    const redacted = redactorOf(secret).redact(`Basic ${user(name)} x`);
    expect(redacted).toMatch(/^Basic [\w+/]{0,13}•••[\w+/]{0,2} x$/);
  });
});

describe("the beginning of a secret is masked where a text was truncated", () => {
  const password = "Tr0ub4dor&3-c0rrect!";
  test.for<[string, string]>([
    ["at the end", `401 ${password.slice(0, 9)}`],
    ["before an ellipsis", `401 ${password.slice(0, 9)}…`],
    ["in the middle of a sentence", `401 ${password.slice(0, 19)}`],
    ["within a character", `401 ${password.slice(0, 9)}\ufffd…`],
    ["in JSON", `401 ${password.slice(0, 9)}\\u00…`],
    ["in an URL", `401 ${encodeURIComponent(password).slice(0, 11)}`],
    ["in base64", `401 ${Buffer.from(password).toString("base64").slice(0, 12)}…`],
  ])("%s", ([where, text]) => {
    const rest = where === "in the middle of a sentence" ? "); it will not be retried" : "";
    const redacted = redactorOf(password).redact(`${text}${rest}`);
    expect(redacted.startsWith("401 •••")).toBe(true);
    expect(redacted).not.toContain("Tr0");
  });

  test("wherever it was truncated, from three characters on", () => {
    const redactor = redactorOf(password);
    for (let max = 3; max < password.length + 20; max += 1) {
      for (const form of [password, inJson(password), encodeURIComponent(password), inJson(inJson(password))]) {
        const words = truncated(`${"x".repeat(9)} ${form}${form} and more`, 10 + max);
        expect(redactor.redact(`it said ${words}, 3 times`)).toMatch(/^it said x{9} •••/);
      }
    }
  });

  test("but not a few characters that it has in common with a word", () => {
    expect(redactorOf("password-of-root").redact("the password")).toBe("the •••");
    expect(redactorOf("password-of-root-and-more").redact("the password is wrong")).toBe("the password is wrong");
    expect(redactorOf("passphrase").redact("a pass")).toBe("a pass");
  });
});

test("a secret of 1 MB, or with half a surrogate pair, is masked like any other", { timeout: 60_000 }, () => {
  for (const odd of ["x".repeat(1024 * 1024), `${"(".repeat(40_000)}[`, "half \ud800", "\udc00\ud800\udc00"])
    expect(redactorOf(odd, "hunter22").redact(`<${odd}> hunter22`)).toBe("<•••> •••");
});

test("a text that looks like the beginning of secrets over and over is read in one pass", { timeout: 60_000 }, () => {
  const secrets = Array.from({ length: 200 }, (_, n) => `eyJhbGciOiJIUzI1NiJ9.${String(n).repeat(300)}`);
  const redactor = redactorOf(`${"a".repeat(16_000)}b`, ...secrets);
  for (const text of ["a", "eyJ", "\\", "%", "&", "\\u006", "&#", "%25", "a&amp;"])
    expect(() => redactor.redact(text.repeat(20_000))).not.toThrow();
});

test("a key that contains a secret is masked, too", () => {
  expect(redactorOf("hunter22").redactAll({ "hunter22=": [{ hunter22: 1 }] })).toEqual({ "•••=": [{ "•••": 1 }] });
});

test.for<[boolean, string]>([
  [true, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJyb290In0.c2ln"],
  [true, "opaque+/=~."],
  [true, "x".repeat(16_384)],
  [false, "x".repeat(16_385)],
  [false, "short"],
  [false, "with a blank"],
  [false, "half\ud800surrogate"],
  [false, "two\r\nlines"],
])("a token is plausible: %s %j", ([expected, text]) => {
  expect(plausibleToken(text)).toBe(expected);
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
    results: [
      { ...result, tookMs: 1, findings: [{ name: "wrong", sentence: secret, risk: secret, remedy: "", sent: [] }] },
    ],
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
