/** How a run begins: without a login, with a weak one, or not at all; and what the screen says of what was not run. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import type { Report } from "../src/report.ts";
import { cli, until, webServer, type CliOptions, type CliResult } from "./cli.ts";
import { proxyTo } from "./proxy.ts";
import { leftOn, openTestSession, startSandbox } from "./sandbox.ts";

let server: OwnServer;
let folder: string;
let state: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-entry-"));
  state = path.join(folder, "state");
  server = await startSandbox();
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const wholeRuns = { timeout: 120_000 };
/** The checks that need no login. */
const open = [
  "configuration/setup-closed",
  "observability/health-tells-truth",
  "subscriptions/handshake-guarded",
  "validation/login-required",
];
const howToLogIn = "set KALAM_READY_USER and KALAM_READY_PASSWORD, or KALAM_READY_TOKEN";

async function check(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return await cli(["check", ...args], { ...options, env: { KALAM_READY_STATE: state, ...options.env } });
}
const root = (): Record<string, string> => ({
  KALAM_READY_USER: "root",
  KALAM_READY_PASSWORD: server.rootPassword,
});

/** The report, and the table of the same run on stdout. */
async function both(args: readonly string[], options: CliOptions = {}): Promise<CliResult & { report: Report }> {
  const json = path.join(folder, "report.json");
  const result = await check([...args, "--report", "table", "--report", `json=${json}`], options);
  return { ...result, report: JSON.parse(readFileSync(json, "utf8")) as Report };
}
const rowsOf = (stdout: string): string[] => stdout.split("\n").filter((line) => /^ {2}\S /.test(line));

