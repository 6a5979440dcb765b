import { expect, test } from "vitest";
import type { Context } from "../../../src/check.ts";
import type { PlainRequest } from "../../../src/server/sender.ts";
import type { Reply, Target } from "../../../src/server/target.ts";
import type { Json } from "../../../src/wire/json.ts";
import { parts, tryOnce, type Part, type Try } from "./trying.ts";

const as = { name: "kr_u", role: "user" } as const;
const context = { poll: async (ask: () => Promise<unknown>) => await ask() } as unknown as Context;
const answered = (status: number, json: Json | string, headers: Record<string, string> = {}): Reply => ({
  kind: "answered",
  status,
  headers,
  body: new Uint8Array(),
  sentAt: 0,
  doneAt: 1,
  exchange: 1,
  text: typeof json === "string" ? json : JSON.stringify(json),
  ...(typeof json === "string" ? {} : { json }),
});
const number = (n: number): Json => ({
  status: "success",
  results: [{ schema: [{ name: "n", data_type: "BigInt" }], rows: [[n]], row_count: 1 }],
});

/** One try of 5,000 bytes, answered like this; the query after it is answered. */
async function tried(reply: Reply, part: Part = "parameter"): Promise<{ one: Try; sent: string[] }> {
  const sent: string[] = [];
  const request = async (_: unknown, { body }: PlainRequest): Promise<Reply> => {
    sent.push(String(body));
    return await Promise.resolve(sent.length === 1 ? reply : answered(200, number(11)));
  };
  const target = { request } as unknown as Target;
  return { one: await tryOnce(target, context, { as, part, bytes: 5_000, withinMs: 1_000, paused: false }), sent };
}

test.each(parts)("a %s has as many bytes as it should", async (part) => {
  const { sent } = await tried(answered(400, { error: { code: "X" } }), part);
  const { sql, params } = JSON.parse(sent[0] ?? "") as { sql: string; params?: [string] };
  const sized = { statement: sql, body: sent[0] ?? "", parameter: params?.[0] ?? "" }[part];
  expect(sized).toHaveLength(5_000);
});

test.each([
  ["accepted", answered(200, number(5_000)), ""],
  ["truncated", answered(200, number(4_096)), ""],
  ["refused", answered(413, "<html>413 Request Entity Too Large</html>", { server: "nginx" }), "nginx"],
  ["refused", answered(413, "too large", { via: "1.1 gate" }), "1.1 gate"],
  ["refused", answered(400, { error: { code: "INVALID_SQL" } }, { server: "x" }), ""],
  ["refused", answered(413, { error: "BODY_TOO_LARGE" }), ""],
  ["failed", answered(500, { error: { code: "INTERNAL_ERROR" } }), ""],
  ["unclear", answered(503, "<html>", { server: "nginx" }), "nginx"],
  ["unclear", answered(401, { error: { code: "TOKEN_EXPIRED" } }), ""],
  ["unclear", answered(408, ""), ""],
  ["unclear", answered(200, { status: "success", results: [] }), ""],
] as const)("it is %s by an answer such as %j", async (kind, reply, by) => {
  const { one } = await tried(reply);
  expect(one).toMatchObject({ kind, by });
  expect(one.next?.kind).toBe(kind === "accepted" ? undefined : "fine");
});

test.each([
  ["timeout", "silent"],
  ["reset", "cut"],
  ["rate", "unclear"],
] as const)("a request that broke by %s is %s", async (because, kind) => {
  const broken = { kind: "broken", because, detail: "", sentAt: 0, doneAt: 1, exchange: 1, text: "" } as const;
  expect((await tried(broken)).one.kind).toBe(kind);
});
