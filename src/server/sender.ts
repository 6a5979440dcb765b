/** Sends requests for an account: adds the token, paces, records and reads the answer. Used by the runner and by checks. */
import { isLogin, isShown, sqlPath, withoutTokens } from "./recorded.ts";
import { isRecord, type Json, parseExact, writeExact } from "../wire/json.ts";
import { truncated } from "../formats/printable.ts";
import { readAnswer, outcomeOf, type Answer } from "./answer.ts";
import type { Contradiction } from "../session/contradictions.ts";
import { sleep, type Pacer } from "../session/pacing.ts";
import type { Recording } from "../session/recording.ts";
import type { Expiry, KeepsValid } from "../session/expiry.ts";
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
  /** For checks that provoke a rate limit: its refusal is the answer. Otherwise the request is sent again, later. */
  readonly expectRate?: boolean;
  /** Once it is aborted, nothing more is waited for before sending: see `whileWanted`. */
  readonly wanted?: AbortSignal;
}

export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** On the connection with this name, which stays open for the next request. */
  readonly connection?: string;
  /** See `RawRequest`. */
  readonly pauseMs?: number;
  /** For checks that provoke a rate limit: its refusal is the answer. Otherwise the request is sent again, later. */
  readonly expectRate?: boolean;
  readonly wanted?: AbortSignal;
}

/**
 * The answer shows nothing about the request: the run's own token has expired and could not be renewed, or we were too
 * fast even after waiting.
 */
interface Unanswered {
  readonly kind: "broken";
  readonly because: "expired" | "rate";
  readonly detail: string;
  readonly status?: number;
  readonly sentAt: number;
  readonly doneAt: number;
}

/** A raw answer with its number and its body as text and, if it is JSON, parsed. */
export type Reply = (RawAnswer | Unanswered) & {
  readonly exchange: number;
  readonly text: string;
  readonly json?: Json;
};

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
  readonly renewal?: KeepsValid;
  readonly pacer: Pacer;
  readonly recording: Recording;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called with the code of every rate limit refusal. */
  readonly onRate?: (code: string) => void;
  /** Called for every answer to SQL that disagrees with itself. */
  readonly onContradiction?: (contradiction: Contradiction) => void;
}

/** How often a request is sent that the server was too busy for. */
export const triesMax = 3;
/** Before a read is sent again after a 503 without Retry-After. */
const busyMs = 500;
const busyMsMax = 2_000;

