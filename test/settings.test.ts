/** Settings that contradict each other or are misspelled are errors: the one that was meant may be the other. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { cli } from "./cli.ts";

/** Starting node takes its time on a busy machine. */
const processes = { timeout: 30_000 };
const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-settings-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const base = { KALAM_READY_STATE: folder, KALAM_READY_USER: "root", KALAM_READY_PASSWORD: "pw-1" };

test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
  ["givenTwice", ["check", "--url", "http://127.0.0.1:9", "--url", "http://127.0.0.1:8"], {}],
  ["givenTwice", ["check", "-p", "standard", "--profile", "gate"], {}],
  ["givenTwice", ["cleanup", "--older-than", "1h", "--older-than", "2h"], {}],
  ["userAndToken", ["check", "--url", "http://127.0.0.1:9", "--user", "a"], { KALAM_READY_TOKEN: "token" }],
  ["userAndToken", ["check", "--url", "http://127.0.0.1:9", "--user", "a", "--token-file", "package.json"], {}],
  ["passwordAndToken", ["check", "--url", "http://127.0.0.1:9", "--token-file", "x", "--password-stdin"], {}],
  ["unknownVariable", ["check"], { KALAM_READY_PASWORD: "x" }],
  ["unknownVariable", ["plan"], { KALAM_READY_USERS: "" }],
])("%s %j: 64", processes, async (wrong, args, env) => {
  const result = await cli([...args, "--debug"], { env: { ...base, ...env } });
  expect([result.code, result.stdout, /\[(\w+)\]$/m.exec(result.stderr)?.[1]]).toEqual([64, "", wrong]);
});

const [start, end] = ["kr-begin-of-it", "kr-end-of-it"];
test.each<[string, string, "--token-file" | "KALAM_READY_TOKEN" | "login.token"]>([
  ["line breaks", "\r\n", "--token-file"],
  ["line breaks", "\n", "KALAM_READY_TOKEN"],
  ["a quote", '"', "login.token"],
  ["a blank", " ", "KALAM_READY_TOKEN"],
  ["half a surrogate pair", "\ud800", "--token-file"],
  ["a control character", "\u001b[2J", "login.token"],
  ["a closing tag", "</failure>", "--token-file"],
  ["other letters", "ä", "KALAM_READY_TOKEN"],
  ["20,000 characters", "x".repeat(20_000), "login.token"],
])("a token with %s is not sent and not printed: 64", processes, async (_, middle, source) => {
  const token = `${start}${middle}${end}`;
  const file = path.join(folder, "token");
  writeFileSync(file, token);
  const input = `version: 1\nserver: http://127.0.0.1:9\nlogin: { token: "\${file:${file}}" }\n`;
  const words = {
    "--token-file": ["--url", "http://127.0.0.1:9", "--token-file", file],
    KALAM_READY_TOKEN: ["--url", "http://127.0.0.1:9"],
    "login.token": ["--profile", "-"],
  }[source];
  const env = { KALAM_READY_STATE: folder, ...(source === "KALAM_READY_TOKEN" ? { [source]: token } : {}) };
  const { code, stdout, stderr } = await cli(["check", ...words, "--json", "--debug"], { env, input });
  expect([code, JSON.parse(stdout)]).toMatchObject([64, { error: { code: "implausibleToken" } }]);
  expect(stderr).toMatch(new RegExp(`^kalam-ready: ${source}: expected an access token .* \\[implausibleToken\\]\\n$`));
  for (const part of [start, end]) expect(stdout + stderr).not.toContain(part);
});

test("a token of 1 MB, or of too few characters, is refused by its length: 64", processes, async () => {
  const file = path.join(folder, "token");
  for (const [token, length] of [
    ["x".repeat(1024 * 1024 - 1), "1,048,575"],
    ["short", "5"],
  ] as const) {
    writeFileSync(file, token);
    const { code, stderr } = await cli(["check", "--url", "http://127.0.0.1:9", "--token-file", file]);
    expect([code, stderr]).toEqual([
      64,
      `kalam-ready: --token-file: expected an access token of 8 to 16,384 characters, got ${length}\n`,
    ]);
  }
});

test("white space around a token is not part of it", processes, async () => {
  const env = { KALAM_READY_STATE: folder, KALAM_READY_TOKEN: "  opaque-token-1\n" };
  // Nothing listens there: it got as far as that.
  expect((await cli(["check", "--url", "http://127.0.0.1:9"], { env })).code).toBe(69);
});
