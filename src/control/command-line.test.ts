/** A server that somebody else runs is stopped and started: by docker, or by the commands of a profile. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePort } from "./child.ts";
import { runCommand } from "./command.ts";
import { settingsFile, settingsForSpeed } from "./settings-file.ts";
import type { Report } from "../report.ts";
import { sleep } from "../session/pacing.ts";
import { cli, type CliOptions, type CliResult } from "../../test/cli.ts";
import { standInDocker, type Docker } from "./docker-stand-in.ts";
import { sandboxBinary } from "../../test/sandbox.ts";

const wholeRuns = { timeout: 240_000 };
const password = "Kr1-of-the-container";
let folder = "";
let url = "";
let docker: Docker;

const isUp = async (): Promise<boolean> =>
  await fetch(`${url}/v1/api/auth/status`).then(
    ({ ok }) => ok,
    () => false,
  );
const askedBut = (one: string): string[] =>
  docker.asked().filter((line) => !line.startsWith(one) && !line.startsWith("wrap"));

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-container-"));
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const file = path.join(folder, "server.toml");
  // Without a secret each start has another one, and earlier tokens are worth nothing.
  writeFileSync(file, settingsFile(folder, port, { ...settingsForSpeed.all, "auth.jwt_secret": "" }));
  docker = standInDocker(path.join(folder, "bin"), {
    name: "kalamdb",
    command: [process.execPath, sandboxBinary, file],
    environment: { KALAMDB_ROOT_PASSWORD: password },
  });
  await runCommand([docker.program, "start", "kalamdb"]);
  await vi.waitFor(
    async () => {
      if (!(await isUp())) throw new Error("it is not up");
    },
    { timeout: 60_000, interval: 200 },
  );
}, 120_000);
afterAll(async () => {
  await docker.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function check(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return await cli(["check", "--url", url, "--effort", "light", "--allow", "process", "--json", ...args], {
    ...options,
    env: {
      PATH: `${docker.folder}:${process.env["PATH"]}`,
      KALAM_READY_USER: "root",
      KALAM_READY_PASSWORD: password,
      KALAM_READY_STATE: path.join(folder, "state"),
    },
  });
}
const only = ["--only", "durability/schema-survives-restart"];
const resultOf = ({ stdout }: CliResult): unknown =>
  (JSON.parse(stdout) as Report).results.find((one) => one.category === "durability");

test("a container is stopped and started by docker, and earlier tokens are renewed", wholeRuns, async () => {
  const ran = await check([...only, "--container", "kalamdb"]);
  expect(resultOf(ran)).toMatchObject({
    kind: "pass",
    sentence: expect.stringContaining("stopped (docker kill --signal SIGTERM kalamdb)"),
  });
  expect(ran.code).toBe(0);
  expect(askedBut("inspect")).toEqual(["start kalamdb", "kill --signal SIGTERM kalamdb", "start kalamdb"]);
  expect(await isUp()).toBe(true);
});

test("commands of a profile do the same", wholeRuns, async () => {
  mkdirSync(path.join(folder, "profile"));
  const file = path.join(folder, "profile", "gate.yaml");
  const command = {
    kill: [docker.program, "kill", "kalamdb"],
    stop: [docker.program, "kill", "--signal", "SIGTERM", "kalamdb"],
    start: [docker.program, "start", "kalamdb"],
  };
  writeFileSync(file, `version: 1\ncontrol: ${JSON.stringify({ command })}\n`);
  const ran = await check([...only, "--profile", file]);
  expect([resultOf(ran), ran.code]).toMatchObject([{ kind: "pass" }, 0]);
});

test(
  "without a container or commands nothing is known, and a container that is not there is a mistake of usage",
  wholeRuns,
  async () => {
    const without = await check(only);
    expect([resultOf(without), without.code]).toMatchObject([
      {
        kind: "unknown",
        sentence: expect.stringMatching(/^nothing is known about how to stop and start this server: .*--container/),
      },
      2,
    ]);
    const other = await check([...only, "--container", "other"]);
    expect([other.code, other.stderr]).toEqual([64, expect.stringContaining("No such container: other")]);
  },
);

test("interrupted while the server is down, it leaves it running", wholeRuns, async () => {
  const before = docker.asked().length;
  const ran = await check([...only, "--container", "kalamdb"], {
    meanwhile(child) {
      void (async () => {
        while (
          child.exitCode === null &&
          !docker
            .asked()
            .slice(before)
            .some((line) => line.startsWith("kill"))
        )
          await sleep(10);
        child.kill("SIGINT");
      })();
    },
  });
  expect(ran.code).toBe(130);
  expect(await isUp()).toBe(true);
});
