/** Settings that contradict each other or are misspelled are errors: the one that was meant may be the other. */
import { mkdtempSync, rmSync } from "node:fs";
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
