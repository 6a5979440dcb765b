import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { RawData, WebSocket } from "ws";
import { Unavailable, type Database } from "../database.ts";
import { verify } from "../http/jwt.ts";
import { Limiter } from "../http/limiter.ts";
import type { Settings } from "../settings.ts";
import { authError, authSuccess, failure } from "./frames.ts";
import type { Code, Ended, Opened, Options, Subscription } from "./notices.ts";
import { Reading } from "./reading.ts";
import { Malformed, readRequest, type Compression, type Request } from "./request.ts";

export interface ConnectionContext {
  readonly settings: Settings;
  readonly database: Pick<Database, "ask">;
  readonly secret: string;
}

/** Compressing shorter frames does not pay. */
const compressAboveChars = 512;

/** The protocol's limit for a close reason. */
const reasonBytesMax = 123;

/** One client's socket. Its messages are handled in order. */
export class Connection {
  readonly id = randomUUID().replaceAll("-", "");
  readonly gone: Promise<unknown>;
  readonly #socket: WebSocket;
  readonly #context: ConnectionContext;
  readonly #limiter: Limiter;
  readonly #readings = new Map<string, Reading>();
  readonly #loginTimer: NodeJS.Timeout;
  readonly #heartbeatTimer: NodeJS.Timeout;
  #account: { readonly user: string; readonly role: string } | undefined;
  #compression: Compression = "gzip";
  #heardMs = Date.now();
  #hasTriedLogin = false;
  #hasLeft = false;
  #work: Promise<void> = Promise.resolve();

