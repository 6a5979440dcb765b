/** Sends requests for an account: adds the token, paces, records and reads the answer. Used by the runner and by checks. */
import { type Json, parseExact, writeExact } from "../wire/json.ts";
import { truncated } from "../formats/printable.ts";
import { readAnswer, outcomeOf, type Answer } from "./answer.ts";
import type { Pacer } from "../session/pacing.ts";
import type { Recording } from "../session/recording.ts";
import type { RawAnswer, Wire } from "../wire/wire.ts";

export type Role = "user" | "service" | "dba" | "system";

/** A handle; the password and token are kept elsewhere. */
export interface Account {
  readonly name: string;
  readonly role: Role;
}

export interface SqlOptions {
  readonly params?: readonly Json[];
  /** The namespace for unqualified names (`namespace_id`). */
  readonly namespace?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** On a separate connection, opened for this request and closed after it. */
  readonly ownConnection?: boolean;
  /** On the connection with this name, which stays open for the next request. */
  readonly connection?: string;
}

export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly timeoutMs?: number;
}

/** A raw answer with its number and its body as text and, if it is JSON, parsed. */
export type Reply = RawAnswer & { readonly exchange: number; readonly text: string; readonly json?: Json };

export interface Sender {
  /** One SQL request. Never throws, whatever the server answers; rejects when the signal is aborted. */
  sql(as: Account | null, text: string, options?: SqlOptions): Promise<Answer>;
  /** Any other request; `null`: without a token. Headers of the request override the token. */
  request(as: Account | null, request: PlainRequest): Promise<Reply>;
}

export interface SenderParts {
  readonly wire: Wire;
  readonly tokens: ReadonlyMap<string, string>;
  readonly pacer: Pacer;
  readonly recording: Recording;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called with the code of every rate limit refusal. */
  readonly onRate?: (code: string) => void;
}

export const sqlPath = "/v1/api/sql";
/** For servers that send no Retry-After: limits are per second, so a second and a half is enough. */
export const restMs = 1_500;
/** The longest wait, whatever Retry-After says: the clean-up waits too, and must end. */
const restMsMax = 30_000;

export function makeSender(parts: SenderParts): Sender {
  const { wire, tokens, pacer, recording, signal } = parts;

  async function send(
    as: Account | null,
    request: PlainRequest & { ownConnection?: boolean; connection?: string },
  ): Promise<RawAnswer> {
    const token = as === null ? undefined : tokens.get(as.name);
    const headers = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...request.headers };
    await pacer.turn(lanesOf(as, request.path), signal);
    return await wire.exchange({
      method: request.method,
      path: request.path,
      headers,
      timeoutMs: request.timeoutMs ?? parts.timeoutMs,
      ...(request.body === undefined ? {} : { body: request.body }),
      ...(request.ownConnection === undefined ? {} : { ownConnection: request.ownConnection }),
      ...(request.connection === undefined ? {} : { connection: request.connection }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  function pauseIfLimited(
    as: Account | null,
    path: string,
    status: number | undefined,
    code: string,
    raw: RawAnswer,
  ): void {
    if (status !== 429 && code !== "IP_BANNED") return;
    const after = raw.kind === "answered" ? Number(raw.headers["retry-after"]) : Number.NaN;
    const ms = Number.isFinite(after) && after > 0 ? Math.min(after * 1000, restMsMax) : restMs;
    for (const lane of lanesOf(as, path)) pacer.rest(lane, ms);
    parts.onRate?.(code);
  }

  return {
    async sql(as, text, options = {}) {
      signal?.throwIfAborted();
      const { params, namespace, headers, timeoutMs, ownConnection, connection } = options;
      const body: Json = {
        sql: text,
        ...(params === undefined ? {} : { params }),
        ...(namespace === undefined ? {} : { namespace_id: namespace }),
      };
      const number = recording.next();
      const raw = await send(as, {
        method: "POST",
        path: sqlPath,
        headers: { "content-type": "application/json", ...headers },
        body: writeExact(body),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(ownConnection === undefined ? {} : { ownConnection }),
        ...(connection === undefined ? {} : { connection }),
      });
      const answer = readAnswer(raw, number);
      const shown = {
        ...(params === undefined ? {} : { params: writeExact(params) }),
        ...(namespace === undefined ? {} : { namespace }),
      };
      const who = as === null ? {} : { as: as.name };
      recording.note({
        number,
        method: "POST",
        path: sqlPath,
        text,
        ...who,
        ...shown,
        outcome: outcomeOf(answer),
        sentAt: raw.sentAt,
        doneAt: raw.doneAt,
      });
      pauseIfLimited(as, sqlPath, answer.status, answer.kind === "ok" ? "" : (answer.code ?? ""), raw);
      signal?.throwIfAborted();
      return answer;
    },

    async request(as, request) {
      signal?.throwIfAborted();
      const number = recording.next();
      const raw = await send(as, request);
      const text = raw.kind === "answered" ? new TextDecoder().decode(raw.body) : "";
      const json = jsonOf(text);
      const outcome =
        raw.kind === "answered"
          ? `${raw.status} ${raw.status < 400 && isLogin(request.path) ? "•••" : truncated(withoutTokens(text.slice(0, 10_000)), 200)}`
          : `${raw.because}: ${raw.detail}`;
      const body = typeof request.body === "string" ? { text: request.body } : {};
      const who = as === null ? {} : { as: as.name };
      const { method, path } = request;
      recording.note({ number, method, path, ...who, ...body, outcome, sentAt: raw.sentAt, doneAt: raw.doneAt });
      pauseIfLimited(as, path, raw.kind === "answered" ? raw.status : undefined, codeOf(json), raw);
      signal?.throwIfAborted();
      return { ...raw, exchange: number, text, ...(json === undefined ? {} : { json }) };
    },
  };
}

function lanesOf(as: Account | null, path: string): string[] {
  const lanes = ["run", "address"];
  if (as !== null) lanes.push(`account:${as.name}`);
  if (isLogin(path)) lanes.push("login");
  return lanes;
}

/** Its answer has tokens, in any form, and is recorded before they are registered. */
function isLogin(path: string): boolean {
  return /\/auth\/(login|refresh|setup)$/.test(path);
}

/** JWTs, also truncated ones: they are recorded before anything registers them. */
export function withoutTokens(text: string): string {
  return text.replace(/(?<![\w-])eyJ[\w-]{5,}(?:\.[\w-]*){0,2}/g, "•••");
}

function jsonOf(text: string): Json | undefined {
  try {
    return parseExact(text);
  } catch {
    return undefined;
  }
}

function codeOf(json: Json | undefined): string {
  if (typeof json !== "object" || json === null || !("error" in json)) return "";
  return typeof json["error"] === "string" ? json["error"] : "";
}
