import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Exchange } from "../session/recording.ts";
import { commandText, curlWords } from "./shell.ts";

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

describe("the arguments of curl", () => {
  const exchange: Exchange = { number: 1, at: 0, method: "POST", path: "/v1/api/sql", outcome: "", tookMs: 1 };
  const get = { ...exchange, method: "GET" };

  test("send the statement and its parameters unchanged, including every digit of long numbers", () => {
    const sql = { text: "SELECT 'it''s'\n\u202e##[x] 😀", params: '[9007199254740993,"\u0085"]', namespace: "kr_n" };
    const words = curlWords("http://x", { ...exchange, as: "alice", ...sql }) ?? [];
    const body = words.at(-1) ?? "";
    expect(words.slice(0, -1)).toEqual([
      "http://x/v1/api/sql",
      "-H",
      "content-type: application/json",
      "--data-binary",
    ]);
    expect(body).toContain("9007199254740993");
    expect(JSON.parse(body)).toEqual({ sql: sql.text, params: JSON.parse(sql.params), namespace_id: "kr_n" });
    expect(body).not.toMatch(/[\n\u0085\u202e]/);
  });

  test.for<[string, Partial<Exchange>, string[] | undefined]>([
    ["a plain GET", { path: "/health?a=b&c" }, ["http://x/base/health?a=b&c"]],
    ["HEAD, which has no body to wait for", { method: "HEAD", path: "/" }, ["--head", "http://x/base/"]],
    ["another method", { method: "DELETE", path: "/a" }, ["-X", "DELETE", "http://x/base/a"]],
    ["signs that curl expands", { path: "/a[1-9]{b}" }, ["--globoff", "http://x/base/a[1-9]{b}"]],
    ["a path that curl shortens", { path: "/a/../b" }, ["--path-as-is", "http://x/base/a/../b"]],
    ["a path that curl cuts off", { path: "/a#b" }, undefined],
    ["a path that curl refuses", { path: "/a b" }, undefined],
    ["a path that curl encodes", { path: "/ä" }, undefined],
    ["a body that curl reads as a file name", { method: "POST", path: "/a", text: "@/etc/passwd" }, undefined],
    ["a body on two lines", { method: "POST", path: "/a", text: "{\n}" }, undefined],
    ["headers that were not recorded", { partial: true }, undefined],
    ["a message on a socket", { method: "SEND", path: "/v1/ws", text: "{}" }, undefined],
    ["a run of kalam", { method: "kalam", path: "at server with a token", text: "-c x" }, undefined],
  ])("for %s", ([, rest, words]) => {
    expect(curlWords("http://x/base/", { ...get, path: "/a", ...rest })).toEqual(words);
  });

  test("do not exist if the recording truncated a part", () => {
    const cut = "x… (2001 characters)";
    expect(curlWords("http://x", { ...exchange, text: cut })).toBeUndefined();
    expect(curlWords("http://x", { ...exchange, text: "SELECT 1", params: cut })).toBeUndefined();
    expect(curlWords("http://x", { ...exchange, text: cut, params: "[1]" })).toBeUndefined();
    expect(curlWords("http://x", { ...exchange, text: "SELECT 'x… (2001 characters)'" })).toBeDefined();
  });
});
