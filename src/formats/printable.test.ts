import { expect, test } from "vitest";
import { printable } from "./printable.ts";

test("text from a server cannot move the cursor, change colours or reverse the direction of text", () => {
  expect(printable("a\u001b[2J\u0000\r\t\u202eb\u009b")).toBe("a\\u001b[2J\\u0000\\u000d\\u0009\\u202eb\\u009b");
});

test("everything else is unchanged, including line breaks", () => {
  expect(printable("é 😀\nline 2 \\u0041")).toBe("é 😀\nline 2 \\u0041");
});
