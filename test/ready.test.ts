/** Runs that end with 0, and what they print, keep and leave. */
import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { packageFolder } from "../src/package.ts";
import { makeSender } from "../src/server/sender.ts";
import { Pacer } from "../src/session/pacing.ts";
import { Recording } from "../src/session/recording.ts";
import { httpWire } from "../src/wire/http.ts";

import { kalamStandIn, sandboxBinary } from "./sandbox.ts";
import { category, env, folder, leftOnServer, processes, quick, run, server, useSandbox, wholeRuns } from "./runs.ts";

useSandbox("ready");

describe("0, ready", wholeRuns, () => {
  test("a healthy server passes, the table goes to stdout, and nothing is left behind", async () => {
    const { code, stdout, stderr } = await run(["check", ...category]);
    expect(stdout).toMatch(
      /^kalam-ready \S+ {2}standard {2}http:\/\/127\.0\.0\.1:\d+ {2}KalamDB \S+ as root {2}run [a-z]\d[a-z]\d[a-z] {2}seed \d+\n/,
    );
    expect(stdout).toMatch(/✔ configuration\/answers-sql +The server answers SQL +[\d,]+ ms {2}3 of 3 queries right/);
    expect(stdout).toMatch(
      /– 3 checks were not run: stopping this server or starting another is not allowed \(--allow process\)\n +configuration\/bad-settings-stop-the-start, /,
    );
    expect(stdout).toMatch(/\nREADY {3}\d+ passed .* nothing left behind\n/);
    // The report lists every check; on stderr there is no second list of them.
    expect(stderr).not.toMatch(/configuration\/answers-sql|pass/);
    expect(code).toBe(0);
    expect(await leftOnServer()).toEqual([]);
    expect(readdirSync(path.join(folder, "state"))).toEqual([]);
  });

  test("--json is one document, -q is silent, and both give the same verdict", async () => {
    const { code, stdout, stderr } = await run(["check", ...quick, "--json", "-q"]);
    const report = JSON.parse(stdout) as { exit: number; verdict: string; results: unknown[] };
    expect([code, report.exit, report.verdict, stderr]).toEqual([0, 0, "READY", ""]);
    expect(report.results).toHaveLength(4);
  });

  test("--read-only touches nothing: no namespace, no account, no ledger entry", async () => {
    const { code, stdout } = await run(["check", "--read-only", "--json"]);
    const report = JSON.parse(stdout) as {
      results: { check: string; kind: string; touches: string; sentence: string }[];
    };
    expect(report.results.filter((one) => one.kind === "pass" && one.touches !== "nothing")).toEqual([]);
    expect(report.results.find((one) => one.check === "run/nothing-left-behind")?.sentence).toBe("nothing was made");
    expect(code).toBe(0);
  });

  test("a token in place of a password, from a file", async () => {
    const login = await fetchToken();
    const file = path.join(folder, "token");
    writeFileSync(file, `${login}\n`);
    const { code, stdout } = await run(["check", ...quick, "--token-file", file], {
      env: { KALAM_READY_PASSWORD: "", KALAM_READY_USER: "" },
    });
    expect(stdout).toContain("as root");
    expect(code).toBe(0);
  });

  test("a password on stdin", async () => {
    const { code } = await run(["check", ...quick, "--password-stdin"], {
      input: `${server.rootPassword}\n`,
      env: { KALAM_READY_PASSWORD: "" },
    });
    expect(code).toBe(0);
  });

  test("a reader that closes the pipe early changes neither the exit code nor stderr", () => {
    const script = `"${process.execPath}" "${path.join(packageFolder, "bin/kalam-ready.js")}" check --only configuration/answers-sql -q | head -1; echo "exit \${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", script], {
      encoding: "utf8",
      // Bash takes a socket on stdin for a remote login and reads its start-up files.
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...env, PATH: process.env["PATH"] ?? "" },
    });
    expect(stdout).toMatch(/^kalam-ready .*\nexit 0\n$/);
    expect(stderr).toBe("");
  });

  test("compilers take little memory", async () => {
    const tell =
      'import v8 from "node:v8"; process.on("exit", () => console.error(v8.getHeapStatistics().peak_malloced_memory));';
    const { code, stderr } = await run(["check", ...quick, "-q"], {
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tell)}` },
    });
    // With the parser of HTTP optimized, it is 40 MB.
    expect(Number(stderr)).toBeLessThan(20_000_000);
    expect([code, Number(stderr) > 0]).toEqual([0, true]);
  });

  test("concurrent runs do not interfere", async () => {
    const both = await Promise.all([run(["check", ...category]), run(["check", ...category])]);
    expect(both.map((one) => one.code)).toEqual([0, 0]);
    expect(await leftOnServer()).toEqual([]);
  });

  test("--kalam-bin gives the kalam command line; without it the checks that need it are skipped", async () => {
    const only = ["--only", "cli/kalam-exits-right", "--only", "cli/catalogue-commands-answer"];
    const without = await run(["check", ...only]);
    expect(without.stdout).toMatch(
      /– cli\/kalam-exits-right +kalam ends with the right exit code.*skipped: no kalam command line given/,
    );
    expect(without.stdout).toMatch(
      /✔ cli\/catalogue-commands-answer +DESCRIBE, SHOW .* kalam's own were not tried \(no --kalam-bin\)/,
    );
    const named = await run(["check", ...only, "--kalam-bin", kalamStandIn]);
    expect(named.stdout).toMatch(
      /✔ cli\/kalam-exits-right +kalam ends with the right exit code.*14 of 14 runs of kalam/,
    );
    expect(named.stdout).toMatch(/✔ cli\/catalogue-commands-answer +DESCRIBE, SHOW .* so do 3 of kalam's own/);
    const fromEnvironment = await run(["plan", ...only], { env: { KALAM_BIN: kalamStandIn } });
    expect(fromEnvironment.stdout).toMatch(/run +cli\/kalam-exits-right/);
    expect([without.code, named.code, fromEnvironment.code]).toEqual([0, 0, 0]);
    expect(await leftOnServer()).toEqual([]);
    expect(readdirSync(path.join(folder, "state"))).toEqual([]);
    const { stdout } = await run(["explain", "kalam-exits-right"]);
    expect(stdout).toMatch(/^needs .*kalam command line of KalamDB \(--kalam-bin\)/m);
    expect(stdout).toMatch(/^run .*--only cli\/kalam-exits-right --kalam-bin PATH$/m);
  });

  test("--server-bin starts a server, checks that one with process checks, and leaves no process and no folder", async () => {
    const { code, stdout } = await run(
      [
        "check",
        "--server-bin",
        path.relative(packageFolder, sandboxBinary),
        "--allow",
        "process",
        ...quick,
        "--only",
        "bad-settings-stop-the-start",
        "--only",
        "rows-survive-restart",
      ],
      { env: { KALAM_READY_URL: "" } },
    );
    expect(stdout).toContain(
      "(started for this run; set for speed: auth.bcrypt_cost 4, topics.visibility_timeout_secs 8, storage.rocksdb.sync_writes false, rate_limit.max_queries_per_sec 100000,",
    );
    expect(stdout).toMatch(/✔ configuration\/bad-settings-stop-the-start +A server with bad settings does not start/);
    expect(stdout).toMatch(/✔ durability\/rows-survive-restart /);
    expect(code).toBe(0);
    expect(readdirSync(path.join(folder, "state"))).toEqual([]);
  });
});

