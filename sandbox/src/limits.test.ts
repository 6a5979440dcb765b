import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { OwnServer } from "../../src/control/process.ts";
import { startSandbox } from "../../test/sandbox.ts";
import { signIn } from "./client.ts";
import { Limiter } from "./http/limiter.ts";

/** They wait for a process of its own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 30_000 });

const password = "Pass-word-1234";
let sandbox: OwnServer;

beforeAll(async () => {
  sandbox = await startSandbox({
    rootPassword: password,
    changes: { "rate_limit.max_queries_per_sec": 5, "rate_limit.max_auth_requests_per_ip_per_sec": 3 },
  });
});

afterAll(async () => {
  await sandbox.stop();
});

test("a limiter allows a burst of one second, then its rate, separately for each key", () => {
  const limiter = new Limiter(10, 2);
  const allowed = (key: string, nowMs: number): number =>
    Array.from({ length: 20 }, () => limiter.allows(key, nowMs)).filter(Boolean).length;
  expect(allowed("a", 0)).toBe(10);
  expect(allowed("b", 0)).toBe(10);
  expect(allowed("a", 500)).toBe(5);
  expect(allowed("a", 10_000)).toBe(10);
  // Above the maximum, the least recently used key is dropped.
  expect(allowed("c", 10_000)).toBe(10);
  expect(allowed("b", 10_000)).toBe(10);
});

test("queries over the limit are refused with their code, for this account only, and only briefly", async () => {
  const root = await signIn(sandbox.url, "root", password);
  expect((await root.sql("CREATE USER 'other' WITH PASSWORD 'Pass-word-1234' ROLE user")).status).toBe(200);
  const other = await signIn(sandbox.url, "other", password);
  const answers = await Promise.all(Array.from({ length: 40 }, async () => await root.sql("SELECT 1")));
  expect(new Set(answers.map(({ status, code }) => `${status} ${code ?? ""}`))).toEqual(
    new Set(["200 ", "429 RATE_LIMIT_EXCEEDED"]),
  );
  expect((await other.sql("SELECT 1")).status).toBe(200);
  await expect.poll(async () => (await root.sql("SELECT 1")).status, { timeout: 5000, interval: 300 }).toBe(200);
});

test("logins are limited by address, except from this host", async () => {
  const tries = async (headers: Readonly<Record<string, string>>): Promise<number[]> =>
    await Promise.all(
      Array.from({ length: 12 }, async () => {
        const body = JSON.stringify({ user: "nobody", password: "x" });
        const options = { method: "POST", headers: { "content-type": "application/json", ...headers }, body };
        return (await fetch(`${sandbox.url}/v1/api/auth/login`, options)).status;
      }),
    );
  expect(new Set(await tries({}))).toEqual(new Set([401]));
  expect(new Set(await tries({ "x-forwarded-for": "203.0.113.9" }))).toEqual(new Set([401, 429]));
});

test.for([
  ["with its length in front", () => "x".repeat(11_000_000)],
  ["in chunks", () => new Blob(["x".repeat(11_000_000)]).stream()],
] as const)("a body that is too large, %s, is refused by 0.8, and its connection closed", async ([, body]) => {
  const newer = await startSandbox({ environment: { KALAM_SANDBOX_DIALECT: "0.8" } });
  const headers = { "content-type": "application/json" };
  const send = async (): Promise<Response> =>
    await fetch(`${newer.url}/v1/api/auth/login`, {
      method: "POST",
      headers,
      body: body(),
      duplex: "half",
    });
  try {
    // A client that is still sending may see its connection closed before it has read the answer.
    let response: Response | undefined;
    for (let tries = 0; response === undefined && tries < 10; tries += 1)
      response = await send().catch(() => undefined);
    expect([response?.status, response?.headers.get("connection")]).toEqual([413, "close"]);
    expect(await response?.json()).toMatchObject({ error: { code: "PAYLOAD_TOO_LARGE" } });
  } finally {
    await newer.stop();
  }
});
