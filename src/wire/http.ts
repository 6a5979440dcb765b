/** The wire over HTTP, on undici. */
import { errors, Pool } from "undici";
import type { Breakage, RawAnswer, RawRequest, Wire } from "./wire.ts";

/** The largest body read: an endless one must not exhaust the memory. */
const bodyBytesMax = 8 * 1024 * 1024;
/** The most that all bodies being read take together. */
const readingBytesMax = 32 * 1024 * 1024;
let reading = 0;

export interface HttpWire extends Wire {
  close(): Promise<void>;
}

/** Does not connect yet: the pool opens connections on demand, without pipelining. */
export function httpWire(origin: string, options: { connections: number }): HttpWire {
  const connect = { timeout: 10_000 };
  const onlyOne = { pipelining: 1, connections: 1, connect };
  const pool = new Pool(origin, { pipelining: 1, connections: options.connections, connect });
  const named = new Map<string, { readonly pool: Pool; opened: number }>();
  return {
    async exchange(request) {
      if (request.connection !== undefined) {
        const one = named.get(request.connection) ?? { pool: new Pool(origin, onlyOne), opened: 0 };
        if (!named.has(request.connection)) one.pool.on("connect", () => (one.opened += 1));
        named.set(request.connection, one);
        const answer = await send(one.pool, request);
        return answer.kind === "answered" ? { ...answer, opened: one.opened } : answer;
      }
      if (request.ownConnection !== true) return await send(pool, request);
      const own = new Pool(origin, onlyOne);
      try {
        return await send(own, request);
      } finally {
        await own.destroy();
      }
    },
    async socket(request, listener) {
      // Loaded on first use.
      const { openSocket } = await import("./socket.ts");
      return await openSocket(origin, request, listener);
    },
    async close() {
      await Promise.all([pool, ...[...named.values()].map((one) => one.pool)].map(async (one) => await one.destroy()));
    },
  };
}

async function send(pool: Pool, request: RawRequest): Promise<RawAnswer> {
  if (request.signal?.aborted === true) {
    const now = performance.now();
    return { kind: "broken", because: "aborted", detail: "aborted before it was sent", sentAt: now, doneAt: now };
  }
  // One limit for the whole exchange. Not AbortSignal.timeout(): its timer does not keep the process alive, which would
  // end while it waits for an answer.
  const over = new AbortController();
  const timer = setTimeout(() => over.abort("timeout"), request.timeoutMs);
  const stop = (): void => over.abort("aborted");
  request.signal?.addEventListener("abort", stop, { once: true });
  const sentAt = performance.now();
  let status: number | undefined;
  let size = 0;
  try {
    const response = await pool.request({
      method: request.method,
      path: request.path,
      headers: request.headers,
      body: request.body ?? null,
      signal: over.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    status = response.statusCode;
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      reading += chunk.byteLength;
      if (size > bodyBytesMax || reading > readingBytesMax) {
        const detail =
          size > bodyBytesMax
            ? `the body went on past ${bodyBytesMax} bytes`
            : `the bodies of concurrent answers went on past ${readingBytesMax} bytes`;
        return { kind: "broken", because: "tooLarge", detail, status, sentAt, doneAt: performance.now() };
      }
      chunks.push(chunk);
    }
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(response.headers)) {
      if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
    }
    return { kind: "answered", status, headers, body: Buffer.concat(chunks), sentAt, doneAt: performance.now() };
  } catch (error) {
    const because = over.signal.aborted ? (over.signal.reason as Breakage) : breakage(error, status !== undefined);
    const doneAt = performance.now();
    const detail = because === "timeout" ? `no answer within ${request.timeoutMs} ms` : wordsOf(error);
    return { kind: "broken", because, detail, ...(status === undefined ? {} : { status }), sentAt, doneAt };
  } finally {
    reading -= size;
    clearTimeout(timer);
    request.signal?.removeEventListener("abort", stop);
  }
}

/** Failures before a connection is established: the request was not sent. */
const notSent = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

function breakage(error: unknown, statusCame: boolean): Breakage {
  const code = codeOf(error);
  if (
    notSent.has(code) ||
    code.startsWith("CERT_") ||
    code.startsWith("DEPTH_ZERO_") ||
    code.startsWith("SELF_SIGNED")
  ) {
    return "unreachable";
  }
  if (error instanceof errors.HTTPParserError || code === "UND_ERR_RESPONSE") return "malformed";
  return statusCame ? "cut" : "reset";
}

/** Happy Eyeballs wraps one error per address in an AggregateError; the first is enough. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return "";
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === "string" ? code : codeOf(error.cause);
}

function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return wordsOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
