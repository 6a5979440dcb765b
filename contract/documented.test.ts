/** What is documented of 0.8, sent to the sandbox that claims to speak it. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import type { OwnServer } from "../src/control/process.ts";
import { startSandbox } from "../test/sandbox.ts";

interface Statement {
  readonly as: string;
  readonly sql: string;
  readonly source: string;
  readonly outcome?: "done" | "refused";
  /** The rows of the answer, instead of an outcome. */
  readonly rows?: readonly unknown[];
  /** What an error message must contain. */
  readonly says?: string;
}

interface Message {
  readonly message: unknown;
  /** The type of the frame that comes, or that the connection is closed. */
  readonly outcome: string;
  readonly source: string;
}

const read = <T>(name: string): T[] =>
  JSON.parse(readFileSync(new URL(`0.8/${name}.json`, import.meta.url), "utf8")) as T[];
const statements = read<Statement>("statements");
const messages = read<Message>("messages");

let sandbox: OwnServer;
const tokens = new Map<string, string>();

async function post(
  path: string,
  body: unknown,
  token = "",
): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const response = await fetch(sandbox.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function logIn(user: string, password: string): Promise<void> {
  const { body } = await post("/v1/api/auth/login", { user, password });
  tokens.set(user, String(body["access_token"]));
}

beforeAll(async () => {
  sandbox = await startSandbox({
    environment: { KALAM_SANDBOX_DIALECT: "0.8" },
    changes: { "auth.local.bcrypt_cost": 4, "rate_limit.max_queries_per_sec": 100_000 },
  });
  await logIn("root", sandbox.rootPassword);
  for (const [name, role] of Object.entries({
    adm: "dba",
    svc: "service",
    svc2: "service",
    alice: "user",
    bob: "user",
  })) {
    const sql = `CREATE USER ${name} WITH PASSWORD 'Passw0rd!x' ROLE ${role}`;
    await post("/v1/api/sql", { sql }, tokens.get("root"));
    await logIn(name, "Passw0rd!x");
  }
});

afterAll(async () => {
  await sandbox.stop();
});

test("every line says where it is from", () => {
  for (const { source } of [...statements, ...messages])
    expect(source).toMatch(/^(crate|documentation|release notes of \d[\w.-]+|assumed|the sandbox's own name)\b/);
});

// In order, since each statement builds on the earlier ones.
describe.sequential("statements", () => {
  test.for(statements)("$as: $sql", async ({ as, sql, outcome, rows, says }) => {
    const { status, body } = await post("/v1/api/sql", { sql }, tokens.get(as));
    const { results = [], error } = body as { results?: { rows?: unknown[] }[]; error?: { message: string } };
    const found = { done: status === 200, refused: status >= 400 && status < 500 };
    if (rows !== undefined) expect({ message: error?.message, rows: results[0]?.rows }).toEqual({ rows });
    else expect(found).toEqual({ done: outcome === "done", refused: outcome === "refused" });
    expect(error?.message ?? "").toContain(says ?? "");
  });
});

describe.sequential("messages", () => {
  test.for(messages)("$message: $outcome", async ({ message, outcome }) => {
    const socket = new WebSocket(`${sandbox.url.replace("http", "ws")}/v1/ws?compress=false`, {
      headers: { authorization: `Bearer ${tokens.get("root") ?? ""}` },
    });
    const came = await new Promise((resolve) => {
      socket.on("message", (data: Buffer) => {
        const frame = JSON.parse(data.toString()) as { type: string };
        if (frame.type === "auth_success") socket.send(JSON.stringify(message));
        else resolve(frame.type);
      });
      socket.on("close", () => resolve("closed"));
    });
    socket.terminate();
    expect(came).toBe(outcome);
  });
});
