/** Sends requests for an account: adds the token, paces, records and reads the answer. Used by the runner and by checks. */
import { isRecord, type Json, parseExact, writeExact } from "../wire/json.ts";
import { readAnswer, outcomeOf, type Answer } from "./answer.ts";
import type { Pacer } from "../session/pacing.ts";
import type { Recording } from "../session/recording.ts";
import type { Expiry, Renewal } from "../session/renewal.ts";
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

/** The run's own token has expired and could not be renewed: the answer to it shows nothing about the request. */
interface Expired {
  readonly kind: "broken";
  readonly because: "expired";
  readonly detail: string;
  readonly status?: number;
  readonly sentAt: number;
  readonly doneAt: number;
}

/** A raw answer with its number and its body as text and, if it is JSON, parsed. */
export type Reply = (RawAnswer | Expired) & { readonly exchange: number; readonly text: string; readonly json?: Json };

export interface Sender {
  /** One SQL request. Never throws, whatever the server answers; rejects when the signal is aborted. */
  sql(as: Account | null, text: string, options?: SqlOptions): Promise<Answer>;
  /** Any other request; `null`: without a token. Headers of the request override the token. */
  request(as: Account | null, request: PlainRequest): Promise<Reply>;
}

export interface SenderParts {
  readonly wire: Wire;
  readonly tokens: ReadonlyMap<string, string>;
  /** Keeps the tokens from expiring; without it they are sent as they are. */
  readonly renewal?: Renewal;
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

  /** The raw answer, and the token that was added for the account. */
  async function send(
    as: Account | null,
    request: PlainRequest & { ownConnection?: boolean; connection?: string },
  ): Promise<{ raw: RawAnswer; token: string | undefined }> {
    const own = as !== null && !hasToken(request.headers);
    if (own) await parts.renewal?.prepare(as.name);
    await pacer.turn(lanesOf(as, request.path), signal);
    const token = own ? tokens.get(as.name) : undefined;
    const headers = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...request.headers };
    const raw = await wire.exchange({
      method: request.method,
      path: request.path,
      headers,
      timeoutMs: request.timeoutMs ?? parts.timeoutMs,
      ...(request.body === undefined ? {} : { body: request.body }),
      ...(request.ownConnection === undefined ? {} : { ownConnection: request.ownConnection }),
      ...(request.connection === undefined ? {} : { connection: request.connection }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { raw, token };
  }

  /** What a 401 to one of our own tokens means; undefined for every other answer. */
  async function expiryOf(
    as: Account | null,
    token: string | undefined,
    raw: RawAnswer,
    code: string,
  ): Promise<Expiry | undefined> {
    if (as === null || token === undefined || raw.kind === "broken") return undefined;
    if (raw.status !== 401) {
      parts.renewal?.accepted(as.name, token);
      return undefined;
    }
    return await parts.renewal?.afterRefusal(as.name, token, code === "TOKEN_EXPIRED");
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

  async function trySql(
    as: Account | null,
    text: string,
    options: SqlOptions,
  ): Promise<{ answer: Answer; expiry: Expiry | undefined }> {
    signal?.throwIfAborted();
    const { params, namespace, headers, timeoutMs, ownConnection, connection } = options;
    const body: Json = {
      sql: text,
      ...(params === undefined ? {} : { params }),
      ...(namespace === undefined ? {} : { namespace_id: namespace }),
    };
    const number = recording.next();
    const { raw, token } = await send(as, {
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
    const code = answer.kind === "ok" ? "" : (answer.code ?? "");
    pauseIfLimited(as, sqlPath, answer.status, code, raw);
    signal?.throwIfAborted();
    return { answer, expiry: await expiryOf(as, token, raw, code) };
  }

  async function tryRequest(
    as: Account | null,
    request: PlainRequest,
  ): Promise<{ reply: Reply; expiry: Expiry | undefined }> {
    signal?.throwIfAborted();
    const number = recording.next();
    const { raw, token } = await send(as, request);
    const text = raw.kind === "answered" ? new TextDecoder().decode(raw.body) : "";
    const json = jsonOf(text);
    const outcome =
      raw.kind === "answered" ? `${raw.status} ${withoutTokens(text).slice(0, 200)}` : `${raw.because}: ${raw.detail}`;
    const body = typeof request.body === "string" ? { text: request.body } : {};
    const who = as === null ? {} : { as: as.name };
    const { method, path } = request;
    recording.note({ number, method, path, ...who, ...body, outcome, sentAt: raw.sentAt, doneAt: raw.doneAt });
    pauseIfLimited(as, path, raw.kind === "answered" ? raw.status : undefined, codeOf(json), raw);
    signal?.throwIfAborted();
    const reply = { ...raw, exchange: number, text, ...(json === undefined ? {} : { json }) };
    return { reply, expiry: await expiryOf(as, token, raw, codeOf(json)) };
  }

  return {
    async sql(as, text, options = {}) {
      let tried = await trySql(as, text, options);
      if (tried.expiry === "again") tried = await trySql(as, text, options);
      const { answer, expiry } = tried;
      if (expiry === undefined || expiry === "refused") return answer;
      const { exchange, sentAt, doneAt } = answer;
      const message = `${expiredSentence}: ${outcomeOf(answer)}`;
      return { kind: "unsure", because: "expired", message, exchange, sentAt, doneAt };
    },

    async request(as, request) {
      let tried = await tryRequest(as, request);
      if (tried.expiry === "again") tried = await tryRequest(as, request);
      const { reply, expiry } = tried;
      if (expiry === undefined || expiry === "refused") return reply;
      const { exchange, sentAt, doneAt } = reply;
      return { kind: "broken", because: "expired", detail: expiredSentence, exchange, text: "", sentAt, doneAt };
    },
  };
}

export const expiredSentence = "the run's own token has expired";

function hasToken(headers: PlainRequest["headers"] = {}): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

function lanesOf(as: Account | null, path: string): string[] {
  const lanes = ["run", "address"];
  if (as !== null) lanes.push(`account:${as.name}`);
  if (/\/auth\/(login|refresh|setup)$/.test(path)) lanes.push("login");
  return lanes;
}

/** The answer to a login is recorded before its tokens are registered for redaction, and truncated tokens would not match. */
export function withoutTokens(text: string): string {
  return text.replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, "•••");
}

function jsonOf(text: string): Json | undefined {
  try {
    return parseExact(text);
  } catch {
    return undefined;
  }
}

function codeOf(json: Json | undefined): string {
  const error = isRecord(json) ? json["error"] : undefined;
  const code = isRecord(error) ? error["code"] : error;
  return typeof code === "string" ? code : "";
}
