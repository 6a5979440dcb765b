/** Interrupted and killed runs, and what cleanup finds of them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { until } from "./cli.ts";
import { sandboxBinary } from "./sandbox.ts";
import { folder, leftOnServer, run, useSandbox, wholeRuns } from "./runs.ts";

useSandbox("interrupted");

describe("130 and 143", wholeRuns, () => {
  test.each([
    ["SIGINT", 130, "INTERRUPTED"],
    ["SIGTERM", 143, "TERMINATED"],
  ] as const)("%s cleans up and exits with %d", async (signal, exit, verdict) => {
    const { code, stdout, stderr } = await run(["check", "-v", "--max-rps", "30"], {
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
    await run(["check", "-v", "--max-rps", "10"], {
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
    await run(["check", "-v", "--server-bin", sandboxBinary, "--max-rps", "10"], {
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
