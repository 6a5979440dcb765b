import { afterAll, beforeAll, expect, test } from "vitest";
import { Limiter } from "./http/limiter.ts";
import type { OwnServer } from "../../src/control/process.ts";
import { startSandbox } from "../../test/sandbox.ts";
import { visit } from "./visitor.ts";

/** For tests that wait for processes, on a busy machine. */
const busy = { timeout: 30_000 };

const PASSWORD = "Pass-word-1234";
let sandbox: OwnServer;

beforeAll(async () => {
  sandbox = await startSandbox({
    rootPassword: PASSWORD,
    changes: { "rate_limit.max_queries_per_sec": 5, "rate_limit.max_auth_requests_per_ip_per_sec": 3 },
  });
});

afterAll(() => sandbox.stop());

test("a limiter lets a second's worth through at once, then so many a second, to each key its own", () => {
  const limiter = new Limiter(10, 2);
  const allowed = (key: string, nowMs: number): number =>
    Array.from({ length: 20 }, () => limiter.allows(key, nowMs)).filter(Boolean).length;
  expect(allowed("a", 0)).toBe(10);
  expect(allowed("b", 0)).toBe(10);
  expect(allowed("a", 500)).toBe(5);
  expect(allowed("a", 10_000)).toBe(10);
  // Only so many keys are kept in mind; the one not seen for longest is forgotten.
  expect(allowed("c", 10_000)).toBe(10);
  expect(allowed("b", 10_000)).toBe(10);
});

test("more queries than allowed are refused by their code, to this account alone, and not for long", busy, async () => {
  const root = await visit(sandbox.url, "root", PASSWORD);
  expect((await root.sql("CREATE USER 'other' WITH PASSWORD 'Pass-word-1234' ROLE user")).status).toBe(200);
  const other = await visit(sandbox.url, "other", PASSWORD);
  const answers = await Promise.all(Array.from({ length: 40 }, () => root.sql("SELECT 1")));
  expect(new Set(answers.map(({ status, code }) => `${status} ${code ?? ""}`))).toEqual(
    new Set(["200 ", "429 RATE_LIMIT_EXCEEDED"]),
  );
  expect((await other.sql("SELECT 1")).status).toBe(200);
  await expect.poll(async () => (await root.sql("SELECT 1")).status, { timeout: 20_000, interval: 300 }).toBe(200);
});

test("logins are limited by address, but not those from this host", busy, async () => {
  const tries = (headers: Readonly<Record<string, string>>): Promise<number[]> =>
    Promise.all(
      Array.from({ length: 12 }, async () => {
        const body = JSON.stringify({ user: "nobody", password: "x" });
        const options = { method: "POST", headers: { "content-type": "application/json", ...headers }, body };
        return (await fetch(`${sandbox.url}/v1/api/auth/login`, options)).status;
      }),
    );
  expect(new Set(await tries({}))).toEqual(new Set([401]));
  expect(new Set(await tries({ "x-forwarded-for": "203.0.113.9" }))).toEqual(new Set([401, 429]));
});