describe("--url alone", wholeRuns, () => {
  test("runs what needs no login, tells the rest in one line, and names the variables that let it see more", async () => {
    const asked: string[] = [];
    const proxy = await proxyTo(server.url, {
      instead(request) {
        const { authorization } = request.headers;
        if (authorization?.startsWith("Bearer ey") === true || request.url?.endsWith("/login") === true)
          asked.push(`${request.method} ${request.url} ${authorization === undefined ? "" : "with a token"}`);
        return undefined;
      },
    });
    const { code, stdout, stderr, report } = await both(["--url", proxy.url]);
    await proxy.close();
    const run = report.results.filter(({ observation }) => observation !== undefined);
    expect(run.map((result) => result.check).toSorted()).toEqual(open);
    expect(run.map(({ kind }) => kind).toSorted()).toEqual(["pass", "pass", "pass", "unknown"]);
    const others = report.results.filter(({ kind, observation }) => kind === "unknown" && observation === undefined);
    expect(new Set(others.map(({ sentence }) => sentence))).toEqual(new Set([`no login was given (${howToLogIn})`]));
    const limit = `no login was given; ${others.length} checks need one: ${howToLogIn}`;
    expect(stderr.split("\n")[0]).toBe(limit);
    expect(stdout.split("\n").slice(0, 2)).toEqual([expect.stringContaining("without a login  run") as string, limit]);
    expect(stdout).toContain(`  ? ${others.length} checks were not run: no login was given (${howToLogIn})\n`);
    expect(stdout.match(/no login was given/g)).toHaveLength(2);
    expect(stdout).toMatch(/^CANNOT TELL {3}3 passed/m);
    expect([code, report.exit, report.server.login, report.run.limitedBy]).toEqual([2, 2, null, limit]);
    // It tried forged tokens, and no login.
    expect(asked.filter((one) => one.includes("/login"))).toEqual([]);
    expect(asked.length).toBeGreaterThan(0);
    expect(readdirSync(state)).toEqual([]);
  });

  test("on the server's own host sees what it tells of its health and its setup", async () => {
    const { code, stdout } = await check(["--url", server.url, ...open.slice(0, 2).flatMap((id) => ["--only", id])]);
    expect(stdout).toMatch(/KalamDB \S+ without a login/);
    expect(stdout).toMatch(/✔ .*set up \(200 needs_setup false\); for a remote client 403/);
    expect(stdout).toMatch(/\? .*GET \/health: 200 healthy; for a remote client 403; without a login/);
    expect(code).toBe(2);
  });

  test("is red where a server is still to be set up, and where it lets strangers in", async () => {
    const answers: Readonly<Record<string, string>> = {
      "/v1/api/auth/status": '{"needs_setup":true,"message":"do it"}',
      "/v1/api/sql": '{"status":"success","results":[],"took":1}',
    };
    const proxy = await proxyTo(server.url, {
      instead({ url = "" }) {
        const body = answers[url];
        return body === undefined ? undefined : { status: 200, body };
      },
    });
    const only = ["--only", "validation/login-required", "--only", "configuration/setup-closed"];
    const { code, stdout } = await check(["--url", proxy.url, ...only]);
    await proxy.close();
    expect(stdout).toContain("GET /v1/api/auth/status says that the server still needs its setup");
    expect(stdout).toContain("POST /v1/api/sql with no token was accepted with status 200");
    expect(stdout).toMatch(/^NOT READY {3}0 passed {2}2 failed/m);
    expect(code).toBe(1);
  });

  test("at something that is not KalamDB: 2, with the sentence once", async () => {
    const other = await webServer((_, response) => response.writeHead(404).end("<h1>nothing here</h1>"));
    const { code, stdout, stderr } = await check(["--url", other.url]);
    other.close();
    const sentence = /POST \/v1\/api\/sql without a token returned .*not an answer of KalamDB/;
    expect(stderr.split("\n")[0]).toMatch(sentence);
    expect(stdout.split("\n").filter((line) => sentence.test(line))).toHaveLength(1);
    expect(rowsOf(stdout).filter((line) => line.includes("?"))).toEqual([
      expect.stringMatching(/^ {2}\? \d+ checks were not run$/) as string,
    ]);
    expect(code).toBe(2);
  });

  test("is planned as it will run", async () => {
    const planned = async (env: Record<string, string>): Promise<string> =>
      (await cli(["plan"], { env: { KALAM_READY_STATE: state, ...env } })).stdout;
    const alone = await planned({ KALAM_READY_URL: server.url });
    const run = alone.split("\n").flatMap((line) => /^run +(\S+)/.exec(line)?.[1] ?? []);
    expect(run.toSorted()).toEqual(open);
    expect(alone).toMatch(/Nothing was sent\.\nno login was given; \d+ checks need one: set KALAM_READY_USER/);
    // With a login, or for a server that is not named yet, as any login may run them.
    const [named, loggedIn] = [await planned({}), await planned({ KALAM_READY_URL: server.url, ...root() })];
    for (const text of [named, loggedIn]) expect(text).not.toContain("no login was given");
  });

  test("with half a login is a mistake: 64", async () => {
    const codes = async (args: readonly string[], env: Record<string, string>): Promise<unknown[]> => {
      const { code, stderr } = await check(["--url", server.url, "--debug", ...args], { env });
      return [code, /\[(\w+)\]$/m.exec(stderr)?.[1]];
    };
    expect(await codes([], { KALAM_READY_PASSWORD: server.rootPassword })).toEqual([64, "noUser"]);
    expect(await codes([], { KALAM_READY_USER: "root" })).toEqual([64, "noPassword"]);
    expect(await codes(["--password-stdin"], {})).toEqual([64, "noUser"]);
    expect(await codes(["--user", "root"], { KALAM_READY_TOKEN: "eyJhbGciOiJIUzI1NiJ9.e30.c2ln" })).toEqual([64, "userAndToken"]); // prettier-ignore
    expect(await codes(["--url", server.url], root())).toEqual([64, "givenTwice"]);
  });

  test("is not enough to prove or to clean up", async () => {
    for (const command of ["prove", "cleanup"]) {
      const { code, stderr } = await cli([command, "--url", server.url, "--debug"], { env: { KALAM_READY_STATE: state } }); // prettier-ignore
      expect([code, /\[(\w+)\]$/m.exec(stderr)?.[1]]).toEqual([64, "noUser"]);
    }
  });
});

