import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expandReferences } from "./references.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "references-"));
  writeFileSync(path.join(folder, "pw"), "from a file\n");
  writeFileSync(path.join(folder, "crlf"), "a\r\nb\r\n");
  writeFileSync(path.join(folder, "empty"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = { NAME: "value", EMPTY: "", NESTED: "${env:NAME}" };

function expand(text: string): { read: ReturnType<typeof expandReferences>; secrets: string[] } {
  const secrets: string[] = [];
  return { read: expandReferences(text, { environment, folder, onSecret: (value) => secrets.push(value) }), secrets };
}

test.for<[string, string, boolean]>([
  ["no reference", "no reference", false],
  ["", "", false],
  ["${env:NAME}", "value", true],
  ["http://${env:NAME}:80", "http://value:80", false],
  ["${env:NAME}${env:NAME}", "valuevalue", false],
  ["${env:GONE:-default}", "default", true],
  ["${env:GONE:-}", "", true],
  ["${env:EMPTY:-default}", "default", true],
  ["${env:EMPTY}", "", true],
  ["${env:NAME:-default}", "value", true],
  ["${env:GONE:-a:-b}", "a:-b", true],
  ["${file:pw}", "from a file", true],
  ["${file:crlf}", "a\r\nb", true],
  ["${file:empty}", "", true],
  ["$NAME and $(id) and `id`", "$NAME and $(id) and `id`", false],
])("%j is %j", ([text, value, referred]) => {
  expect(expand(text).read).toEqual({ value, referred });
});

test("the value of a reference is not expanded again", () => {
  expect(expand("${env:NESTED}").read).toEqual({ value: "${env:NAME}", referred: true });
});

test("only the value of a file is treated as a secret by itself", () => {
  expect(expand("${env:NAME} ${file:pw}").secrets).toEqual(["from a file"]);
});

test.for<[string, string, string]>([
  ["${env:GONE}", "missingVariable", "GONE"],
  ["a ${env:NAME} b ${env:GONE} ${env:ALSO_GONE}", "missingVariable", " GONE "],
  ["${file:nowhere}", "unreadableFile", "nowhere: ENOENT"],
  ["${file:.}", "unreadableFile", "EISDIR"],
  ["${NAME}", "invalidReference", "${NAME}"],
  ["${env:1X}", "invalidReference", "${env:1X}"],
  ["${env:}", "invalidReference", "${env:}"],
  ["${file:}", "invalidReference", "${file:}"],
  ["${cmd:id}", "invalidReference", "${cmd:id}"],
  ["${}", "invalidReference", "${}"],
])("%j is %s", ([text, code, named]) => {
  expect(expand(text).read).toEqual({ code, message: expect.stringContaining(named) as string });
});
