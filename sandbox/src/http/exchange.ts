import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { Database } from "../database.ts";
import type { SocketFigures } from "../live/notices.ts";
import type { WireSession } from "../postgres/sessions.ts";
import { isLoopback } from "../settings-file.ts";
import type { Settings } from "../settings.ts";
import type { Limiter } from "./limiter.ts";

/** What every route can use. */
export interface Context {
  readonly settings: Settings;
  readonly database: Database;
  readonly sockets: { readonly figures: SocketFigures };
  readonly postgres: { readonly sessions: readonly WireSession[] } | undefined;
  readonly secret: string;
  readonly isHealthy: () => boolean;
  readonly limits: { readonly queries: Limiter; readonly requests: Limiter; readonly logins: Limiter };
}

/** An answer; JSON unless `type` says otherwise. */
export interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly type?: string;
  readonly cookies?: readonly string[];
}

/** One HTTP request. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly address: string;
  readonly headers: IncomingMessage["headers"];
  /** The whole body. Throws BodyTooLarge. */
  body(): Promise<Buffer>;
}

export const json = (status: number, body: unknown): Reply => ({ status, body: JSON.stringify(body) });
export const plain = (status: number, body: string): Reply => ({ status, body, type: "text/plain; charset=utf-8" });

export function apiRequest(request: IncomingMessage, settings: Settings): ApiRequest {
  return {
    method: request.method ?? "",
    path: (request.url ?? "").replace(/[?#].*$/, ""),
    address: addressOf(request),
    headers: request.headers,
    body: async () => await readBody(request, settings["rate_limit.request_body_limit_bytes"]),
  };
}

/** X-Forwarded-For counts only from a proxy on this host. */
function addressOf(request: IncomingMessage): string {
  const peer = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const forwarded = request.headers["x-forwarded-for"];
  const first = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(",")[0]?.trim();
  return isLoopback(peer) && first !== undefined && first !== "" ? first : peer;
}

/** The rest of the body is still on its way. */
export class BodyTooLarge extends Error {}

/** Takes in what a client still sends, for it would not read an answer before: for a while, and then the connection is cut. */
export function drain(request: IncomingMessage): void {
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), drainMs);
  request.once("close", () => clearTimeout(timer));
}

const drainMs = 5_000;

async function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = Number(request.headers["content-length"] ?? 0);
  if (length <= most) length = 0;
  // Kept open for the answer.
  const arriving = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const part of length > most ? [] : arriving) {
    length += part.length;
    if (length > most) break;
    parts.push(part);
  }
  if (length <= most) return Buffer.concat(parts);
  throw new BodyTooLarge(`Payload of more than ${most} bytes`);
}

export function send(response: ServerResponse, { status, body, type, cookies }: Reply, isLast: boolean): void {
  if (response.destroyed) return;
  const packed = packedFor(response.req, body ?? "");
  response.writeHead(status, {
    server: "kalam-sandbox",
    ...(packed === undefined ? {} : { "content-encoding": "gzip" }),
    vary: "accept-encoding",
    ...(body === undefined ? {} : { "content-type": type ?? "application/json" }),
    ...(cookies === undefined ? {} : { "set-cookie": [...cookies] }),
    ...(isLast ? { connection: "close" } : {}),
    "content-length": packed?.byteLength ?? Buffer.byteLength(body ?? ""),
  });
  response.end(packed ?? body);
}

/** A shorter body would hardly get smaller. */
const packedCharsMin = 512;

/** The body compressed; undefined for a client that did not ask for it, or a short body. */
function packedFor({ headers }: IncomingMessage, body: string): Buffer | undefined {
  const asked = /\bgzip\b/.test(headers["accept-encoding"] ?? "");
  return asked && body.length >= packedCharsMin ? gzipSync(body, { level: 1 }) : undefined;
}

/** KalamDB's message for a body that is not an object with these fields; undefined if it is. */
export function problemWithBody(
  text: string,
  value: unknown,
  fields: { readonly known: readonly string[]; readonly strict: boolean; readonly needed: readonly string[] },
): string | undefined {
  const at = `at line 1 column ${text.length}`;
  if (value === undefined) {
    return text.trim() === ""
      ? "Json deserialize error: EOF while parsing a value at line 1 column 0"
      : `Json deserialize error: EOF while parsing an object ${at}`;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return `Json deserialize error: invalid type, expected an object ${at}`;
  const names = Object.keys(value);
  const unknown = fields.strict ? names.find((name) => !fields.known.includes(name)) : undefined;
  if (unknown !== undefined) {
    return `Json deserialize error: unknown field \`${unknown}\`, expected one of ${fields.known.map((name) => `\`${name}\``).join(", ")} ${at}`;
  }
  const missing = fields.needed.find((name) => !names.includes(name));
  return missing === undefined ? undefined : `Json deserialize error: missing field \`${missing}\` ${at}`;
}

/** JSON.parse, but undefined for text that is not JSON. */
export function parseJson(text: string, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