  /** `login` is the login that came with the upgrade request. */
  constructor(socket: WebSocket, context: ConnectionContext, login: Login | undefined) {
    this.#socket = socket;
    this.#context = context;
    const { settings } = context;
    this.#limiter = new Limiter(settings["rate_limit.max_messages_per_sec"], 1);
    const [loginS, silenceS] = [settings["websocket.auth_timeout_secs"], settings["websocket.client_timeout_secs"]];
    this.#loginTimer = setTimeout(() => setImmediate(() => this.#closeUnauthenticated(loginS)), loginS * 1000);
    this.#heartbeatTimer = setTimeout(() => setImmediate(() => this.#closeSilent(silenceS)), silenceS * 1000);
    socket.on("message", (data: RawData, isBinary: boolean) => this.#receive(data as Buffer, isBinary));
    for (const event of ["ping", "pong"] as const) socket.on(event, () => this.#heard());
    // ws closes the socket itself, with the protocol's close code.
    socket.on("error", () => undefined);
    // Not events.once, which rejects on an error.
    this.gone = new Promise((resolve) => socket.once("close", resolve));
    socket.once("close", () => this.#leave());
    if (login !== undefined) this.#queue(async () => await this.#logIn(login));
  }

  get user(): string | undefined {
    return this.#account?.user;
  }

  get heardMs(): number {
    return this.#heardMs;
  }

  get subscriptions(): Subscription[] {
    return [...this.#readings.values()].map((reading) => reading.subscription);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, Buffer.from(reason).subarray(0, reasonBytesMax).toString());
    this.#leave();
  }

  /** Closes without waiting for the client. */
  cut(): void {
    this.#socket.terminate();
  }

  changed(id: string, bodies: readonly string[]): void {
    const reading = this.#readings.get(id);
    if (reading === undefined) return;
    for (const frame of reading.changed(bodies)) this.#send(frame);
    const backlog = this.#socket.bufferedAmount + reading.waitingBytes;
    if (backlog > this.#context.settings["websocket.max_backlog_bytes"]) this.#closeSlowReader(id, backlog);
  }

  ended({ subscription: { id }, code, message, gone }: Ended): void {
    if (this.#readings.delete(id)) this.#send(failure(id, code, message));
    if (gone) this.close(1008, "The account is gone");
  }

  /** Ends all live queries because of a server error. */
  abandon(message: string): void {
    for (const subscription of this.subscriptions)
      this.ended({ kind: "ended", subscription, code: "SUBSCRIPTION_FAILED", message, gone: false });
  }

  /** Frames already queued are still sent before the error, so what the client received has no gap. */
  #closeSlowReader(id: string, backlog: number): void {
    const message = `${backlog} bytes wait to be read; subscribe again from the last version that was`;
    this.#send(failure(id, "SLOW_READER", message));
    this.close(1013, "Too slow");
  }

  // Both timers fire after pending input was read, so that a slow server does not count against the client.

  #closeUnauthenticated(seconds: number): void {
    if (this.#hasTriedLogin) return;
    this.#send(authError(`Authentication timeout - no auth message received within ${seconds} seconds`));
    this.close(1008, "Authentication timeout");
  }

  #closeSilent(seconds: number): void {
    // Half the limit is enough: a timer may fire a millisecond early, and input read just now is far more recent.
    if (Date.now() - this.#heardMs >= seconds * 500) this.close(1000, "Heartbeat timeout");
  }

  #heard(): void {
    this.#heardMs = Date.now();
    this.#heartbeatTimer.refresh();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#heard();
    const most = this.#context.settings["security.max_ws_message_size"];
    if (data.length > most) {
      const problem = `Message exceeds maximum size of ${most} bytes`;
      this.#send(failure("protocol", "MESSAGE_TOO_LARGE", problem));
      this.close(1009, problem);
    } else if (!this.#limiter.allows("", performance.now())) {
      this.#send(failure("rate_limit", "RATE_LIMIT_EXCEEDED", "Too many messages"));
    } else if (isBinary) this.#send(failure("protocol", "UNSUPPORTED_DATA", "Binary not supported"));
    else this.#queue(async () => await this.#answer(readRequest(data.toString())));
  }

  #queue(work: () => Promise<void>): void {
    this.#work = this.#after(this.#work, work);
  }

  async #after(earlier: Promise<void>, work: () => Promise<void>): Promise<void> {
    await earlier;
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    try {
      await work();
    } catch (error) {
      const isExpected = error instanceof Malformed || error instanceof Unavailable;
      this.close(1011, isExpected ? error.message : "Internal error");
    }
  }

  async #answer(request: Request): Promise<void> {
    if (request.kind === "authenticate") {
      await this.#logIn(request);
      return;
    }
    const user = this.user;
    switch (request.kind) {
      case "subscribe":
        if (user === undefined)
          this.#send(failure("subscribe", "AUTH_REQUIRED", "Authentication required before subscribing"));
        else await this.#subscribe(user, request);
        break;
      case "next_batch":
        if (user !== undefined) this.#nextPage(request.id, request.after);
        break;
      case "unsubscribe":
        if (this.#readings.delete(request.id))
          await this.#context.database.ask("unsubscribe", { connection: this.id, id: request.id });
        break;
      case "ping":
        break;
    }
  }

  async #logIn({ token, compression }: Login): Promise<void> {
    this.#hasTriedLogin = true;
    const claims = verify(token, this.#context.secret, Date.now() / 1000);
    const user = typeof claims === "string" || claims.token_type !== "access" ? undefined : claims.sub;
    const profile = user === undefined ? undefined : await this.#context.database.ask("profile", { user });
    if (this.#account === undefined) this.#compression = compression;
    // Logging in again as the same user changes nothing; a bad token or another user ends the connection.
    if (profile === undefined || (this.#account !== undefined && this.#account.user !== profile.id)) {
      this.#send(authError("Invalid credentials"));
      this.close(1008, "Authentication failed");
      return;
    }
    this.#account ??= { user: profile.id, role: profile.role };
    this.#send(authSuccess(this.#account.user, this.#account.role, this.#compression));
  }

  async #subscribe(user: string, { id, sql, options }: Request & { kind: "subscribe" }): Promise<void> {
    if (id.trim() === "") {
      this.#send(failure("invalid_subscription", "INVALID_SUBSCRIPTION_ID", "Subscription ID cannot be empty"));
      return;
    }
    const subscription = this.#subscription(user, id, sql, options);
    const opened = await this.#context.database.ask("subscribe", subscription).catch(unanswered);
    if (opened.kind === "gone") this.close(1008, "The account is gone");
    else if (opened.kind === "refused") this.#send(failure(id, opened.code, opened.message));
    else {
      const reading = new Reading(subscription, opened);
      // Registered before the next message from the database thread, so no change is missed.
      this.#readings.set(id, reading);
      for (const frame of reading.begin(opened.schema)) this.#send(frame);
    }
  }

  #subscription(user: string, id: string, sql: string, options: Options | undefined): Subscription {
    return { connection: this.id, id, user, sql, options, createdMs: Date.now() };
  }

  #nextPage(id: string, after: string | undefined): void {
    const reading = this.#readings.get(id);
    const refuse = (code: Code, message: string): void => this.#send(failure(id, code, message));
    if (reading === undefined) refuse("BATCH_FETCH_FAILED", `Not found: Subscription not found: ${id}`);
    else if (reading.subscription.options === undefined) {
      const problem = `Subscription ${id} was created without initial data loading`;
      refuse("BATCH_FETCH_FAILED", `Invalid operation: ${problem}`);
    } else for (const frame of reading.next(after)) this.#send(frame);
  }

  #send(frame: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const packed =
      this.#compression === "gzip" && frame.length > compressAboveChars ? gzipSync(frame, { level: 1 }) : undefined;
    if (packed !== undefined && packed.length < Buffer.byteLength(frame)) this.#socket.send(packed, { binary: true });
    else this.#socket.send(frame);
  }

  /** Releases what belongs to the connection once it is closed or closing. */
  #leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    clearTimeout(this.#loginTimer);
    clearTimeout(this.#heartbeatTimer);
    this.#readings.clear();
    this.#context.database.ask("leave", { connection: this.id }).catch(() => undefined);
  }
}

/** A query that breaks the database is refused; the connection stays open. */
function unanswered(error: unknown): Opened {
  if (!(error instanceof Unavailable)) throw error;
  return { kind: "refused", code: "SUBSCRIPTION_FAILED", message: `Execution error: ${error.message}` };
}

export interface Login {
  readonly token: string;
  readonly compression: Compression;
}
