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

test("what comes out of a reference is not looked at again", () => {
  expect(expand("${env:NESTED}").read).toEqual({ value: "${env:NAME}", referred: true });
});

test("only what comes out of a file is taken for a secret by itself", () => {
  expect(expand("${env:NAME} ${file:pw}").secrets).toEqual(["from a file"]);
});

test.for<[string, RegExp]>([
  ["${env:GONE}", /^the environment has no GONE \(write \$\{env:GONE:-default\} to give one\)$/],
  ["a ${env:NAME} b ${env:GONE} ${env:ALSO_GONE}", /no GONE /],
  ["${file:nowhere}", /^nowhere cannot be read: ENOENT$/],
  ["${file:.}", /cannot be read: EISDIR/],
  ["${NAME}", /^\$\{NAME\} is no reference: \$\{env:NAME\}/],
  ["${env:1X}", /is no reference/],
  ["${env:}", /is no reference/],
  ["${file:}", /is no reference/],
  ["${cmd:id}", /is no reference/],
  ["${}", /is no reference/],
])("%j leads nowhere, and says so", ([text, words]) => {
  expect(expand(text).read).toEqual({ missing: expect.stringMatching(words) as string });
});
