import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import { httpWire } from "../src/wire/http.ts";
import { makeSender } from "../src/server/sender.ts";
import { Pacer } from "../src/session/pacing.ts";
import { Recording } from "../src/session/recording.ts";
import { packageFolder } from "../src/package.ts";
import { cli, until, webServer, type CliOptions, type CliResult } from "./cli.ts";
import { kalamStandIn, leftOn, openTestSession, sandboxBinary, startSandbox } from "./sandbox.ts";

let server: OwnServer;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-exits-"));
  server = await startSandbox();
  env = {
    KALAM_READY_URL: server.url,
    KALAM_READY_USER: "root",
    KALAM_READY_PASSWORD: server.rootPassword,
    KALAM_READY_STATE: path.join(folder, "state"),
  };
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Starting node takes its time on a busy machine, and a whole category of checks takes seconds. */
const processes = { timeout: 30_000 };
const wholeRuns = { timeout: 120_000 };

const quick = ["--only", "configuration/answers-sql", "--only", "configuration/drop-missing-refused"];
/** Enough for what happens around checks; the checks themselves are proven elsewhere. */
const category = ["--only", "configuration"];
async function run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return await cli(args, { ...options, env: { ...env, ...options.env } });
}

const leftOnServer = async (): Promise<string[]> => await leftOn(server, path.join(folder, "look"));

