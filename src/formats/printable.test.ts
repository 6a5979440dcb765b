import { expect, test } from "vitest";
import { printable } from "./printable.ts";

test("what a server says cannot move the cursor, colour the terminal or turn the text around", () => {
  expect(printable("a\u001b[2J\u0000\r\t\u202eb\u009b")).toBe("a\\u001b[2J\\u0000\\u000d\\u0009\\u202eb\\u009b");
});

test("everything else stays as it is, lines too", () => {
  expect(printable("é 😀\nline 2 \\u0041")).toBe("é 😀\nline 2 \\u0041");
});
