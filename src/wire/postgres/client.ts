/** One connection to a PostgreSQL port: TLS if there is any, a login, simple queries. Bounded in size and time. */
import type net from "node:net";
import { networkInterfaces } from "node:os";
import tls from "node:tls";
import { ConnectError, wordsOf } from "../cause.ts";
import { openConnection } from "../connection.ts";
import { directWay, type Way } from "../way.ts";
import {
  MessageReader,
  passwordMessage,
  ProtocolError,
  query,
  sslRequest,
  startup,
  terminate,
  type ServerMessage,
} from "./messages.ts";
import {
  nameOf,
  type Postgres,
  type PostgresAsks,
  type PostgresBroken,
  type PostgresCall,
  type PostgresOutcome,
  type PostgresResult,
  type PostgresTls,
} from "./postgres.ts";

/** The database of KalamDB that opens the schema `default`. */
const database = "kalam";
const connectMs = 3_000;
const lastMs = 1_000;
/** One is enough: the first bytes of something that speaks another protocol are not kept. */
const firstBytesMax = 2;

/** Of the way to the server only what is trusted counts: a proxy for HTTP is none for this. */
interface Trust extends Pick<Way, "context" | "insecure"> {
  /** Whether what is sent to this address stays on this machine. */
  readonly isLoopback: (address: string) => boolean;
}

export function postgresOf(way: Partial<Trust> = {}): Postgres {
  const trust = { insecure: false, isLoopback: isLoopbackAddress, ...way };
  return {
    get ownAddresses() {
      return ownAddresses();
    },
    call: async (call) => await connectAndCall(call, trust),
  };
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.flatMap(({ internal, family, address }) => (internal || family !== "IPv4" ? [] : [address]));
}

class Broken extends Error {
  readonly because: PostgresBroken["because"];

  constructor(because: PostgresBroken["because"], message: string) {
    super(message);
    this.because = because;
  }
}

function brokenBy(error: unknown): PostgresBroken {
  if (error instanceof ProtocolError) return { kind: "broken", because: "protocol", detail: error.message };
  if (error instanceof Broken) return { kind: "broken", because: error.because, detail: error.message };
  return { kind: "broken", because: "reset", detail: wordsOf(error) };
}

async function connectAndCall(call: PostgresCall, trust: Trust): Promise<PostgresOutcome> {
  const { at, signal, timeoutMs } = call;
  const name = nameOf(at);
  const to = { origin: "", host: at.host, port: at.port, name, secure: false, base: "" };
  let raw: net.Socket;
  try {
    signal?.throwIfAborted();
    const withinMs = Math.min(connectMs, timeoutMs);
    raw = await openConnection(to, directWay, { tunnel: false, withinMs });
  } catch (error) {
    const detail = error instanceof ConnectError ? error.message : wordsOf(error);
    return { kind: "unreached", detail };
  }
  const line = new Line(raw, timeoutMs, signal);
  try {
    return await converse(line, call, trust);
  } finally {
    line.end();
  }
}

async function converse(line: Line, call: PostgresCall, trust: Trust): Promise<PostgresOutcome> {
  const { login } = call;
  let offered: PostgresTls | undefined;
  let asks: PostgresAsks | null = null;
  const results: PostgresResult[] = [];
  const reached = (kind: Extract<PostgresOutcome, { kind: "reached" }>["login"]): PostgresOutcome => ({
    kind: "reached",
    tls: offered ?? "none",
    asks,
    login: kind,
    results,
  });
  try {
    line.send(sslRequest);
    const answer = await line.byte();
    if (answer === "S") offered = await line.secure(call.at.host, trust);
    else if (answer !== "N")
      return { kind: "foreign", detail: "what listens there does not speak the PostgreSQL protocol" };
    offered ??= "none";
    const mayBeRead =
      !trust.isLoopback(line.address) && offered !== "verified" && !(offered === "unverified" && trust.insecure);
    line.expectMessages();
    line.send(startup(login.user, database));
    for (;;) {
      const message = await line.next();
      if (message.kind === "error") return reached({ ...message, kind: "refused" });
      if (message.kind === "ready") break;
      if (message.kind !== "authentication") continue;
      const { how } = message;
      if (how === "ok") {
        asks ??= "nothing";
        continue;
      }
      asks = how;
      if (how !== "clearText" || (login.isSecret && mayBeRead)) return reached({ kind: "withheld" });
      line.send(passwordMessage(login.password));
    }
  } catch (error) {
    // Before anything of the protocol was seen, it may be something else.
    const broken = brokenBy(error);
    return offered === undefined && broken.because === "closed"
      ? { kind: "foreign", detail: "what listens there closed the connection when asked for TLS" }
      : reached(broken);
  }
  for (const sql of call.queries) {
    const result = await queried(line, sql);
    results.push(result);
    if (result.kind === "broken") return reached({ kind: "in" });
  }
  line.rest();
  await call.meanwhile?.();
  return reached({ kind: "in" });
}