describe("0, ready", wholeRuns, () => {
  test("a healthy server passes, the table goes to stdout, and nothing is left behind", async () => {
    const { code, stdout, stderr } = await run(["check", ...category]);
    expect(stdout).toMatch(
      /^kalam-ready \S+ {2}standard {2}http:\/\/127\.0\.0\.1:\d+ {2}KalamDB \S+ as root {2}run [a-z]\d[a-z]\d[a-z] {2}seed \d+\n/,
    );
    expect(stdout).toMatch(/✔ The server answers SQL {2,}3 of 3 queries right/);
    expect(stdout).toMatch(
      /– A server with bad settings .* skipped: stopping this server or starting another is not allowed/,
    );
    expect(stdout).toMatch(/\nREADY {3}\d+ passed .* nothing left behind\n/);
    expect(stderr).toMatch(/^pass +configuration\/answers-sql/m);
    expect(code).toBe(0);
    expect(await leftOnServer()).toEqual([]);
    expect(readdirSync(path.join(folder, "state"))).toEqual([]);
  });

  test("--json is one document, -q is silent, and both give the same verdict", async () => {
    const { code, stdout, stderr } = await run(["check", ...quick, "--json", "-q"]);
    const report = JSON.parse(stdout) as { exit: number; verdict: string; results: unknown[] };
    expect([code, report.exit, report.verdict, stderr]).toEqual([0, 0, "READY", ""]);
    expect(report.results).toHaveLength(3);
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

  test("concurrent runs do not interfere", async () => {
    const both = await Promise.all([run(["check", ...category]), run(["check", ...category])]);
    expect(both.map((one) => one.code)).toEqual([0, 0]);
    expect(await leftOnServer()).toEqual([]);
  });

  test("--kalam-bin gives the kalam command line; without it the checks that need it are skipped", async () => {
    const only = ["--only", "cli/kalam-exits-right", "--only", "cli/catalogue-commands-answer"];
    const without = await run(["check", ...only]);
    expect(without.stdout).toMatch(/– kalam ends with the right exit code.*skipped: no kalam command line given/);
    expect(without.stdout).toMatch(/✔ DESCRIBE, SHOW .* kalam's own were not tried \(no --kalam-bin\)/);
    const named = await run(["check", ...only, "--kalam-bin", kalamStandIn]);
    expect(named.stdout).toMatch(/✔ kalam ends with the right exit code.*14 of 14 runs of kalam/);
    expect(named.stdout).toMatch(/✔ DESCRIBE, SHOW .* so do 3 of kalam's own/);
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
        "touches:process",
      ],
      { env: { KALAM_READY_URL: "" } },
    );
    expect(stdout).toContain("(started for this run)");
    expect(stdout).toMatch(/✔ A server with bad settings does not start/);
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

describe("1, not ready", processes, () => {
  test("a failure is shown with finding, request, risk, remedy and a command to reproduce it; JUnit and JSON agree", async () => {
    const profile = path.join(folder, "strict.yaml");
    writeFileSync(
      profile,
      "version: 1\nname: strict\nchecks:\n  configuration/clock-in-step: { limits: { clockOffMsMax: 0, clockDriftMsMax: 0 } }\n",
    );
    // Against a limit of zero every clock is off by more than half a round trip, or it cannot be told: this wire says 3 s.
    const proxy = await webServer((request, response) => void relay(request, response));
    try {
      const junit = path.join(folder, "out", "ready.xml");
      const json = path.join(folder, "out", "ready.json");
      const { code, stdout } = await run([
        "check",
        "--profile",
        profile,
        "--url",
        proxy.url,
        "--only",
        "configuration/clock-in-step",
        "--report",
        `junit=${junit}`,
        "--report",
        `json=${json}`,
        "-v",
      ]);
      expect(stdout).toMatch(/✖ The server's clock is wrong/);
      expect(stdout).toMatch(/^ {6}clockOff {2}the server's clock is -?\d+ ms/m);
      expect(stdout).toMatch(/^ {6}risk {4}/m);
      expect(stdout).toMatch(/^ {6}remedy {2}.*kalam-ready explain configuration\/clock-in-step/m);
      expect(stdout).toMatch(
        /^ {6}again {3}kalam-ready check --profile \S+ --url \S+ --only configuration\/clock-in-step --seed \d+ -v$/m,
      );
      expect(stdout).toContain("because configuration/clock-in-step failed");
      expect(code).toBe(1);
      expect((JSON.parse(readFileSync(json, "utf8")) as { exit: number }).exit).toBe(1);
      expect(readFileSync(junit, "utf8")).toMatch(/<failure message="[^"]*" type="clockOff">/);
    } finally {
      proxy.close();
    }
  });

  test.each(["</failure>", "<failure", "NOT READY"])(
    "a server that gives out %j as a token is never green",
    async (token) => {
      let given = "";
      const proxy = await webServer((request, response) => {
        if (request.headers.authorization === `Bearer ${token}`) request.headers.authorization = `Bearer ${given}`;
        void relay(request, response, (text) =>
          text.replace(/(?<="access_token":")[^"]*/, (real) => {
            given = real;
            return token;
          }),
        );
      });
      try {
        const junit = path.join(folder, "token.xml");
        const only = ["--only", "configuration/clock-in-step", "--report", `junit=${junit}`];
        const results = [await run(["check", "--url", proxy.url, ...only])];
        results.push(await run(["check", "--url", proxy.url, ...only, "--report", "junit"]));
        expect(given).not.toBe("");
        // It is no token, so nobody is logged in; and it is masked nowhere.
        expect(results.map(({ code }) => code)).toEqual([2, 2]);
        expect(results[0]?.stdout).toMatch(/^CANNOT TELL {3}0 passed/m);
        for (const xml of [readFileSync(junit, "utf8"), results[1]?.stdout ?? ""]) {
          expect(xml.match(/<error message=/g)?.length).toBe(xml.match(/<\/error>/g)?.length);
          expect(xml.match(/<\/error>/g)?.length).toBeGreaterThan(1);
        }
      } finally {
        proxy.close();
      }
    },
  );
});

/** Passes requests on to the sandbox and sets its clock forward a minute on the way back. */
async function relay(
  request: IncomingMessage,
  response: ServerResponse,
  change: (text: string) => string = (text) => text,
): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const answer = await fetch(`${server.url}${request.url ?? ""}`, {
    method: request.method ?? "GET",
    headers: {
      authorization: request.headers.authorization ?? "",
      "content-type": request.headers["content-type"] ?? "",
    },
    ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
  });
  const text = (await answer.text()).replace(/\b1[0-9]{18}\b/, (digits) => String(BigInt(digits) + 60_000_000_000n));
  response.writeHead(answer.status, { "content-type": "application/json" }).end(change(text));
}

describe("2, cannot tell", processes, () => {
  test.each([
    ["HTML at 200", "<!doctype html><title>hello</title>", 200, {}, /is not KalamDB.*200 <!doctype html>/],
    ["a redirect loop", "", 302, { location: "/v1/api/auth/status" }, /is not KalamDB.*a redirect to/],
    ["JSON of somebody else", '{"ok":true}', 200, {}, /is not KalamDB/],
  ])("a server that is not KalamDB: %s", async (_, body, status, headers, said) => {
    const other = await webServer((__, response) => void response.writeHead(status, headers).end(body));
    try {
      const { code, stderr, stdout } = await run(["check", "--url", other.url, "--json"]);
      expect(stderr).toMatch(said);
      expect(JSON.parse(stdout)).toMatchObject({ exit: 2, verdict: "CANNOT TELL" });
      expect(code).toBe(2);
    } finally {
      other.close();
    }
  });

  test("a truncated body and an endless one", async () => {
    const cut = await webServer((_, response) => {
      response
        .writeHead(200, { "content-type": "application/json", "content-length": "1000" })
        .write('{"needs_setup": fal');
      setImmediate(() => response.destroy());
    });
    const endless = await webServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = (): void => {
        while (response.write("x".repeat(1024 * 1024))) if (response.destroyed) return;
        response.once("drain", more);
      };
      more();
    });
    try {
      const results = await Promise.all([run(["check", "--url", cut.url]), run(["check", "--url", endless.url])]);
      expect(results.map((one) => one.code)).toEqual([2, 2]);
      expect(results[1]?.stderr).toContain("the body went on past");
    } finally {
      cut.close();
      endless.close();
    }
  });

  test("a machine that is too busy for a verdict about time: unknown, and said once at the end", async () => {
    const profile = path.join(folder, "prompt.yaml");
    writeFileSync(profile, "version: 1\nchecks:\n  validation/syntax-errors-clear: { level: block, limits: { refusalMsMax: 0 } }\n"); // prettier-ignore
    const block = "const{now}=Date;setInterval(()=>{const%20end=now()+400;while(now()<end);},500).unref()";
    const json = path.join(folder, "prompt.json");
    const only = ["--only", "validation/syntax-errors-clear", "--only", "configuration/answers-sql"];
    const { code, stdout } = await run(["check", "--profile", profile, ...only, "--report", `json=${json}`], {
      env: { NODE_OPTIONS: `--import=data:text/javascript,${block}` },
    });
    expect(stdout).toMatch(
      /\? Invalid SQL is rejected quickly.*this machine was too busy to judge \(timers up to \S+ ms late\)/,
    );
    expect(stdout).toMatch(/^this machine was busy: timers up to \S+ ms late.*; 1 check undetermined for it$/m);
    expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({ run: { machine: { undetermined: 1 } } });
    expect(code).toBe(2);
  });

  test("a plain user: checks that need a dba are unknown, and the sentence names the role", async () => {
    const { session, wire } = await openTestSession(server, path.join(folder, "plain"));
    const name = "plain_reader";
    await session.sender.sql(session.login, `CREATE USER '${name}' WITH PASSWORD 'Plain-Pass-1234' ROLE user`);
    session.ledger.close();
    await wire.close();
    const { code, stdout } = await run(["check", "--user", name, ...category], {
      env: { KALAM_READY_PASSWORD: "Plain-Pass-1234" },
    });
    expect(stdout).toMatch(
      /\? Namespaces are created once, and kept apart +plain_reader has the role user; this check needs a login with the role dba/,
    );
    expect(stdout).toMatch(/✔ The server answers SQL/);
    expect(stdout).toMatch(/^CANNOT TELL/m);
    expect(code).toBe(2);
  });

  test("no check that can pass, and a required check that is not selected", async () => {
    const nothing = await run(["check", "--only", "configuration/bad-settings-stop-the-start"]);
    expect([nothing.code, nothing.stdout.includes("because no check passed")]).toEqual([2, true]);
    const required = await run(["check", ...quick, "--require", "configuration/clock-in-step"]);
    expect([
      required.code,
      required.stdout.includes("configuration/clock-in-step is required and was not selected"),
    ]).toEqual([2, true]);
  });

  test("a budget that is too short ends the run, which cleans up", async () => {
    const { code, stdout } = await run(["check", "--budget", "1ms"]);
    expect(stdout).toMatch(/\? The server answers SQL +the budget of 1 ms was spent/);
    expect(code).toBe(2);
    expect(await leftOnServer()).toEqual([]);
  });
});

/** The codes of the errors that it printed; only --debug shows them. */
function codesOf({ stderr }: CliResult): string[] {
  return [...stderr.matchAll(/\[(\w+)\]$/gm)].map(([, code = ""]) => code);
}

describe("64, usage", processes, () => {
  test("no command: the help on stderr", async () => {
    const { code, stderr, stdout } = await run([]);
    expect(stderr).toMatch(/^Usage: kalam-ready/);
    expect([code, stdout]).toEqual([64, ""]);
  });

  test.for<[readonly string[], string]>([
    [["chek"], "unknownCommand"],
    [["check", "--nope"], "unknownOption"],
    [["check", "--url", ""], "emptyValue"],
    [["check", "--url", "127.0.0.1:8080"], "invalidUrl"],
    [["check", "--url", "ftp://x"], "urlScheme"],
    [["check", "--url", "http://root:hunter22@127.0.0.1:1"], "credentialsInUrl"],
    [["check", "--url", "http://127.0.0.1:1/ui"], "urlPath"],
    [["check", "--profile", ""], "emptyValue"],
    [["check", "--only", "configuration/answer-sql"], "unknownCheck"],
    [["check", "--skip", "nonsense"], "unknownCheck"],
    [["list", "nonsense"], "unknownCheck"],
    [["prove", "nonsense"], "unknownCheck"],
    [["check", "--budget", "10"], "durationUnit"],
    [["check", "--effort", "hard"], "unknownWord"],
    [["check", "--color", "purple"], "unknownWord"],
    [["check", "--parallel", "0"], "notANumber"],
    [["check", "--allow", "everything"], "unknownWord"],
    [["check", "--report", "xml"], "unknownWord"],
    [["check", "--seed", "x"], "notANumber"],
    [["check", "--kalam-bin", ""], "emptyValue"],
    [["check", "--kalam-bin", "/nowhere/kalam"], "notExecutable"],
    [["plan", "--kalam-bin", "/"], "notExecutable"],
    [["check", "--server-bin", "/bin/true", "--url", "http://127.0.0.1:1"], "urlAndServerBin"],
    [["check", "--server-bin", "./no-server"], "notExecutable"],
    [["check", "--server-bin", "/bin/true", "--server-config", "no.toml"], "noSuchFile"],
    [["check", "--token-file", "/nowhere"], "tokenUnreadable"],
    [["check", "--read-only", "--require", "configuration/namespaces-kept-apart"], "requiredNotAllowed"],
    [["explain", "clok-in-step"], "unknownCheck"],
    [["cleanup", "--run", "everything"], "invalidRunId"],
    [["cleanup", "--older-than", "1"], "durationUnit"],
    [["profile", "init", "package.json"], "fileExists"],
  ])("%j: %s", async ([args, wrong]) => {
    const result = await run([...args, "--debug"]);
    expect(codesOf(result)).toEqual([wrong]);
    expect(result.stderr).not.toContain("hunter22");
    expect([result.code, result.stdout]).toEqual([64, ""]);
  });

  test("the message names the flag and the nearest right word; the code is shown with --debug only", async () => {
    const { stderr } = await run(["check", "--only", "configuration/answer-sql"]);
    expect(stderr).toBe(
      'kalam-ready: --only: no check matches "configuration/answer-sql"; did you mean "configuration/answers-sql"?\n',
    );
  });

  test("no server, no user, no password and no terminal", async () => {
    const none = { KALAM_READY_URL: "", KALAM_READY_USER: "", KALAM_READY_PASSWORD: "" };
    for (const [args, wrong] of [
      [[], "noServer"],
      [["--url", server.url], "noUser"],
      [["--url", server.url, "--user", "root"], "noPassword"],
    ] as const) {
      const result = await run(["check", ...args, "--debug"], { env: none });
      expect([result.code, ...codesOf(result)]).toEqual([64, wrong]);
    }
  });
});

describe("70, our own defect", processes, () => {
  test("an unbuilt package and an uncaught error are no verdict", async () => {
    const unbuilt = path.join(folder, "unbuilt");
    mkdirSync(path.join(unbuilt, "bin"), { recursive: true });
    cpSync(path.join(packageFolder, "bin"), path.join(unbuilt, "bin"), { recursive: true });
    writeFileSync(path.join(unbuilt, "package.json"), '{"type":"module"}');
    const { status, stderr } = spawnSync(process.execPath, [path.join(unbuilt, "bin/kalam-ready.js"), "check"], {
      encoding: "utf8",
    });
    expect([status, /internal error.*dist/s.test(stderr)]).toEqual([70, true]);

    const thrown = "--import=data:text/javascript,setTimeout(()=>{throw(new(Error)('boom'))},100)";
    const broken = await run(["check"], { env: { NODE_OPTIONS: thrown } });
    expect([broken.code, /internal error.*boom/s.test(broken.stderr)]).toEqual([70, true]);
    await run(["cleanup"]);
  });
});

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

describe("130 and 143", wholeRuns, () => {
  test.each([
    ["SIGINT", 130, "INTERRUPTED"],
    ["SIGTERM", 143, "TERMINATED"],
  ] as const)("%s cleans up and exits with %d", async (signal, exit, verdict) => {
    const { code, stdout, stderr } = await run(["check", "--max-rps", "30"], {
      meanwhile: (child) => void until(child, "stderr", /^pass/m).then(() => child.kill(signal)),
    });
    expect(stderr).toContain("interrupted: cleaning up");
    expect(stdout).toMatch(new RegExp(`^${verdict}`, "m"));
    expect(code).toBe(exit);
    expect(await leftOnServer()).toEqual([]);
  });

  test("a second Ctrl-C leaves at once and prints the cleanup command, which removes what is left", async () => {
    const slow = ["check", "--debug", "--max-rps", "2", "--only", "configuration/namespaces-kept-apart"];
    const { signal, stderr } = await run(slow, {
      meanwhile(child) {
        void until(child, "stderr", /CREATE NAMESPACE kr_\w+_a /).then(() => child.kill("SIGINT"));
        // Within a second it would be the same keypress.
        void until(child, "stderr", /kalam-ready: interrupted/).then(() =>
          setTimeout(() => child.kill("SIGINT"), 1_200),
        );
      },
    });
    expect(signal).toBe("SIGINT");
    const command = /kalam-ready (cleanup .*) removes what this run created/.exec(stderr)?.[1]?.split(" ") ?? [];
    expect(command.slice(0, 1)).toEqual(["cleanup"]);
    expect(await leftOnServer()).not.toEqual([]);
    const { code, stdout } = await run(command);
    expect(stdout).toMatch(/removing (namespace|account) kr_/);
    expect(code).toBe(0);
    expect(await leftOnServer()).toEqual([]);
  });

  test("a killed run: cleanup finds its objects by the ledger, lists them with --dry-run, and removes them", async () => {
    await run(["check", "--max-rps", "10"], {
      meanwhile: (child) => void until(child, "stderr", /^pass/m).then(() => child.kill("SIGKILL")),
    });
    expect(await leftOnServer()).not.toEqual([]);
    const dry = await run(["cleanup", "--dry-run"]);
    expect(dry.stdout).toMatch(/would remove/);
    expect(await leftOnServer()).not.toEqual([]);
    const real = await run(["cleanup"]);
    expect([real.code, /none of them is listed any more/.test(real.stdout)]).toEqual([0, true]);
    expect(await leftOnServer()).toEqual([]);
    expect(readdirSync(path.join(folder, "state"))).toEqual([]);
  });

  test("a killed run with a server of its own: cleanup ends the server and removes its folder", async () => {
    const state = path.join(folder, "own-state");
    await run(["check", "--server-bin", sandboxBinary, "--max-rps", "10"], {
      env: { KALAM_READY_URL: "", KALAM_READY_STATE: state },
      meanwhile: (child) => void until(child, "stderr", /^pass/m).then(() => child.kill("SIGKILL")),
    });
    const [ledger = ""] = readdirSync(state);
    const place = /"folder","name":"([^"]+)"/.exec(readFileSync(path.join(state, ledger), "utf8"))?.[1] ?? "";
    expect(existsSync(place)).toBe(true);
    const { code, stdout } = await run(["cleanup"], { env: { KALAM_READY_URL: "", KALAM_READY_STATE: state } });
    expect([code, stdout]).toEqual([0, `removing the server in ${place}\n`]);
    expect([existsSync(place), readdirSync(state)]).toEqual([false, []]);
  });
});

test(
  "the demo runs quick checks of every category, shows one failing by name, and exits with 0",
  processes,
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
  },
);

describe("no end of a run leaves the report of an earlier one in place", processes, () => {
  interface Document {
    readonly verdict: string;
    readonly exit: number;
    readonly error: { readonly code: string };
  }
  interface Files {
    readonly junit: string;
    readonly json: string;
    readonly table: string;
    readonly flags: readonly string[];
  }
  let count = 0;
  function green(): Files {
    const place = path.join(folder, `reports-${(count += 1)}`);
    mkdirSync(place);
    const [junit, json, table] = ["ready.xml", "ready.json", "ready.txt"].map((name) => path.join(place, name));
    for (const file of [junit, json, table]) writeFileSync(file ?? "", "READY");
    const flags = [`junit=${junit}`, `json=${json}`, `table=${table}`].flatMap((one) => ["--report", one]);
    return { junit: junit ?? "", json: json ?? "", table: table ?? "", flags };
  }
  /** What the three files say; each must be complete. */
  function saidBy({ junit, json, table }: Files): readonly string[] {
    const { verdict, exit } = JSON.parse(readFileSync(json, "utf8")) as Document;
    const xml = readFileSync(junit, "utf8");
    expect(xml).toMatch(
      /^<\?xml .*<testsuites name="kalam-ready" tests="1" failures="0" errors="1" .*<\/testsuites>\n$/s,
    );
    expect(readdirSync(path.dirname(json)).toSorted()).toEqual(["ready.json", "ready.txt", "ready.xml"]);
    return [`${verdict}, exit ${exit}`, /message="([^"]*)"/.exec(xml)?.[1] ?? "", readFileSync(table, "utf8").replace(/\n.*\n(?=exit)/s, ", ").trim()]; // prettier-ignore
  }

  test.for<[string, readonly string[], Readonly<Record<string, string>>, string]>([
    ["an unknown flag", ["check", "--nope"], {}, "USAGE, exit 64"],
    ["a mistyped command", ["chek"], {}, "USAGE, exit 64"],
    ["no command", [], {}, "USAGE, exit 64"],
    ["a bad value", ["check", "--budget", "10"], {}, "USAGE, exit 64"],
    ["no server", ["check"], { KALAM_READY_URL: "" }, "USAGE, exit 64"],
    ["a profile that is not there", ["check", "--profile", "nowhere"], {}, "BAD PROFILE, exit 78"],
    [
      "a ledger that cannot be written",
      ["check", ...quick],
      { KALAM_READY_STATE: "/dev/null/x" },
      "CANNOT WRITE, exit 73",
    ],
  ])("%s: every file and stdout say so", async ([, args, environment, said]) => {
    const files = green();
    const { code, stdout } = await run([...args, ...files.flags, "--json"], { env: environment });
    expect(saidBy(files)).toEqual([said, said, said]);
    const printed = JSON.parse(stdout) as Document;
    expect([`${printed.verdict}, exit ${printed.exit}`, printed.error.code]).toEqual([
      said,
      expect.stringMatching(/^\w+$/),
    ]);
    expect(code).toBe(printed.exit);
    await run(["cleanup"]);
  });

  test("an uncaught error during the run: every file and stdout say so, check by check", async () => {
    const files = green();
    const broken = { NODE_OPTIONS: "--import=data:text/javascript,setTimeout(()=>{throw(new(Error)('boom'))},600)" };
    const { code, stdout } = await run(["check", ...files.flags, "--json"], { env: broken });
    for (const text of [stdout, readFileSync(files.json, "utf8")])
      expect(JSON.parse(text)).toMatchObject({ verdict: "INTERNAL", exit: 70 });
    expect(readFileSync(files.junit, "utf8")).toContain('message="INTERNAL, exit 70"');
    expect(readFileSync(files.table, "utf8")).toMatch(/^INTERNAL/m);
    expect(code).toBe(70);
    await run(["cleanup"]);
  });

  test("a killed run, and a second Ctrl-C", async () => {
    const slow = ["check", "--max-rps", "5", "--debug", "--only", "configuration/namespaces-kept-apart"];
    for (const signals of [["SIGKILL"], ["SIGINT", "SIGTERM"]] as const) {
      const files = green();
      await run([...slow, ...files.flags], {
        meanwhile(child) {
          void until(child, "stderr", /CREATE NAMESPACE/).then(() => child.kill(signals[0]));
          // A repeat within a second counts as the same keypress.
          void until(child, "stderr", /kalam-ready: interrupted/).then(
            () => void setTimeout(() => child.kill(signals[1]), 1_200),
          );
        },
      });
      expect(saidBy(files)).toEqual(Array.from({ length: 3 }, () => "DID NOT FINISH, exit 70"));
      await run(["cleanup"]);
    }
  });

  test("reports that a profile asks for, even if the profile is bad", async () => {
    const files = green();
    const reports = `reports: [{ format: junit, path: ${files.junit} }, { format: json, path: ${files.json} }, { format: table, path: ${files.table} }]`;
    const profile = path.join(folder, "reports.yaml");
    writeFileSync(profile, `version: 1\nalow: []\n${reports}\n`);
    expect((await run(["check", "--profile", profile])).code).toBe(78);
    expect(saidBy(files)).toEqual(Array.from({ length: 3 }, () => "BAD PROFILE, exit 78"));
  });

  test("a command that writes no reports, and --help, leave it alone", async () => {
    const files = green();
    await run(["plan", "--nope", ...files.flags]);
    await run(["check", "--help", ...files.flags]);
    expect(readFileSync(files.json, "utf8")).toBe("READY");
  });

  test("one that cannot be written is found before anything is sent, and the others say so", async () => {
    const files = green();
    const result = await run(["check", ...quick, ...files.flags, "--report", "json=/dev/null/x"]);
    expect([result.code, result.stdout]).toEqual([73, ""]);
    expect(result.stderr).not.toMatch(/^pass/m);
    expect(saidBy(files)).toEqual(Array.from({ length: 3 }, () => "CANNOT WRITE, exit 73"));
  });

  test("one that can no longer be written at the end: 73 in every other one, too", async () => {
    const files = green();
    const taken = path.join(folder, "taken-later");
    const { code, stdout } = await run(
      ["check", "--max-rps", "5", ...quick, ...files.flags, "--report", `table=${taken}`, "--json"],
      {
        meanwhile: (child) =>
          void until(child, "stderr", /^pass/m)
            .then(() => rmSync(taken))
            .then(() => mkdirSync(taken)),
      },
    );
    const said = [readFileSync(files.json, "utf8"), stdout].map((text) => JSON.parse(text) as Document);
    expect([code, ...said.map(({ exit }) => exit)]).toEqual([73, 73, 73]);
    expect(readFileSync(files.junit, "utf8")).toContain('message="CANNOT WRITE, exit 73"');
    expect(readFileSync(files.table, "utf8")).toMatch(/^CANNOT WRITE .*^because cannot write .*taken-later: /ms);
  });
});

test("--json of another command prints a document for an error, too", processes, async () => {
  const { code, stdout } = await run(["list", "nonsense", "--json"]);
  expect([code, JSON.parse(stdout)]).toMatchObject([64, { exit: 64, error: { code: "unknownCheck" } }]);
});

test("several reports on stdout: one of them says that this cannot be", processes, async () => {
  const result = await run(["check", "--report", "junit", "--json", "--debug"]);
  expect([result.code, ...codesOf(result)]).toEqual([64, "severalReportsOnStdout"]);
  expect(JSON.parse(result.stdout)).toMatchObject({ verdict: "USAGE", error: { code: "severalReportsOnStdout" } });
});

test("--keep keeps the namespaces and prints how to remove them", processes, async () => {
  const { code, stdout } = await run(["check", "--only", "configuration/drop-if-exists-idempotent", "--keep"]);
  expect(code).toBe(0);
  const command = /kalam-ready (cleanup .*?) removes it/.exec(stdout)?.[1]?.split(" ") ?? [];
  expect(await leftOnServer()).not.toEqual([]);
  expect((await run(command)).code).toBe(0);
  expect(await leftOnServer()).toEqual([]);
});
