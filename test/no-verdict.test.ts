/** Ends without a verdict: 69, 73, 77 and 78. */
import { writeFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { webServer } from "./cli.ts";
import { codesOf, folder, leftOnServer, processes, quick, relay, run, useSandbox } from "./runs.ts";

useSandbox("no-verdict");

describe("69, 73, 77, 78", processes, () => {
  test("no server listens: 69, in every format", async () => {
    const { code, stdout, stderr } = await run(["check", "--url", "http://127.0.0.1:9", "--json"]);
    expect(stderr).toMatch(/http:\/\/127\.0\.0\.1:9: .*ECONNREFUSED/);
    expect(JSON.parse(stdout)).toMatchObject({ exit: 69, verdict: "UNREACHABLE", totals: { passed: 0 } });
    expect(code).toBe(69);
  });

  test("a server that does not start: 69", async () => {
    const { code, stderr } = await run(["check", "--server-bin", "/bin/false"], { env: { KALAM_READY_URL: "" } });
    expect(stderr).toMatch(/\/bin\/false ended with exit code 1/);
    expect(code).toBe(69);
  });

  test("a report that cannot be written: 73, before anything is sent", async () => {
    const result = await run(["check", ...quick, "--report", "junit=/dev/null/ready.xml", "--debug"]);
    expect([result.code, result.stdout, ...codesOf(result)]).toEqual([73, "", "fileNotWritable"]);
  });

  test("a report path that is a folder: 73", async () => {
    const place = path.join(folder, "taken");
    mkdirSync(place);
    expect((await run(["check", ...quick, "--report", `json=${place}`])).code).toBe(73);
  });

  test("a ledger that cannot be written: 73, and nothing is created", async () => {
    const result = await run(["check", ...quick, "--debug"], { env: { KALAM_READY_STATE: "/dev/null/state" } });
    expect([result.code, ...codesOf(result)]).toEqual([73, "ledgerNotWritable"]);
    expect(await leftOnServer()).toEqual([]);
  });

  test("a wrong password: 77 after one try", async () => {
    const tries: string[] = [];
    const counting = await webServer((request, response) => {
      tries.push(request.url ?? "");
      void relay(request, response);
    });
    try {
      const { code, stderr } = await run(["check", "--url", counting.url], {
        env: { KALAM_READY_PASSWORD: "wrong-password-1" },
      });
      expect(stderr).toMatch(/the login of root was refused .*not be retried/);
      expect(stderr).not.toContain("wrong-password-1");
      expect(tries.filter((url) => url.endsWith("/login"))).toHaveLength(1);
      expect(code).toBe(77);
    } finally {
      counting.close();
    }
  });

  test.for<[string, string]>([
    ["version: 1\nalow: [scratch]\n", "2:1 unknownKey"],
    ["version: 1\nversion: 1\n", "2:1 duplicateKey"],
    ['version: 1\nlogin: { user: root, password: "hunter22" }\n', "2:32 literalSecret"],
    ["version: 1\nchecks:\n  configuration/clock-in-step: { limits: { clockOfMsMax: 1 } }\n", "3:44 unknownLimit"],
    ["version: 1\nskip: { configuration/clock-in-step: }\n", "2:38 notAScalar"],
    ["version: 1\nbudget: 10\n", "2:9 durationUnit"],
    ["version: 1\nserver: ${env:NOWHERE}\n", "2:9 missingVariable"],
  ])("a bad profile: 78 with line, column and code: %j", async ([text, wrong]) => {
    const file = path.join(folder, "bad.yaml");
    writeFileSync(file, text);
    const { code, stderr, stdout } = await run(["check", "--profile", file, "--debug"]);
    expect(stderr.replace(/^.*bad\.yaml:(\d+:\d+): .* \[(\w+)\]\n$/, "$1 $2")).toBe(wrong);
    expect(stderr).not.toContain("hunter22");
    expect([code, stdout]).toEqual([78, ""]);
  });

  test("a profile that does not exist: 78", async () => {
    const result = await run(["check", "--profile", "standart", "--debug"]);
    expect([result.code, ...codesOf(result)]).toEqual([78, "profileNotFound"]);
  });

  test("profile lint: 0 for a valid profile, 78 for one that contradicts itself", async () => {
    const file = path.join(folder, "contradiction.yaml");
    writeFileSync(file, "version: 1\nallow: []\nrequire: [configuration/namespaces-kept-apart]\n");
    const results = await Promise.all([run(["profile", "lint", "gate"]), run(["profile", "lint", file, "--debug"])]);
    expect(results.map((one) => one.code)).toEqual([0, 78]);
    expect(results.map(codesOf)).toEqual([[], ["requiredNotAllowed"]]);
  });
});