/** Of the last of its statements that returns rows; an error beats it. */
async function queried(line: Line, sql: string): Promise<PostgresResult> {
  let columns: readonly string[] = [];
  const rows: (readonly (string | null)[])[] = [];
  let refusal: PostgresResult | undefined;
  try {
    line.send(query(sql));
    for (;;) {
      const message = await line.next();
      if (message.kind === "columns") columns = message.names;
      else if (message.kind === "row") rows.push(message.cells);
      else if (message.kind === "error") refusal = { ...message, kind: "refused" };
      else if (message.kind === "ready") return refusal ?? { kind: "rows", columns, rows };
    }
  } catch (error) {
    // After a fatal error the connection ends.
    return refusal ?? brokenBy(error);
  }
}

function isLoopbackAddress(address: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/.test(address);
}

/** A connection on which messages are waited for, one after the other. */
class Line {
  /** That it leads to, whatever name it was given. */
  readonly address: string;
  #stream: net.Socket;
  readonly #raw: net.Socket;
  readonly #signal: AbortSignal | undefined;
  readonly #reader = new MessageReader();
  readonly #messages: ServerMessage[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #expectsMessages = false;
  #isResting = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #abort = (): void => this.#fail(new Broken("aborted", String(this.#signal?.reason)));

  constructor(raw: net.Socket, timeoutMs: number, signal: AbortSignal | undefined) {
    this.#raw = raw;
    this.#stream = raw;
    this.#signal = signal;
    this.address = raw.remoteAddress ?? "";
    this.#timer = setTimeout(() => this.#fail(new Broken("timeout", `no answer within ${timeoutMs} ms`)), timeoutMs);
    signal?.addEventListener("abort", this.#abort, { once: true });
    this.#listen(raw);
  }

  send(bytes: Uint8Array): void {
    if (this.#failure === undefined) this.#stream.write(bytes);
  }

  /** The answer to an SSLRequest. */
  async byte(): Promise<string> {
    await this.#until(() => this.#bytes.byteLength > 0);
    return String.fromCharCode(this.#bytes[0] ?? 0);
  }

  /** TLS from here on. */
  async secure(host: string, { context }: Pick<Way, "context">): Promise<PostgresTls> {
    // More than its answer before TLS would be taken for something said over TLS.
    if (this.#bytes.byteLength > 1)
      throw new ProtocolError("it sent more than one byte in answer to a request for TLS");
    this.#raw.removeAllListeners("data").removeAllListeners("close");
    const secured = tls.connect({
      socket: this.#raw,
      host,
      servername: /^[\d.]+$|:/.test(host) ? "" : host,
      // Verified below: what it asks for over TLS can be looked at without sending anything.
      rejectUnauthorized: false,
      ...(context === undefined ? {} : { secureContext: context }),
    });
    let isSecure = false;
    secured.once("secureConnect", () => {
      isSecure = true;
      this.#wake();
    });
    this.#stream = secured;
    this.#listen(secured);
    try {
      await this.#until(() => isSecure);
    } catch (error) {
      throw error instanceof Broken && error.because === "timeout" ? error : new Broken("tls", wordsOf(error));
    }
    return secured.authorized ? "verified" : "unverified";
  }

  /** From here on messages arrive. */
  expectMessages(): void {
    this.#expectsMessages = true;
  }

  /** Throws Broken and ProtocolError. */
  async next(): Promise<ServerMessage> {
    await this.#until(() => this.#messages.length > 0);
    const message = this.#messages.shift();
    if (message === undefined) throw new Error("no message");
    return message;
  }

  /** It is logged in, and nothing is waited for any more. */
  rest(): void {
    clearTimeout(this.#timer);
    this.#isResting = true;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#abort);
    if (!this.#isResting || this.#failure !== undefined) {
      this.#raw.destroy();
      return;
    }
    this.#stream.end(terminate);
    // A server that does not close must not keep the process alive.
    this.#raw.setTimeout(lastMs, () => this.#raw.destroy());
    this.#raw.unref();
  }

  #listen(stream: net.Socket): void {
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.on("error", (error) => this.#fail(error));
    stream.on("close", () => this.#fail(new Broken("closed", "the server closed the connection without an error")));
  }

  #take(chunk: Buffer): void {
    try {
      if (this.#expectsMessages) this.#messages.push(...this.#reader.push(chunk));
      else if (this.#bytes.byteLength < firstBytesMax) this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      this.#raw.destroy();
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
