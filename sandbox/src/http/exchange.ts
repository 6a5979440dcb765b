import type { IncomingMessage, ServerResponse } from "node:http";
import type { Database } from "../database.ts";
import type { SocketFigures } from "../live/notices.ts";
import { isLoopback } from "../settings-file.ts";
import type { Settings } from "../settings.ts";
import type { Limiter } from "./limiter.ts";

/** What every route can use. */
export interface Context {
  readonly settings: Settings;
  readonly database: Database;
  readonly sockets: { readonly figures: SocketFigures };
  readonly secret: string;
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
  /** The whole body; undefined if it exceeded the limit, and then the connection is closed. */
  body(): Promise<Buffer | undefined>;
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

async function readBody(request: IncomingMessage, most: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = Number(request.headers["content-length"] ?? 0);
  if (length <= most) length = 0;
  for await (const part of length > most ? [] : (request as AsyncIterable<Buffer>)) {
    length += part.length;
    if (length > most) break;
    parts.push(part);
  }
  if (length <= most) return Buffer.concat(parts);
  request.socket.destroy();
  return undefined;
}

export function send(response: ServerResponse, { status, body, type, cookies }: Reply, isLast: boolean): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    server: "kalam-sandbox",
    ...(body === undefined ? {} : { "content-type": type ?? "application/json" }),
    ...(cookies === undefined ? {} : { "set-cookie": [...cookies] }),
    ...(isLast ? { connection: "close" } : {}),
    "content-length": Buffer.byteLength(body ?? ""),
  });
  response.end(body);
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