async function fetchToken(): Promise<string> {
  const wire = httpWire(server.url, { connections: 1 });
  const sender = makeSender({
    wire,
    tokens: new Map(),
    pacer: new Pacer(),
    recording: new Recording(),
    timeoutMs: 10_000,
  });
  const reply = await sender.request(null, {
    method: "POST",
    path: "/v1/api/auth/login",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: "root", password: server.rootPassword }),
  });
  await wire.close();
  return (JSON.parse(reply.text) as { access_token: string }).access_token;
}

test(
  "the demo runs quick checks of every category, shows one failing by name, and exits with 0",
  wholeRuns,
  async () => {
    const { code, stdout, stderr } = await run(["demo"]);
    const [first = "", second = ""] = stdout.split(/^(?=kalam-ready \d)/m);
    expect(first).not.toMatch(/✖/);
    for (const name of ["configuration", "validation", "observability", "subscriptions", "cli"])
      expect(first).toMatch(new RegExp(`^${name} · `, "m"));
    expect(second).toMatch(/^ {6}trailingTextIgnored .* ignored the rest$/m);
    expect(second).toMatch(/^NOT READY/m);
    expect(stderr).toMatch(/with \d+ quick ones of the \d+ checks/);
    expect(code).toBe(0);
    // Its sandbox is gone: only the proof can show the failure again.
    const [, again = ""] = /^ {6}again {3}(.*)$/m.exec(second) ?? [];
    const fresh = { PATH: process.env["PATH"] ?? "", HOME: folder };
    const { status, stdout: proof } = spawnSync("sh", ["-c", again], { env: fresh, cwd: folder, encoding: "utf8" });
    expect([status, proof]).toEqual([0, expect.stringMatching(/proven +\S+ trailingTextIgnored/) as string]);
  },
);

test("--keep keeps the namespaces and prints how to remove them", processes, async () => {
  const { code, stdout } = await run(["check", "--only", "configuration/drop-if-exists-idempotent", "--keep"]);
  expect(code).toBe(0);
  const command = /kalam-ready (cleanup .*?) removes it/.exec(stdout)?.[1]?.split(" ") ?? [];
  expect(await leftOnServer()).not.toEqual([]);
  expect((await run(command)).code).toBe(0);
  expect(await leftOnServer()).toEqual([]);
});