describe("a weak login", wholeRuns, () => {
  test("is told first, with the number of checks that need more, which are one line", async () => {
    const { session, wire } = await openTestSession(server, path.join(folder, "plain"));
    await session.sender.sql(session.login, "CREATE USER 'root2' WITH PASSWORD 'Plain-Pass-1234' ROLE user");
    session.ledger.close();
    await wire.close();
    const { code, stdout, stderr, report } = await both(["--url", server.url, "--only", "configuration"], {
      env: { KALAM_READY_USER: "root2", KALAM_READY_PASSWORD: "Plain-Pass-1234" },
    });
    const held = report.results.filter(({ sentence }) => sentence.includes("has the role user"));
    expect(held.length).toBeGreaterThan(5);
    const limit = `root2 has the role user; ${held.length} checks need dba`;
    expect(stderr.split("\n")[0]).toBe(limit);
    expect(stdout.split("\n")[1]).toBe(limit);
    expect(stdout.split("\n").filter((line) => line.includes("root2 has the role user, and"))).toEqual([
      `  ? ${held.length} checks were not run: root2 has the role user, and a login with the role dba is needed`,
    ]);
    expect(stderr).not.toMatch(/^unknown .*root2 has the role/m);
    expect(stdout).toMatch(/^ {2}✔.* The server answers SQL/m);
    expect(code).toBe(2);
  });
});

describe("a run that does not begin is one line and the reason", wholeRuns, () => {
  test.for<[string, readonly string[], number, RegExp]>([
    ["unreachable", ["--url", "http://127.0.0.1:9"], 69, /ECONNREFUSED/],
    ["denied", [], 77, /the login of root was refused/],
    ["out of time", ["--budget", "1ms"], 2, /the budget of 1 ms was spent before it began/],
  ])("%s", async ([, args, exit, why]) => {
    const password = exit === 77 ? { KALAM_READY_PASSWORD: "wrong-password-1" } : {};
    const url = args.includes("--url") ? [] : ["--url", server.url];
    const { code, stdout, stderr, report } = await both([...url, ...args], { env: { ...root(), ...password } });
    expect(code).toBe(exit);
    // The budget may end while the first checks run; those have a row.
    expect(rowsOf(stdout).filter((line) => /^ {2}\?/.test(line) && !/spent before it ended/.test(line))).toEqual([
      expect.stringMatching(/^ {2}\? \d+ checks were not run/) as string,
    ]);
    expect(stdout.split("\n").filter((line) => why.test(line))).toHaveLength(1);
    expect(stderr.split("\n").filter((line) => why.test(line))).toHaveLength(1);
    // The machine's reports keep each row.
    const rows = report.results.filter(({ kind, sentence }) => kind === "unknown" && why.test(sentence));
    expect(rows.length).toBeGreaterThan(50);
  });
});

describe("a run that is interrupted", wholeRuns, () => {
  test("shows what is done, and the rest in one line", async () => {
    const { code, stdout, stderr, report } = await both(["-v", "--url", server.url, "--max-rps", "30"], {
      env: root(),
      meanwhile: (child) => void until(child, "stderr", /(^pass[^]*){3}/m).then(() => child.kill("SIGINT")),
    });
    expect(code).toBe(130);
    const done = report.results.filter(({ kind, ofTheRun }) => kind === "pass" && !ofTheRun);
    expect(done.length).toBeGreaterThan(2);
    expect(rowsOf(stdout).filter((line) => line.startsWith("  ✔"))).toHaveLength(done.length);
    const rest = report.results.filter(({ sentence }) => sentence === "interrupted by Ctrl-C");
    const begun = rest.filter(({ tookMs }) => tookMs > 0).length;
    const title = `${rest.length - begun} checks were not run${begun === 0 ? "" : ` and ${begun} did not finish`}`;
    // Some that finished may have seen too little at this rate, each for a reason of its own.
    expect(rowsOf(stdout).filter((line) => /^ {2}\? \d/.test(line))).toEqual([`  ? ${title}`]);
    expect(stdout).toMatch(/^because interrupted by Ctrl-C$/m);
    expect(stderr.match(/not run: interrupted by Ctrl-C/g)).toHaveLength(1);
    expect(stderr).not.toMatch(/interrupted by Ctrl-C {2}0 ms/);
    expect(await leftOn(server, path.join(folder, "look"))).toEqual([]);
  });
});
