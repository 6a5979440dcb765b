/** A server behind a reverse proxy, as production servers are: it sees a remote client. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import { cli, type CliResult } from "./cli.ts";
import { proxyTo, type ProxyOptions } from "./proxy.ts";
import { startSandbox } from "./sandbox.ts";

/** Runs of the command line, on a machine that may be busy. */
vi.setConfig({ testTimeout: 90_000 });

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

/** Exchanges the server's tokens for ones that live this long, and keeps their use as a server would. */
function shortLived(seconds: number, { says = seconds } = {}): ProxyOptions & { readonly refusals: string[] } {
  const real = new Map<string, { readonly token: string; readonly until: number }>();
  const refusals: string[] = [];
  let made = 0;
  return {
    refusals,
    instead(request) {
      const known = real.get(request.headers.authorization?.slice("Bearer ".length) ?? "");
      if (known === undefined) return undefined;
      request.headers.authorization = `Bearer ${known.token}`;
      if (Date.now() < known.until) return undefined;
      refusals.push(request.url ?? "");
      const error = { code: "TOKEN_EXPIRED", message: "The token has expired" };
      return { status: 401, body: JSON.stringify({ status: "error", results: [], took: 0, error }) };
    },
    rewrite(request, body) {
      if (request.url !== "/v1/api/auth/login") return body;
      const answer = JSON.parse(body) as { access_token: string };
      made += 1;
      const [, claims = ""] = answer.access_token.split(".");
      const iat = Math.floor(Date.now() / 1000);
      const changed = { ...(JSON.parse(Buffer.from(claims, "base64url").toString()) as object), made };
      const shown = Buffer.from(JSON.stringify({ ...changed, iat, exp: iat + says })).toString("base64url");
      const token = `eyJhbGciOiJIUzI1NiJ9.${shown}.c2lnbmF0dXJl`;
      real.set(token, { token: answer.access_token, until: Date.now() + seconds * 1000 });
      return JSON.stringify({ ...answer, access_token: token });
    },
  };
}
const overHttp = only(
  "configuration/answers-sql",
  "configuration/namespaces-kept-apart",
  "configuration/drop-if-exists-idempotent",
  "validation/not-null-holds",
);

describe("a token that ends during the run", () => {
  test("is renewed in time where it says when it ends", async () => {
    const proxying = shortLived(2);
    const { code, stdout } = await check([...overHttp, "--max-rps", "25"], proxying);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nREADY {3}4 passed/) as string]);
    expect(proxying.refusals).toEqual([]);
  });

  test("is renewed after the first 401 where it ends early", async () => {
    const proxying = shortLived(2, { says: 86_400 });
    const { code, stdout } = await check([...overHttp, "--max-rps", "25"], proxying);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nREADY {3}4 passed/) as string]);
    expect(proxying.refusals.length).toBeGreaterThan(0);
    expect(readdirSync(path.join(folder, "state"))).toEqual([]);
  });

  test("and was all we had leaves unknown what came after it, as announced", async () => {
    const proxying = shortLived(4);
    const proxy = await proxyTo(server.url, proxying);
    const login = await fetch(`${proxy.url}/v1/api/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user: "root", password: server.rootPassword }),
    });
    const { access_token: token } = (await login.json()) as { access_token: string };
    await proxy.close();
    const { code, stdout, stderr } = await check([...overHttp, "--max-rps", "5"], proxying, {
      KALAM_READY_PASSWORD: "",
      KALAM_READY_USER: "",
      KALAM_READY_TOKEN: token,
    });
    expect(stderr).toMatch(
      /^kalam-ready: the token expires in \d s, and the budget is 10 min: checks that are not done/m,
    );
    expect(stdout).toContain("the run's own token has expired");
    expect(stdout).not.toContain("✖");
    expect(code).toBe(2);
    // What could not be removed stays in the ledger.
    expect(readdirSync(path.join(folder, "state"))).toHaveLength(1);
    const env = { KALAM_READY_STATE: path.join(folder, "state"), KALAM_READY_PASSWORD: server.rootPassword };
    const cleaned = await cli(["cleanup", "--url", server.url, "--user", "root", "--older-than", "1ms"], { env });
    expect([cleaned.code, cleaned.stdout]).toEqual([0, expect.stringMatching(/none of them is listed/) as string]);
    rmSync(path.join(folder, "state"), { recursive: true });
  });
});

describe("a server, or a proxy, that calls us too fast", () => {
  const slower = { status: 429, body: "<h1>Too Many Requests</h1>" };

  test("now and then is waited for, and is as ready as any other", async () => {
    let asked = 0;
    const { code, stdout } = await check(few.slice(0, 4), {
      instead() {
        asked += 1;
        return asked % 10 === 0 ? slower : undefined;
      },
    });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nREADY {3}2 passed/) as string]);
  });

  test("from some request on leaves everything after it unknown, within the budget and whatever it asks for", async () => {
    let asked = 0;
    const beganAt = performance.now();
    const { code, stdout } = await check([...overHttp, "--budget", "4s"], {
      instead() {
        asked += 1;
        return asked > 30 ? { ...slower, headers: { "retry-after": "86400" } } : undefined;
      },
    });
    expect(stdout).not.toContain("✖");
    expect(code).toBe(2);
    expect(performance.now() - beganAt).toBeLessThan(60_000);
    rmSync(path.join(folder, "state"), { recursive: true });
  });
});
