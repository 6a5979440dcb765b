import { expect, test } from "vitest";
import { onOneLine, printable, truncated } from "./printable.ts";

test("text from a server cannot move the cursor, change colours or reverse the direction of text", () => {
  expect(printable("a\u001b[2J\u0000\r\t\u202eb\u009b")).toBe("a\\u001b[2J\\u0000\\u000d\\u0009\\u202eb\\u009b");
});

test("everything else is unchanged, including line breaks", () => {
  expect(printable("é 😀\nline 2 \\u0041")).toBe("é 😀\nline 2 \\u0041");
});

test.for<[string, string]>([
  ["gone\nkalam-ready: READY", "gone kalam-ready: READY"],
  ["a\r\n\t\u0085\u2028\u2029b", "a b"],
  ["\u001b[31mred\u009b0m\u202e\u200f", "\\u001b[31mred\\u009b0m\\u202e\\u200f"],
  ["::error::x", "\\u003a:error::x"],
  ["\n ::set-output name=a::b", "  \\u003a:set-output name=a::b"],
  ["x ##vso[task.complete] ##[error] ##teamcity[x", "x #\\u0023vso[task.complete] #\\u0023[error] #\\u0023teamcity[x"],
  ["krv::t ## é 😀", "krv::t ## é 😀"],
])("a text from a server is one line that commands nothing: %j", ([text, line]) => {
  expect(onOneLine(text)).toBe(line);
});

test("a long text is truncated with a sign of it", () => {
  expect([truncated("abc", 3), truncated("abcd", 3)]).toEqual(["abc", "abc…"]);
  expect([truncated("ab😀", 4), truncated("ab😀c", 4), truncated("ab😀", 3)]).toEqual(["ab😀", "ab😀…", "ab…"]);
});
