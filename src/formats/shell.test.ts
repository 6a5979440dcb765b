import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Exchange } from "../session/recording.ts";
import { commandText, curlText } from "./shell.ts";

/** The words of a command, as a shell parses them. */
function wordsOf(command: string): string[] {
  return execFileSync("sh", ["-c", `printf '%s\\0' ${command}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);
}

test("a shell parses every word unchanged", () => {
  const character = fc.constantFrom(...Array.from("ab 'Ab\"\\$`!*?[]{}()<>|&;#~=%@+:,./-\n\t\r^é漢😀"));
  const words = fc.array(fc.string({ unit: character, maxLength: 12 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(words, (some) => {
      expect(wordsOf(commandText(some))).toEqual(some);
    }),
    { numRuns: 60 },
  );
});

test("words are quoted only if they need it, for readability", () => {
  expect(commandText(["kalam-ready", "--url", "http://127.0.0.1:8080", "--allow", "a,b"])).toBe(
    "kalam-ready --url http://127.0.0.1:8080 --allow a,b",
  );
  expect(commandText(["", "a b", "it's"])).toBe(String.raw`'' 'a b' 'it'\''s'`);
});

describe("curl", () => {
  const exchange: Exchange = { number: 1, at: 0, method: "POST", path: "/v1/api/sql", outcome: "", tookMs: 1 };

  test("sends the statement and its parameters unchanged, including every digit of long numbers", () => {
    const text = curlText("http://x", {
      ...exchange,
      as: "alice",
      text: "SELECT 'it''s'",
      params: "[9007199254740993]",
    });
    expect(wordsOf(text ?? "")).toEqual([
      "curl",
      "-sS",
      "-X",
      "POST",
      "http://x/v1/api/sql",
      "-H",
      "authorization: Bearer TOKEN",
      "-H",
      "content-type: application/json",
      "--data-binary",
      `{"sql":"SELECT 'it''s'","params":[9007199254740993]}`,
    ]);
  });

  test("has no token and no body if the request had none", () => {
    expect(curlText("http://x", { ...exchange, method: "GET", path: "/health?a=b c" })).toBe(
      "curl -sS -X GET 'http://x/health?a=b c'",
    );
  });

  test("sends any other body unchanged", () => {
    const text = curlText("http://x", { ...exchange, path: "/v1/api/auth/refresh", text: "{}" }) ?? "";
    expect(text.endsWith("--data-binary '{}'")).toBe(true);
  });

  test("is undefined if the recording truncated a part", () => {
    const cut = "x… (2001 characters)";
    expect(curlText("http://x", { ...exchange, text: cut })).toBeUndefined();
    expect(curlText("http://x", { ...exchange, text: "SELECT 1", params: cut })).toBeUndefined();
    expect(curlText("http://x", { ...exchange, text: cut, params: "[1]" })).toBeUndefined();
    expect(curlText("http://x", { ...exchange, text: "SELECT 'x… (2001 characters)'" })).toBeDefined();
  });
});
