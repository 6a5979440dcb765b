/** Ends before anything was sent: mistakes in the command line, and our own defects. */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { packageFolder } from "../src/package.ts";
import { boomAfter, codesOf, folder, processes, run, server, useSandbox } from "./runs.ts";

useSandbox("usage");

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
    [["sandbox", "--dialect", "0.5"], "invalidDialect"],
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

  test("no server, a password without a user, a user without a password, and no terminal", async () => {
    const none = { KALAM_READY_URL: "", KALAM_READY_USER: "", KALAM_READY_PASSWORD: "" };
    for (const [args, wrong, given] of [
      [[], "noServer", {}],
      [["--url", server.url], "noUser", { KALAM_READY_PASSWORD: server.rootPassword }],
      [["--url", server.url, "--user", "root"], "noPassword", {}],
    ] as const) {
      const result = await run(["check", ...args, "--debug"], { env: { ...none, ...given } });
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
    // Reports of an earlier run must not be taken for ones of this run.
    const reports = ["junit", "json", "table"].map((format) => [format, path.join(unbuilt, `old.${format}`)] as const);
    for (const [, file] of reports) writeFileSync(file, "READY");
    const named = reports.flatMap(([format, file], at) =>
      at === 0 ? ["--report", `${format}=${file}`] : [`--report=${format}=${file}`],
    );
    const start = (flags: readonly string[], preload = ""): SpawnSyncReturns<string> =>
      spawnSync(process.execPath, [path.join(unbuilt, "bin/kalam-ready.js"), "check", ...flags], {
        encoding: "utf8",
        env: { ...process.env, NODE_OPTIONS: preload },
      });
    const { status, stdout, stderr } = start([...named, "--json"]);
    expect([status, stderr]).toEqual([
      70,
      expect.stringMatching(/^kalam-ready: the program is incomplete: .*dist/) as string,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ exit: 70, error: { code: "didNotStart" } });
    const [junit = "", json = "", table] = reports.map(([, file]) => readFileSync(file, "utf8"));
    expect(junit).toMatch(/^<\?xml .*errors="1".*<error message="INTERNAL, exit 70"/s);
    expect(JSON.parse(json)).toEqual(JSON.parse(stdout));
    expect(table).toMatch(/^INTERNAL\nbecause .*\nexit 70\n$/);

    const oldNode = "Object.defineProperty(process.versions,'node',{value:'18.20.1'})";
    writeFileSync(reports[0]?.[1] ?? "", "READY");
    const old = start(named, `--import=data:text/javascript,${encodeURIComponent(oldNode)}`);
    expect([old.status, old.stderr]).toEqual([
      70,
      "kalam-ready: Node 18.20.1 is too old; 20.19 or newer is required\n",
    ]);
    expect(readFileSync(reports[0]?.[1] ?? "", "utf8")).toContain("Node 18.20.1 is too old");

    const broken = await run(["check"], { env: boomAfter(100) });
    expect([broken.code, /internal error.*boom/s.test(broken.stderr)]).toEqual([70, true]);
    await run(["cleanup"]);
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