export function makeSender(parts: SenderParts): Sender {
  const { wire, tokens, pacer, recording, signal } = parts;

  /** The raw answer, and the token that was added for the account. */
  async function send(
    as: Account | null,
    request: PlainRequest & { ownConnection?: boolean },
  ): Promise<{ raw: RawAnswer; token: string | undefined }> {
    const own = as !== null && !hasToken(request.headers);
    if (own) await parts.renewal?.prepare(as.name);
    const place = request.ownConnection !== true && request.connection === undefined;
    await pacer.turn(lanesOf(as, request.path), request.wanted ?? signal, { place });
    const token = own ? tokens.get(as.name) : undefined;
    const headers = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...request.headers };
    try {
      const raw = await wire.exchange({
        method: request.method,
        path: request.path,
        headers,
        timeoutMs: request.timeoutMs ?? parts.timeoutMs,
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(request.ownConnection === undefined ? {} : { ownConnection: request.ownConnection }),
        ...(request.connection === undefined ? {} : { connection: request.connection }),
        ...(request.pauseMs === undefined ? {} : { pauseMs: request.pauseMs }),
        ...(signal === undefined ? {} : { signal }),
      });
      return { raw, token };
    } finally {
      if (place) pacer.placeFree();
    }
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

  /** After a rate limit refusal the lanes rest. How long, in milliseconds; undefined after any other answer. */
  function restIfLimited(as: Account | null, path: string, raw: RawAnswer, code: string): number | undefined {
    if (raw.kind === "broken") return undefined;
    if (raw.status !== 429 && code !== "IP_BANNED") return undefined;
    const rests = lanesOf(as, path).map((lane) => pacer.rest(lane, retryAfterMs(raw)));
    parts.onRate?.(code);
    return Math.max(...rests);
  }

  /** Sends it again after a token was renewed, once, and after a wait if it was not executed, a few times. */
  async function persist<T extends Tried>(attempt: () => Promise<T>, wanted?: AbortSignal): Promise<T> {
    let renewed = false;
    for (let tries = 1; ; tries += 1) {
      const tried = await attempt();
      if (tried.expiry === "again" && !renewed) {
        renewed = true;
        continue;
      }
      if (tried.againAfterMs === undefined || tries >= triesMax || wanted?.aborted === true) return tried;
      await sleep(tried.againAfterMs, signal);
    }
  }

  async function trySql(
    as: Account | null,
    text: string,
    options: SqlOptions,
  ): Promise<Tried & { readonly answer: Answer }> {
    signal?.throwIfAborted();
    const { params, namespace, headers, timeoutMs, ownConnection, connection, wanted } = options;
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
      ...(wanted === undefined ? {} : { wanted }),
    });
    const answer = readAnswer(raw, number);
    const shown = {
      ...(params === undefined ? {} : { params: writeExact(params) }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(Object.keys(headers ?? {}).length === 0 ? {} : ({ partial: true } as const)),
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
    if (answer.kind === "unsure" && answer.contradiction === true)
      parts.onContradiction?.({ exchange: number, sentence: answer.message });
    const code = answer.kind === "ok" ? "" : (answer.code ?? "");
    const restMs = restIfLimited(as, sqlPath, raw, code);
    signal?.throwIfAborted();
    if (isBan(code) || wasPartlyDone(answer))
      return attempted({ answer }, await expiryOf(as, token, raw, code), undefined);
    const busy = raw.kind === "answered" && raw.status === 503 && answer.kind === "unsure" && isRead(text);
    const againAfterMs = restMs ?? (busy ? Math.min(retryAfterMs(raw) ?? busyMs, busyMsMax) : undefined);
    return attempted({ answer }, await expiryOf(as, token, raw, code), againAfterMs);
  }

  async function tryRequest(as: Account | null, request: PlainRequest): Promise<Tried & { readonly reply: Reply }> {
    signal?.throwIfAborted();
    const number = recording.next();
    const { raw, token } = await send(as, request);
    const text = raw.kind === "answered" ? new TextDecoder().decode(raw.body) : "";
    const encoding = raw.kind === "answered" ? raw.headers["content-encoding"] : undefined;
    const said = encoding === undefined ? text : `(compressed with ${encoding})`;
    const json = jsonOf(text);
    const outcome =
      raw.kind === "answered"
        ? `${raw.status} ${raw.status < 400 && isLogin(request.path) ? "•••" : truncated(withoutTokens(truncated(said, 10_000)), 200)}`
        : `${raw.because}: ${raw.detail}`;
    const body = {
      ...(typeof request.body === "string" ? { text: request.body } : {}),
      ...(isShown(request) ? {} : ({ partial: true } as const)),
    };
    const who = as === null ? {} : { as: as.name };
    const { method, path } = request;
    recording.note({ number, method, path, ...who, ...body, outcome, sentAt: raw.sentAt, doneAt: raw.doneAt });
    const code = codeOf(json);
    const restMs = restIfLimited(as, path, raw, code);
    signal?.throwIfAborted();
    const reply = { ...raw, exchange: number, text, ...(json === undefined ? {} : { json }) };
    return attempted({ reply }, await expiryOf(as, token, raw, code), isBan(code) ? undefined : restMs);
  }

  return {
    async sql(as, text, options = {}) {
      if (options.expectRate === true) return (await trySql(as, text, options)).answer;
      const { answer, expiry } = await persist(async () => await trySql(as, text, options), options.wanted);
      const { exchange, sentAt, doneAt } = answer;
      if (expiry !== undefined && expiry !== "refused") {
        const message = `${expiredSentence}: ${outcomeOf(answer)}`;
        return { kind: "unsure", because: "expired", message, exchange, sentAt, doneAt };
      }
      if (answer.kind !== "refused" || answer.cause !== "rate") return answer;
      const { status, code, message } = answer;
      return { kind: "unsure", because: "rate", status, code, message, exchange, sentAt, doneAt };
    },

    async request(as, request) {
      if (request.expectRate === true) return (await tryRequest(as, request)).reply;
      const { reply, expiry } = await persist(async () => await tryRequest(as, request), request.wanted);
      const { exchange, sentAt, doneAt, text } = reply;
      const shown = { kind: "broken", exchange, sentAt, doneAt } as const;
      if (expiry !== undefined && expiry !== "refused")
        return { ...shown, because: "expired", detail: expiredSentence, text: "" };
      if (reply.kind === "broken" || reply.status !== 429) return reply;
      const { status, json } = reply;
      const detail = `${status} ${truncated(text.replace(/\s+/g, " "), 120)}`.trim();
      return { ...shown, because: "rate", detail, status, text, ...(json === undefined ? {} : { json }) };
    },
  };
}

/**
 * The same sender for requests that are wanted until the signal is aborted: those that wait for their turn reject then, and none
 * is sent again. What has been sent is waited for all the same, because the server may do it after we have looked for its traces.
 */
export function whileWanted(sender: Sender, wanted: AbortSignal): Sender {
  return {
    sql: async (as, text, options) => await sender.sql(as, text, { ...options, wanted }),
    request: async (as, request) => await sender.request(as, { ...request, wanted }),
  };
}

/** How one attempt went: whether it is to be made again, and when. */
interface Tried {
  readonly expiry: Expiry | undefined;
  /** Undefined if it may have been executed, or waiting would not help. */
  readonly againAfterMs: number | undefined;
}

function attempted<T>(what: T, expiry: Expiry | undefined, againAfterMs: number | undefined): T & Tried {
  return { ...what, expiry, againAfterMs };
}

function isBan(code: string): boolean {
  return code === "IP_BANNED";
}

/** A later statement of a batch was refused, or the body reports success: it must not be sent again, whatever the status. */
function wasPartlyDone(answer: Answer): boolean {
  if (answer.kind === "ok" || (answer.kind === "unsure" && answer.because === "malformed")) return true;
  return /^Statement (?!1 )\d+ failed/.test(answer.message);
}

/** The seconds of the header, in milliseconds; undefined without one. */
function retryAfterMs(raw: RawAnswer): number | undefined {
  const after = raw.kind === "answered" ? Number(raw.headers["retry-after"]) : Number.NaN;
  return Number.isFinite(after) && after > 0 ? after * 1000 : undefined;
}

/** A single statement that changes nothing, so that it may be sent twice. */
export function isRead(text: string): boolean {
  return /^\s*(SELECT|SHOW|DESCRIBE|EXPLAIN)\b[^;]*;?\s*$/i.test(text);
}

export const expiredSentence = "the run's own token has expired";

function hasToken(headers: PlainRequest["headers"] = {}): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

function lanesOf(as: Account | null, path: string): string[] {
  const lanes = ["run", "address"];
  if (as !== null) lanes.push(`account:${as.name}`);
  if (isLogin(path)) lanes.push("login");
  return lanes;
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
