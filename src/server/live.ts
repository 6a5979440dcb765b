/** A live connection for checks: the protocol of `/v1/ws`. Every frame is kept in order; nothing throws, whatever the server sends. */
import { cellText, isRecord, type Json, writeExact } from "../wire/json.ts";
import { Feed, optionsOf, type Frame, type SubscribeOptions, type Subscription } from "./feed.ts";
import { truncated } from "../formats/printable.ts";
import { tooMuchKept } from "./kept.ts";
import { startPings, type Pinging } from "./pings.ts";
import { readFrame } from "./reading.ts";
import { authenticate, closeText, loginOf, type SocketLogin } from "./socket-login.ts";
import type { RawClose, RawSocket, SocketListener, SocketOutcome, UpgradeRequest } from "../wire/wire.ts";

export interface Live {
  /** The outcome of the login on this socket; `none` if none was wanted. */
  readonly login: SocketLogin;
  readonly frames: readonly Frame[];
  /** When it was opened, in milliseconds on the process's monotonic clock. */
  readonly openedAt: number;
  /** Whether the server has accepted permessage-deflate. */
  readonly deflated: boolean;
  /** Undefined while it is open. */
  closed(): RawClose | undefined;
  /** How long no ping was sent before it was closed, or before now: more than pings are apart where this machine was too busy. */
  silentMs(): number;
  /** `options` null: without options, so without a snapshot. */
  subscribe(sql: string, options?: SubscribeOptions | null, id?: string): Promise<Subscription>;
  /** Sends a raw message: JSON or any text. Returns the number of its exchange, as do the next two. */
  send(message: Json | string): number;
  sendBytes(bytes: Uint8Array): number;
  /** Writes raw bytes to the socket, for invalid frames. */
  write(bytes: Uint8Array): number;
  /** The first frame from index `from` on for which it holds; undefined if the time is up or the connection ends. */
  untilFrame(holds: (frame: Frame) => boolean, withinMs: number, from?: number): Promise<Frame | undefined>;
  untilClosed(withinMs: number): Promise<RawClose | undefined>;
  close(): void;
  /** A TCP reset. */
  reset(): void;
  cutMidFrame(): void;
  /** Stays connected but reads nothing and sends no pings, like a client whose machine has lost power. */
  freeze(): void;
  pause(): void;
  resume(): void;
}

export interface LiveOptions {
  /** How to log in: with the first message, with a header of the upgrade, or not at all. */
  readonly login?: "message" | "header" | "none";
  readonly compression?: "none" | "gzip";
  /** Offer permessage-deflate, as browsers do. */
  readonly deflate?: boolean;
  /** False: sends no pings, so that the server has to notice the silence. */
  readonly pings?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the account's token. */
  readonly token?: string;
  /** Instead of `/v1/ws`; may include a query string. */
  readonly path?: string;
  readonly timeoutMs?: number;
  /** For checks that provoke a rate limit: a refused upgrade is the answer. Otherwise it is tried again, later. */
  readonly expectRate?: boolean;
  /** Try even if no live connection has worked in this run. */
  readonly insist?: boolean;
}

export interface LiveParts {
  readonly open: (request: UpgradeRequest, listener: SocketListener) => Promise<SocketOutcome>;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  /** Called for each message that is sent, without its token. */
  readonly note: (text: string) => Noted;
  /** Called with the code of every rate limit refusal. */
  readonly tooFast: (code: string) => void;
  readonly pingEveryMs: number;
  /** Counts the memory of every frame; false: no more may be kept. */
  readonly keep: (bytes: number) => boolean;
  /** Waits for the pacer before a message that counts against the server's limit. */
  readonly turn: () => Promise<void>;
}

/** A message in the recording: its number, and a function that records its outcome. */
export interface Noted {
  readonly number: number;
  answered(outcome: string): void;
}

/** The connection could not be opened. */
export type NoLive = {
  readonly kind: "failed";
  readonly why: string;
  readonly status?: number;
  /** The upgrade was not answered in time. */
  readonly late?: true;
  /** It was not tried, because no live connection works on this server; `why` is a whole sentence. */
  readonly everywhere?: true;
  /** It shows nothing about the server: there is no way to try, or our own token has expired. */
  readonly ours?: true;
};

