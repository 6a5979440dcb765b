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
  writeFileSync(path.join(folder, "large"), "x".repeat(1024 * 1024 + 1));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = {
  NAME: "value",
  EMPTY: "",
  NESTED: "${env:NAME}",
  KALAM_READY_USER: "op",
  KALAM_READY_PASSWORD: "pw",
};

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
  expect(expand(text).read).toMatchObject({ value, referred });
});

test("the value of a reference is not expanded again", () => {
  expect(expand("${env:NESTED}").read).toMatchObject({ value: "${env:NAME}", referred: true });
});

test("the value of a file is a secret; that of a variable may be one, but for our own settings", () => {
  const { read, secrets } = expand("${env:NAME} ${env:GONE:-default} ${env:KALAM_READY_USER} ${file:pw}");
  expect(secrets).toEqual(["from a file"]);
  expect(read).toMatchObject({ fromVariables: ["value"] });
  expect(expand("${env:KALAM_READY_PASSWORD}").read).toMatchObject({ fromVariables: ["pw"] });
});

test.for<[string, string, string]>([
  ["${env:GONE}", "missingVariable", "GONE"],
  ["a ${env:NAME} b ${env:GONE} ${env:ALSO_GONE}", "missingVariable", " GONE "],
  ["${file:nowhere}", "unreadableFile", "nowhere: ENOENT"],
  ["${file:.}", "unreadableFile", "EISDIR"],
  ["${file:/dev/zero}", "unreadableFile", "not a regular file"],
  ["${file:large}", "unreadableFile", "larger than 1 MiB"],
  ["${NAME}", "invalidReference", "${NAME}"],
  ["${env:1X}", "invalidReference", "${env:1X}"],
  ["${env:}", "invalidReference", "${env:}"],
  ["${file:}", "invalidReference", "${file:}"],
  ["${cmd:id}", "invalidReference", "${cmd:id}"],
  ["${}", "invalidReference", "${}"],
])("%j is %s", ([text, code, named]) => {
  expect(expand(text).read).toEqual({ code, message: expect.stringContaining(named) as string });
});
