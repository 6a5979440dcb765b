import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test, vi } from "vitest";
import { standInDocker, type Docker } from "./docker-stand-in.ts";
import type { Lifecycle } from "../wire/control.ts";
import { httpWire, type HttpWire } from "../wire/http.ts";
import { attachedControl } from "./attached.ts";
import { freePort } from "./child.ts";
import { runCommand } from "./command.ts";

const busy = { timeout: 60_000 };
const server = `
const http = require("node:http");
process.on("SIGTERM", () => process.exit(7));
http.createServer((_, response) => response.writeHead(200).end("{}")).listen(Number(process.env.PORT), "127.0.0.1");
`;

let folder = "";
let docker: Docker;
let wire: HttpWire;
let starts = 0;
const { PATH: path0 } = process.env;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-docker-"));
  writeFileSync(path.join(folder, "server.cjs"), server);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  const port = await freePort();
  docker = standInDocker(path.join(folder, `docker-${port}`), {
    name: "kalamdb",
    command: [process.execPath, path.join(folder, "server.cjs")],
    environment: { PORT: String(port) },
    policy: "always",
  });
  process.env["PATH"] = `${docker.folder}:${path0}`;
  wire = httpWire(`http://127.0.0.1:${port}`, { connections: 1 });
  starts = 0;
  await runCommand([docker.program, "start", "kalamdb"]);
  await vi.waitFor(async () => {
    if (!(await runCommand([docker.program, "inspect", "kalamdb"])).includes("true")) throw new Error("not running");
  }, busy);
});
afterEach(async () => {
  process.env["PATH"] = path0;
  await wire.close();
  await docker.remove();
});

async function controlled(choice: Parameters<typeof attachedControl>[0]): Promise<Lifecycle> {
  const { lifecycle } = await attachedControl(choice, wire.exchange, () => (starts += 1));
  if (lifecycle === undefined) throw new Error("no lifecycle");
  // The server may still be on its way.
  await expect
    .poll(async () => (await wire.exchange({ method: "GET", path: "/", headers: {}, timeoutMs: 1_000 })).kind, busy)
    .toBe("answered");
  return lifecycle;
}

describe("a container", () => {
  test("is killed, gone, started and another process afterwards; the restart policy is told", busy, async () => {
    process.env["KALAM_READY_PASSWORD"] = "not for docker";
    const lifecycle = await controlled({ kind: "docker", container: "kalamdb" });
    expect(lifecycle.how.kill).toBe(
      "docker kill kalamdb; its restart policy always reacts to a crash of the process and not to docker kill",
    );
    const before = await lifecycle.processId();
    await lifecycle.kill();
    expect((await wire.exchange({ method: "GET", path: "/", headers: {}, timeoutMs: 1_000 })).kind).toBe("broken");
    expect(await lifecycle.start(20_000)).toMatchObject({ kind: "ready" });
    expect(await lifecycle.processId()).not.toBe(before);
    expect(starts).toBe(1);
    delete process.env["KALAM_READY_PASSWORD"];
  });

  test("is stopped with its exit code, paused and resumed, and revived", busy, async () => {
    const lifecycle = await controlled({ kind: "docker", container: "kalamdb" });
    expect(await lifecycle.stop({ withinMs: 10_000 })).toMatchObject({ stopped: true, exitCode: 7 });
    expect(await lifecycle.revive()).toBeUndefined();
    await lifecycle.pausing?.pause();
    expect(await lifecycle.revive()).toBeUndefined();
    expect((await wire.exchange({ method: "GET", path: "/", headers: {}, timeoutMs: 5_000 })).kind).toBe("answered");
    expect(docker.asked().filter((line) => !line.startsWith("inspect"))).toEqual([
      "start kalamdb",
      "wrap kalamdb",
      "kill --signal SIGTERM kalamdb",
      "start kalamdb",
      "wrap kalamdb",
      "pause kalamdb",
      "unpause kalamdb",
    ]);
  });

  test("that docker does not know, or that is not running, is reported", busy, async () => {
    const attach = async (container: string) =>
      await attachedControl({ kind: "docker", container }, wire.exchange, () => {});
    await expect(attach("other")).rejects.toThrow(
      /^docker inspect .* other: exit code 1: Error response from daemon: No such container: other$/,
    );
    await runCommand([docker.program, "kill", "kalamdb"]);
    await expect.poll(async () => await runCommand([docker.program, "inspect", "kalamdb"]), busy).toContain("false");
    await expect(attach("kalamdb")).rejects.toThrow("the container kalamdb is not running, so it is not the server");
  });

  test("whose end leaves the server answering is another one", { timeout: 60_000 }, async () => {
    const answering = async () =>
      await Promise.resolve({
        kind: "answered",
        status: 200,
        headers: {},
        body: new Uint8Array(),
        sentAt: 0,
        doneAt: 1,
      } as const);
    const { lifecycle } = await attachedControl({ kind: "docker", container: "kalamdb" }, answering, () => {});
    await expect(lifecycle?.kill()).rejects.toThrow("that container is not the server under check");
  });
});

describe("commands of the profile", () => {
  test("kill, stop and start the server", busy, async () => {
    const lifecycle = await controlled({
      kind: "command",
      commands: {
        kill: [docker.program, "kill", "kalamdb"],
        stop: [docker.program, "kill", "--signal", "SIGTERM", "kalamdb"],
        start: [docker.program, "start", "kalamdb"],
      },
    });
    expect(await lifecycle.processId()).toBeUndefined();
    await lifecycle.kill();
    expect(await lifecycle.start(20_000)).toMatchObject({ kind: "ready" });
    expect(await lifecycle.stop({ withinMs: 5_000 })).toMatchObject({ stopped: true, exitCode: null });
    expect(await lifecycle.revive()).toBeUndefined();
    expect(starts).toBe(2);
    await expect(lifecycle.stop({ signal: "SIGINT", withinMs: 1 })).rejects.toThrow("cannot send SIGINT");
  });

  test("that fail are reported with their output, and the server is started at the end", busy, async () => {
    const commands = {
      kill: ["node", "-e", "console.error('no right to'); process.exit(4)"],
      start: [docker.program, "start", "kalamdb"],
    } as const;
    const lifecycle = await controlled({ kind: "command", commands });
    await expect(lifecycle.kill()).rejects.toThrow(/^node -e .*: exit code 4: no right to$/);
    await expect(lifecycle.stop({ withinMs: 1 })).rejects.toThrow("control.command of the profile has no stop");
    expect(await lifecycle.revive()).toBeUndefined();
  });

  test("have a time limit, and a program that is not there is named", busy, async () => {
    await expect(
      runCommand(["node", "-e", "console.log('working'); setInterval(() => {}, 1000)"], 1_500),
    ).rejects.toThrow(/no end within 1\.5 s: working$/);
    await expect(runCommand(["no-such-program", "x"])).rejects.toThrow(
      /^no-such-program x: spawn no-such-program ENOENT$/,
    );
  });
});