export const livePath = "/v1/ws";

export async function openLive(options: LiveOptions, parts: LiveParts): Promise<Live | NoLive> {
  const connection = new Connection(options, parts);
  return await connection.open();
}

class Connection implements Live {
  readonly frames: Frame[] = [];
  login: Live["login"] = { kind: "none" };
  openedAt = 0;
  deflated = false;
  readonly #options: LiveOptions;
  readonly #parts: LiveParts;
  readonly #subscriptions = new Map<string, Feed>();
  readonly #waiting = new Set<() => void>();
  /** Messages that have not been answered, by the subscription that the answer will name. */
  readonly #unanswered = new Map<string, Noted>();
  #socket: RawSocket | undefined;
  #close: RawClose | undefined;
  #pings: Pinging | undefined;
  #named = 0;

  constructor(options: LiveOptions, parts: LiveParts) {
    this.#options = options;
    this.#parts = parts;
  }

  async open(): Promise<Live | NoLive> {
    const { login = "message", headers = {}, timeoutMs = 10_000, token = this.#parts.token } = this.#options;
    const { path = livePath } = this.#options;
    const { signal, open } = this.#parts;
    signal.throwIfAborted();
    const bearer = login === "header" && token !== undefined ? { authorization: `Bearer ${token}` } : {};
    const { deflate } = this.#options;
    const offer = deflate === undefined ? {} : { deflate };
    const request = { path, headers: { ...bearer, ...headers }, timeoutMs, signal, ...offer };
    const outcome = await open(request, this.#listener());
    if (outcome.kind === "failed") {
      signal.throwIfAborted();
      if (outcome.status === 429) this.#parts.tooFast("429");
      return {
        kind: "failed",
        why: outcome.detail,
        ...(outcome.status === undefined ? {} : { status: outcome.status }),
        ...(outcome.because === "timeout" ? { late: true } : {}),
      };
    }
    this.#socket = outcome.socket;
    this.openedAt = outcome.at;
    this.deflated = outcome.deflated === true;
    // When the target's signal is aborted, its connections end too.
    if (signal.aborted || this.#close !== undefined) this.#end();
    signal.throwIfAborted();
    if (this.#close === undefined) {
      signal.addEventListener("abort", this.#end, { once: true });
      if (this.#options.pings !== false) this.#pings = startPings(() => this.#socket?.ping(), this.#parts.pingEveryMs);
    }
    if (login === "none") return this;
    if (login === "message") {
      const { compression = "none" } = this.#options;
      this.#unanswered.set(loginAnswer, this.#parts.note(writeExact(authenticate("•••", compression))));
      this.#socket.send(writeExact(authenticate(token ?? "", compression)));
    }
    const answer = await this.untilFrame(({ type }) => type === "auth_success" || type === "auth_error", timeoutMs, 0);
    this.login = loginOf(answer, this.#close);
    return this;
  }

  readonly #end = (): void => this.#socket?.reset();

  #listener(): SocketListener {
    return {
      frame: (raw) => {
        if (this.#close !== undefined) return;
        const { frame, memory } = readFrame(raw);
        if (!this.#parts.keep(memory)) {
          this.#end();
          this.#ended({
            code: 1006,
            reason: tooMuchKept,
            at: raw.at,
          });
          return;
        }
        this.frames.push(frame);
        this.#noteAnswer(frame);
        this.#subscriptions.get(frame.about)?.take(frame);
        this.#wake();
      },
      closed: (close) => this.#ended(close),
    };
  }

  #ended(close: RawClose): void {
    if (this.#close !== undefined) return;
    this.#close = close;
    this.#pings?.stop();
    this.#parts.signal.removeEventListener("abort", this.#end);
    for (const feed of this.#subscriptions.values()) feed.end(closeText(close));
    for (const noted of this.#unanswered.values()) noted.answered(closeText(close));
    this.#unanswered.clear();
    this.#wake();
  }

  /** Records the outcome of a message and slows down after a rate limit refusal. */
  #noteAnswer({ type, about, json }: Frame): void {
    if (!isRecord(json) || !answers.has(type)) return;
    const [code, message] = [cellText(json["code"]), cellText(json["message"])];
    if (limits.has(code)) this.#parts.tooFast(code);
    const asked = type.startsWith("auth_") ? loginAnswer : about;
    this.#unanswered.get(asked)?.answered(truncated(`${type} ${code} ${message}`.replace(/ +/g, " ").trim(), 200));
    this.#unanswered.delete(asked);
  }

  closed(): RawClose | undefined {
    return this.#close;
  }
  silentMs(): number {
    return this.#pings?.silentMs() ?? 0;
  }

  async subscribe(sql: string, options: SubscribeOptions | null = {}, id?: string): Promise<Subscription> {
    this.#named += 1;
    const name = id ?? `q${this.#named}`;
    await this.#parts.turn();
    const message = writeExact({
      type: "subscribe",
      subscription: { id: name, sql, ...(options === null ? {} : { options: optionsOf(options) }) },
    });
    const noted = this.#parts.note(message);
    const feed = new Feed(name, sql, noted.number, options !== null, {
      send: (text) => this.send(text),
      turn: this.#parts.turn,
      wait: async (holds, withinMs) => await this.#wait(holds, withinMs),
    });
    this.#subscriptions.set(name, feed);
    if (this.#close === undefined) this.#unanswered.set(name, noted);
    else feed.end(closeText(this.#close));
    this.#socket?.send(message);
    return feed;
  }

  send(message: Json | string): number {
    const text = typeof message === "string" ? message : writeExact(message);
    this.#socket?.send(text);
    return this.#parts.note(text).number;
  }

  sendBytes(bytes: Uint8Array): number {
    this.#socket?.send(bytes);
    return this.#parts.note(`${bytes.byteLength} bytes`).number;
  }

  write(bytes: Uint8Array): number {
    this.#socket?.write(bytes);
    return this.#parts.note(
      `${bytes.byteLength} bytes in no frame: ${Buffer.from(bytes.subarray(0, 32)).toString("hex")}`,
    ).number;
  }

  async untilFrame(
    holds: (frame: Frame) => boolean,
    withinMs: number,
    from = this.frames.length,
  ): Promise<Frame | undefined> {
    let next = from;
    let found: Frame | undefined;
    await this.#wait(() => {
      for (; next < this.frames.length && found === undefined; next += 1) {
        const frame = this.frames[next];
        if (frame !== undefined && holds(frame)) found = frame;
      }
      return found !== undefined;
    }, withinMs);
    return found;
  }

  async untilClosed(withinMs: number): Promise<RawClose | undefined> {
    await this.#wait(() => this.#close !== undefined, withinMs);
    return this.#close;
  }

  close(): void {
    this.#socket?.close(1000, "");
  }
  reset(): void {
    this.#socket?.reset();
  }
  cutMidFrame(): void {
    this.#socket?.cutMidFrame();
  }
  freeze(): void {
    this.#pings?.stop();
    this.#socket?.pause();
  }
  pause(): void {
    this.#socket?.pause();
  }
  resume(): void {
    this.#socket?.resume();
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }

  /** Waits until it holds, the connection ends or the time is up. Rejects when the signal is aborted. */
  async #wait(holds: () => boolean, withinMs: number): Promise<boolean> {
    const { signal } = this.#parts;
    signal.throwIfAborted();
    if (holds()) return true;
    if (this.#close !== undefined) return false;
    return await new Promise((resolve, reject) => {
      const release = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        signal.removeEventListener("abort", stop);
      };
      const leave = (held: boolean): void => {
        release();
        resolve(held);
      };
      const look = (): void => {
        if (holds()) leave(true);
        else if (this.#close !== undefined) leave(false);
      };
      const stop = (): void => {
        release();
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => leave(holds()), withinMs);
      this.#waiting.add(look);
      signal.addEventListener("abort", stop, { once: true });
    });
  }
}

/** The key of the login in `#unanswered`: no subscription can have this id. */
const loginAnswer = "\0login";
const answers = new Set(["auth_success", "auth_error", "subscription_ack", "error"]);
const limits = new Set(["RATE_LIMIT_EXCEEDED", "IP_BANNED"]);
