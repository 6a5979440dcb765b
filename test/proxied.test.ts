/** A server behind a reverse proxy, as production servers are: it sees a remote client. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import { cli, type CliResult } from "./cli.ts";
import { proxyTo, type ProxyOptions } from "./proxy.ts";
import { startSandbox } from "./sandbox.ts";

let server: OwnServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-proxied-"));
  server = await startSandbox();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function check(words: readonly string[], proxying: ProxyOptions = {}, env = {}): Promise<CliResult> {
  const proxy = await proxyTo(server.url, proxying);
  try {
    return await cli(["check", "--url", proxy.url, ...words], {
      env: {
        KALAM_READY_USER: "root",
        KALAM_READY_PASSWORD: server.rootPassword,
        KALAM_READY_STATE: path.join(folder, "state"),
        ...env,
      },
    });
  } finally {
    await proxy.close();
  }
}
const only = (...ids: readonly string[]): string[] => ids.flatMap((id) => ["--only", id]);
const few = only(
  "configuration/answers-sql",
  "configuration/namespaces-kept-apart",
  "observability/health-tells-truth",
  "observability/version-told",
  "subscriptions/no-change-twice",
);

describe("a server that sees us as a remote client", () => {
  test("and has closed setup and health to us is checked like any other", async () => {
    const seen: string[] = [];
    const { code, stdout, stderr } = await check(few, {
      instead(request) {
        seen.push(`${request.method} ${request.url}`);
        return undefined;
      },
    });
    expect(stderr).not.toMatch(/^kalam-ready:/m);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nREADY {3}5 passed/) as string]);
    expect(seen.filter((one) => one === "POST /v1/api/auth/login").length).toBeGreaterThan(0);
    expect(readdirSync(path.join(folder, "state"))).toEqual([]);
  });
});
