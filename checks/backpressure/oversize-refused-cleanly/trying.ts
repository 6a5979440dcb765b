/** One request of a size, what became of it, and of a simple query after it on the same connection. */
import type { Context } from "../../../src/check.ts";
import { cellText, integerText, type Account, type Reply, type Target, truncated } from "../../../src/server/target.ts";
import { isRecord, type Json } from "../../../src/wire/json.ts";
import { isServerError } from "../../vocabulary/second-look.ts";

export const parts = ["statement", "body", "parameter"] as const;
export type Part = (typeof parts)[number];

/**
 * `refused`: with a status that blames the request. `truncated`: accepted, but the server read fewer bytes than were sent.
 * `failed`: with an error of the server itself. `unclear`: by something that says nothing about the size.
 */
export type Kind = "accepted" | "truncated" | "refused" | "failed" | "cut" | "silent" | "unclear";

/** `spoilt`: a valid query was refused or answered incorrectly. `gone`: no connection could be made any more. */
export type Next = { readonly kind: "fine" | "spoilt" | "gone" | "unclear"; readonly text: string };

export type Try = {
  readonly part: Part;
  readonly bytes: number;
  readonly kind: Kind;
  /** The status with the code, or how the exchange broke. */
  readonly text: string;
  /** What answered in the place of the server; empty if it was the server, as far as can be told. */
  readonly by: string;
  readonly tookMs: number;
  readonly exchange: number;
  /** Null after a request that was accepted. */
  readonly next: Next | null;
};

const sqlPath = "/v1/api/sql";
const connection = "oversize";
const headers = { "content-type": "application/json" };
/** Not about the size: no login, no right, a slow sender, or too many requests. */
const otherRefusals: ReadonlySet<number> = new Set([401, 403, 407, 408, 425, 429]);

/** The request and what the server must answer: the length of the text, or 1. */
function requestOf(part: Part, bytes: number): { readonly body: string; readonly answer: number } {
  if (part === "body") {
    const [start, end] = ['{"sql":"SELECT 1 AS n"', "}"];
    return { body: `${start}${" ".repeat(bytes - start.length - end.length)}${end}`, answer: 1 };
  }
  const [start, end] = ["SELECT LENGTH('", "') AS n"];
  const answer = part === "statement" ? bytes - start.length - end.length : bytes;
  const text = "x".repeat(answer);
  const fields =
    part === "statement" ? { sql: `${start}${text}${end}` } : { sql: "SELECT LENGTH($1) AS n", params: [text] };
  return { body: JSON.stringify(fields), answer };
}

async function post(
  target: Target,
  as: Account,
  request: { readonly body: string; readonly timeoutMs: number; readonly pauseMs?: number },
): Promise<Reply> {
  return await target.request(as, { method: "POST", path: sqlPath, headers, connection, ...request });
}

/** Long enough for an early refusal to arrive. */
const pauseMs = 1_000;

export async function tryOnce(
  target: Target,
  context: Context,
  { as, part, bytes, withinMs, paused }: { as: Account; part: Part; bytes: number; withinMs: number; paused: boolean },
): Promise<Try> {
  const { body, answer } = requestOf(part, bytes);
  const reply = await post(target, as, { body, timeoutMs: withinMs, ...(paused ? { pauseMs } : {}) });
  const kind = kindOf(reply, answer);
  return {
    part,
    bytes,
    kind,
    text: textOf(reply),
    by: kind === "accepted" ? "" : answeredBy(reply),
    tookMs: Math.round(reply.doneAt - reply.sentAt),
    exchange: reply.exchange,
    next: kind === "accepted" ? null : await askNext(target, context, as),
  };
}

function kindOf(reply: Reply, answer: number): Kind {
  if (reply.kind === "broken") {
    if (reply.because === "timeout") return "silent";
    return ["reset", "cut", "malformed"].includes(reply.because) ? "cut" : "unclear";
  }
  const { status, json } = reply;
  if (isServerError(status)) return "failed";
  if (status >= 400 && status < 500 && !otherRefusals.has(status)) return "refused";
  const n = integerText(cellOf(json));
  if (status !== 200 || n === undefined) return "unclear";
  return Number(n) === answer ? "accepted" : "truncated";
}

/** The only cell of a good answer; null for any other. */
function cellOf(json: Json | undefined): Json {
  const results = isRecord(json) && json["status"] === "success" ? json["results"] : undefined;
  const first = Array.isArray(results) ? (results[0] as Json) : undefined;
  const rows = isRecord(first) ? first["rows"] : undefined;
  const row = Array.isArray(rows) ? (rows[0] as Json) : undefined;
  return Array.isArray(row) ? ((row as readonly Json[])[0] ?? null) : null;
}

function textOf(reply: Reply): string {
  if (reply.kind === "broken") return `${reply.because}: ${reply.detail}`;
  const cell = reply.status === 200 ? integerText(cellOf(reply.json)) : undefined;
  const said =
    cell === undefined ? (codeOf(reply.json) ?? truncated(reply.text.replace(/\s+/g, " "), 80)) : `n = ${cell}`;
  return `${reply.status} ${said}`.trim();
}

/** Undefined where the answer has no error in the form of KalamDB. */
function codeOf(json: Json | undefined): string | undefined {
  const error = isRecord(json) ? json["error"] : undefined;
  const code = isRecord(error) ? error["code"] : error;
  return code === undefined || code === null ? undefined : cellText(code);
}

/** An error that is not in the server's own form is mostly that of a proxy, which then gives its name. */
function answeredBy(reply: Reply): string {
  if (reply.kind === "broken" || codeOf(reply.json) !== undefined || reply.status < 400) return "";
  return reply.headers["server"] ?? reply.headers["via"] ?? "";
}

const nextTries = 3;
const everyMs = 300;

/** A connection that the server has just closed fails once, and is opened again. */
async function askNext(target: Target, context: Context, as: Account): Promise<Next> {
  const ask = async (): Promise<Next> => {
    const reply = await post(target, as, { body: JSON.stringify({ sql: "SELECT 11 AS n" }), timeoutMs: 5_000 });
    const text = textOf(reply);
    const kind = kindOf(reply, 11);
    if (kind === "accepted") return { kind: "fine", text };
    if (kind === "refused" || kind === "truncated") return { kind: "spoilt", text };
    const isGone = reply.kind === "broken" && ["reset", "unreachable"].includes(reply.because);
    return { kind: isGone ? "gone" : "unclear", text };
  };
  return await context.poll(ask, ({ kind }) => kind === "fine" || kind === "spoilt", {
    withinMs: nextTries * everyMs,
    everyMs,
  });
}
