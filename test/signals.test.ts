/** Every way out of a run: it cleans up, says what it left, and ends with the code of the table. */
import { spawnSync, type ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { packageFolder } from "../src/package.ts";
import { until, webServer } from "./cli.ts";
import { sandboxBinary } from "./sandbox.ts";
import {
  boomAfter,
  env,
  folder,
  leftOnServer,
  preload,
  processes,
  run,
  server,
  useSandbox,
  wholeRuns,
} from "./runs.ts";

useSandbox("signals");

const quickCheck = ["check", "--only", "configuration/answers-sql"];
const slow = ["check", "-v", "--max-rps", "30"];

/** The first check has passed: there is something to clean up. */
const whenRunning = (child: ChildProcess, act: () => void): void =>
  void until(child, "stderr", /^pass/m).then(() => act());

describe("a signal", wholeRuns, () => {
  test.each([
    ["SIGHUP", 129, "HUNG UP"],
    ["SIGQUIT", 131, "QUIT"],
    ["SIGUSR2", 143, "TERMINATED"],
  ] as const)("%s cleans up and exits with %d", async (signal, exit, verdict) => {
    const { code, stdout, stderr } = await run(slow, {
      meanwhile: (child) => whenRunning(child, () => void child.kill(signal)),
    });
    expect(stderr).toContain("interrupted: cleaning up");
    expect(stdout).toMatch(new RegExp(`^${verdict}`, "m"));
    expect(code).toBe(exit);
    expect(await leftOnServer()).toEqual([]);
  });

  test("a connection that is lost, with nobody left to read: it cleans up all the same", async () => {
    const { code } = await run(slow, {
      meanwhile: (child) =>
        whenRunning(child, () => {
          child.stdout?.destroy();
          child.stderr?.destroy();
          child.kill("SIGHUP");
        }),
    });
    expect(code).toBe(129);
    expect(await leftOnServer()).toEqual([]);
  });

  test("one Ctrl-C that arrives twice, from the terminal and from a wrapper, is one", async () => {
    const { code, signal } = await run(slow, {
      meanwhile: (child) =>
        whenRunning(child, () => {
          child.kill("SIGINT");
          setTimeout(() => child.kill("SIGINT"), 10);
        }),
    });
    expect([code, signal]).toEqual([130, null]);
    expect(await leftOnServer()).toEqual([]);
  });

  test("a second one ends a server of the run's own, too", async () => {
    const { signal } = await run(["check", "--server-bin", sandboxBinary, "--max-rps", "2", "--debug"], {
      env: { KALAM_READY_URL: "", KALAM_READY_STATE: path.join(folder, "own"), TMPDIR: folder },
      meanwhile(child) {
        void until(child, "stderr", /CREATE NAMESPACE/).then(() => child.kill("SIGINT"));
        void until(child, "stderr", /kalam-ready: interrupted/).then(() =>
          setTimeout(() => child.kill("SIGINT"), 1_200),
        );
      },
    });
    expect(signal).toBe("SIGINT");
    expect(readdirSync(folder).filter((name) => /^kalam-ready-[0-9a-f]{12}$/.test(name))).toEqual([]);
  });

  test("while the server keeps the login waiting: it does not wait for the answer", async () => {
    const asked = new EventEmitter();
    const silent = await webServer((request, response) => {
      if (request.url?.endsWith("/status") === true) response.end('{"needs_setup":false}');
      else asked.emit("login");
    });
    let sentAt = 0;
    try {
      const { code, stdout } = await run(["check", "--url", silent.url], {
        meanwhile: (child) =>
          asked.once("login", () => {
            sentAt = performance.now();
            child.kill("SIGINT");
          }),
      });
      // A request may take 15 s.
      expect(performance.now() - sentAt).toBeLessThan(10_000);
      expect(stdout).toMatch(/^INTERRUPTED/m);
      expect(code).toBe(130);
      expect(existsSync(env["KALAM_READY_STATE"] ?? "") ? readdirSync(env["KALAM_READY_STATE"] ?? "") : []).toEqual([]);
    } finally {
      silent.close();
    }
  });

  test.each([["demo", "-v"], ["prove"], ["sandbox", "--port", "0"]])(
    "%s stops its sandbox",
    async (command, ...args) => {
      const place = mkdtempSync(path.join(folder, `${command}-`));
      const { code, stdout } = await run([command, ...args], {
        env: { KALAM_READY_URL: "", KALAM_READY_USER: "", KALAM_READY_PASSWORD: "", TMPDIR: place },
        meanwhile: (child) => {
          const stop = (): void => void child.kill("SIGINT");
          if (command === "prove") void until(child, "stdout", /proven/).then(stop);
          else if (command === "demo") void until(child, "stderr", /^pass/m).then(stop);
          else void until(child, "stdout", /export/).then(stop);
        },
      });
      // For a server in the foreground it is the normal end.
      expect(code).toBe(command === "sandbox" ? 0 : 130);
      // A proof that was interrupted has not failed.
      if (command === "prove") expect(stdout).toMatch(/[1-9]\d* proven, 0 missed, 0 not provable here/);
      expect(readdirSync(place).filter((name) => /^kalam-ready-[0-9a-f]{12}$/.test(name))).toEqual([]);
    },
  );
});

describe("an internal error", wholeRuns, () => {
  test.each([
    ["uncaught", "throw new Error('boom ' + process.env.KALAM_READY_PASSWORD)"],
    ["an unhandled rejection", "Promise.reject(new Error('boom ' + process.env.KALAM_READY_PASSWORD))"],
  ])("%s: it cleans up, exits with 70 and prints no secret", async (_, defect) => {
    const { code, stdout, stderr } = await run(slow, {
      env: preload(`process.on("SIGWINCH", () => { ${defect} })`),
      meanwhile: (child) => whenRunning(child, () => void child.kill("SIGWINCH")),
    });
    expect(stderr).toMatch(/internal error, please report it: Error: boom •••\n +at /);
    expect(stdout).toMatch(/^INTERNAL/m);
    expect(`${stdout}${stderr}`).not.toContain(server.rootPassword);
    expect(code).toBe(70);
    expect(await leftOnServer()).toEqual([]);
  });

  test("before anything was begun: 70 at once", async () => {
    const source = `const write = process.stdout.write;
      process.stdout.write = function (...all) {
        process.nextTick(() => { throw new Error("boom") });
        return write.apply(process.stdout, all);
      };`;
    const { code, stderr } = await run(["list"], { env: preload(source) });
    expect([code, /internal error.*boom/.test(stderr)]).toEqual([70, true]);
  });
});

describe("nowhere to write", processes, () => {
  /** Of a shell command in which $KR is the command line. */
  const shell = (command: string, more: Record<string, string> = {}): { status: number | null; stderr: string } => {
    const bin = path.join(packageFolder, "bin", "kalam-ready.js");
    return spawnSync("bash", ["-c", command], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...env, PATH: process.env["PATH"] ?? "", KR: `${process.execPath} ${bin}`, ...more },
    });
  };

  test("stdout on a full disk: 73 and one line", () => {
    const { status, stderr } = shell(`$KR ${quickCheck.join(" ")} -q > /dev/full`);
    expect(stderr).toBe("kalam-ready: cannot write to stdout: ENOSPC\n");
    expect(status).toBe(73);
    expect(shell("$KR --help > /dev/full").status).toBe(73);
  });

  test("stderr on a full disk: the verdict's code", () => {
    expect(shell(`$KR ${quickCheck.join(" ")} 2> /dev/full`).status).toBe(0);
    expect(shell("$KR check --nope 2> /dev/full").status).toBe(64);
    expect(shell(`$KR ${quickCheck.join(" ")} > /dev/full 2>&1`).status).toBe(73);
    const defect = boomAfter(50);
    expect(shell(`$KR ${quickCheck.join(" ")} > /dev/full 2>&1`, defect).status).toBe(70);
  });

  test("a user without an entry in the list of users and without HOME", async () => {
    const place = mkdtempSync(path.join(folder, "no-home-"));
    const source = `import os from "node:os"; import { syncBuiltinESMExports } from "node:module";
      os.homedir = os.userInfo = () => { throw new Error("ENOENT: no such user") }; syncBuiltinESMExports();`;
    const bare = { KALAM_READY_STATE: "", HOME: "", TMPDIR: place };
    const created = ["check", "--only", "configuration/drop-if-exists-idempotent"];
    const { code } = await run(created, { env: { ...bare, ...preload(source) } });
    expect(code).toBe(0);
    expect(existsSync(path.join(place, `kalam-ready-${process.getuid?.() ?? "state"}`, "kalam-ready"))).toBe(true);
    expect((await run(created, { env: bare, cwd: place })).code).toBe(0);
    expect(existsSync(path.join(place, ".local"))).toBe(false);

    // Somebody else may have made it.
    chmodSync(path.join(place, `kalam-ready-${process.getuid?.() ?? "state"}`), 0o777);
    for (const words of [created, ["cleanup"]]) {
      const refused = await run([...words, "--debug"], { env: { ...bare, ...preload(source) } });
      expect([refused.code, /\[(\w+)\]$/m.exec(refused.stderr)?.[1]]).toEqual([73, "stateFolderNotOwn"]);
    }
  });

  test("a folder below /proc: 73, where Node would try for ever", async () => {
    const results = await Promise.all([
      run([...quickCheck, "--report", "json=/proc/no/ready.json", "--debug"]),
      run([...quickCheck, "--debug"], { env: { KALAM_READY_STATE: "", HOME: "/proc" } }),
    ]);
    expect(results.map((one) => one.code)).toEqual([73, 73]);
    expect(results.map((one) => /\[(\w+)\]$/m.exec(one.stderr)?.[1])).toEqual(["fileNotWritable", "ledgerNotWritable"]);
  });

  test("folders that are missing are made", async () => {
    const file = path.join(folder, "a", "b", "ready.json");
    mkdirSync(path.join(folder, "a"));
    expect((await run([...quickCheck, "--report", `json=${file}`])).code).toBe(0);
    expect(existsSync(file)).toBe(true);
  });
});
