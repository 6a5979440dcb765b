import { describe, expect, test } from "vitest";
import { readValue, UsageError } from "./usage.ts";
import { address, duration, mismatchMessage, number, oneOf, type Kind, type ValueCode } from "./values.ts";

const codeOf = (kind: Kind<unknown>, text: string): unknown => {
  const parsed = kind.parse(text);
  return "code" in parsed ? parsed.code : parsed.value;
};

describe("a URL", () => {
  test.for([
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["http://127.0.0.1:8080/", "http://127.0.0.1:8080"],
    ["https://DB.example.com:443", "https://db.example.com"],
    ["http://[::1]:8080", "http://[::1]:8080"],
    [" http://x ", "http://x"],
    ["https://x/kalam/", "https://x/kalam"],
    ["https://x/a/./b//", "https://x/a/b"],
    ["https://x/v10", "https://x/v10"],
  ] as const)("%j is %s", ([text, origin]) => {
    expect(readValue("--url", text, address)).toBe(origin);
  });

  test.for<[string, ValueCode, string?]>([
    ["", "emptyValue"],
    ["  ", "emptyValue"],
    ["db.example.com", "invalidUrl", "http://db.example.com"],
    ["127.0.0.1:8080", "invalidUrl", "http://127.0.0.1:8080"],
    ["localhost:8080", "urlScheme", "http://localhost:8080"],
    ["ftp://x", "urlScheme"],
    ["file:///etc/passwd", "urlScheme"],
    ["http://", "invalidUrl"],
    ["http://x:99999", "invalidUrl"],
    ["http://x/v1/api/sql", "urlPath"],
    ["https://x/kalam/ui/", "urlPath"],
    ["http://x/?a=1", "urlQuery"],
    ["http://x/#a", "urlQuery"],
  ])("%j is rejected: %s", ([text, code, hint]) => {
    const parsed = address.parse(text);
    expect(parsed).toMatchObject({ code });
    expect(parsed).toEqual(
      hint === undefined
        ? expect.not.objectContaining({ hint: expect.anything() as unknown })
        : expect.objectContaining({ hint: `; did you mean "${hint}"?` }),
    );
  });

  test.for([
    "http://root:s3cret-pw@x",
    "http://root@x",
    "https://:s3cret-pw@x:8080/",
    "http://root:s3cret-pw@x:99999",
    "http://root:s3cret pw@x",
    "root:s3cret-pw@x:8080",
    "root:12345-s3cret-pw@x",
    "//root:s3cret-pw@x",
    "http:/root:s3cret-pw@x",
    "ftp://root:s3cret-pw@x",
    "http://root:s3cret-pw@[x",
  ])("with credentials is rejected, and they are not repeated: %s", (text) => {
    const reading = (): unknown => readValue("--url", text, address);
    expect(reading).toThrow(UsageError);
    expect(reading).toThrow(expect.objectContaining({ code: "credentialsInUrl", data: { setting: "--url" } }));
    expect(reading).not.toThrow(/s3cret|12345|pw/);
  });
});

describe("a number", () => {
  test("that is whole is digits within its bounds", () => {
    const kind = number({ min: 0, max: 10, whole: true });
    expect(codeOf(kind, " 7 ")).toBe(7);
    for (const text of ["", "-1", "11", "1e1", "0x1", "1.0", "٣", "999999999999999999999"])
      expect([text, codeOf(kind, text)]).toEqual([text, "notANumber"]);
  });

  test("may have decimals and an exponent elsewhere", () => {
    const kind = number({ min: 0.5 });
    expect(["0.5", "1e3", "2.5"].map((text) => codeOf(kind, text))).toEqual([0.5, 1000, 2.5]);
    for (const text of ["", "0.4", "-1", "0x1", ".inf", "Infinity", "1_000", "1e999"])
      expect([text, codeOf(kind, text)]).toEqual([text, "notANumber"]);
  });
});

test("a message says what was expected, what came and the nearest right word", () => {
  const kind = oneOf(["light", "deep"]);
  const parsed = kind.parse("depp");
  if ("value" in parsed) throw new Error("it was read");
  expect(mismatchMessage(kind, parsed, '"depp"')).toBe('expected one of light, deep, got "depp"; did you mean "deep"?');
  expect(() => readValue("--budget", "10", duration)).toThrow(
    '--budget: expected a duration with a unit, such as 500ms, 30s, 2m or 1h, got "10"',
  );
});
