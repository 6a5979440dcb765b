/** The wire over HTTP, on undici. */
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { callbackify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { errors, Pool, type buildConnector } from "undici";
import { codeOf, ConnectError, tlsError, wordsOf } from "./cause.ts";
import { openConnection, refusedByProxy, serverPeer, speaksTls } from "./connection.ts";
import { destinationOf, directWay, type Destination, type Way } from "./way.ts";
import type { Breakage, RawAnswer, RawRequest, Wire } from "./wire.ts";

// The parser of undici is WebAssembly. To optimize it takes V8 40 MB and more time than 20,000 answers win back.
setFlagsFromString("--liftoff-only");

/** The largest body read: an endless one must not exhaust the memory. */
const bodyBytesMax = 8 * 1024 * 1024;
/** The most that all bodies being read take together. */
const readingBytesMax = 32 * 1024 * 1024;
let reading = 0;

export interface HttpWire extends Wire {
  close(): Promise<void>;
}

/**
 * Does not connect yet: the pool opens connections on demand, without pipelining. The URL may have a path, which is put in
 * front of that of every request.
 */
export function httpWire(url: string, options: { connections: number; way?: Way }): HttpWire {
  const way = options.way ?? directWay;
  const to = destinationOf(url);
  let rejected: ConnectError | undefined;
  const onRejected = (why: ConnectError): void => void (rejected = why);
  const opening = callbackify(async () => await openConnection(to, way, { tunnel: to.secure, onRejected }));
  const connect: buildConnector.connector = (_, done) =>
    opening((error, socket) => (error === null ? done(null, socket) : done(error, null)));
  const onlyOne = { pipelining: 1, connections: 1, connect };
  const pool = new Pool(to.origin, { pipelining: 1, connections: options.connections, connect });
  const named = new Map<string, { readonly pool: Pool; opened: number }>();
  const exchange = async (request: RawRequest): Promise<RawAnswer> => {
    if (request.connection !== undefined) {
      const one = named.get(request.connection) ?? { pool: new Pool(to.origin, onlyOne), opened: 0 };
      if (!named.has(request.connection)) one.pool.on("connect", () => (one.opened += 1));
      named.set(request.connection, one);
      const answer = await send(one.pool, request, to, way);
      return answer.kind === "answered" ? { ...answer, opened: one.opened } : answer;
    }
    if (request.ownConnection !== true) return await send(pool, request, to, way);
    const own = new Pool(to.origin, onlyOne);
    try {
      return await send(own, request, to, way);
    } finally {
      await own.destroy();
    }
  };
  let isUnderstood = false;
  return {
    async exchange(request) {
      const answer = await exchange(request);
      if (isUnderstood) return answer;
      const meant = rejected === undefined ? await meaning(answer, to, way) : unreachable(rejected, answer);
      isUnderstood = meant.kind === "answered";
      return meant;
    },
    async socket(request, listener) {
      // Loaded on first use.
      const { openSocket } = await import("./socket.ts");
      return await openSocket(url, request, listener, way);
    },
    async close() {
      await Promise.all([pool, ...[...named.values()].map((one) => one.pool)].map(async (one) => await one.destroy()));
    },
  };
}

const demand = "demand a client certificate: pass --client-cert and --client-key";

/** What a first answer means: a server refuses a client of TLS, or plain HTTP where it speaks TLS, in its own way. */
async function meaning(answer: RawAnswer, to: Destination, way: Way): Promise<RawAnswer> {
  const isRefusal = answer.kind === "answered" && answer.status === 400;
  const isReset = answer.kind === "broken" && answer.because === "reset";
  if (!to.secure) {
    const isGarbage = answer.kind === "broken" && answer.because === "malformed";
    if (!(isRefusal || isReset || isGarbage) || !(await speaksTls(to, way))) return answer;
    const sentence = `TLS is spoken on ${to.name}; use https:// in the URL`;
    return unreachable(new ConnectError(sentence, { permanent: true }), answer);
  }
  if (isReset) {
    const guess = way.hasClientCertificate === true ? "have rejected the client certificate" : demand;
    const detail = `the server closed the connection after the TLS handshake, without an answer; it may ${guess}`;
    return { ...answer, detail };
  }
  // What nginx says after a handshake without a client certificate, or with a wrong one.
  if (!isRefusal || !/SSL certificate/i.test(Buffer.from(answer.body).toString("latin1"))) return answer;
  const sentence =
    way.hasClientCertificate === true
      ? "the server rejected the client certificate (400); check the file of --client-cert and whether it has expired"
      : "the server demands a client certificate (400); pass --client-cert and --client-key";
  return unreachable(new ConnectError(sentence, { permanent: true }), answer);
}

function unreachable(
  { message, permanent }: ConnectError,
  { sentAt, doneAt }: Pick<RawAnswer, "sentAt" | "doneAt">,
): RawAnswer {
  const once = permanent ? ({ permanent: true } as const) : {};
  return { kind: "broken", because: "unreachable", detail: message, ...once, sentAt, doneAt };
}

async function send(pool: Pool, request: RawRequest, to: Destination, way: Way): Promise<RawAnswer> {
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
  // Plain HTTP goes through a proxy as requests to the proxy; everything else through a tunnel.
  const proxy = to.secure ? undefined : way.proxy;
  const login = proxy?.authorization === undefined ? {} : { "proxy-authorization": proxy.authorization };
  try {
    const response = await pool.request({
      method: request.method,
      path: `${proxy === undefined ? "" : to.origin}${to.base}${request.path}`,
      headers: { ...way.headers, ...login, ...request.headers, ...lengthOf(request) },
      body: bodyOf(request, over.signal),
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
    if (proxy !== undefined && status === 407) throw refusedByProxy(status, to, proxy);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(response.headers)) {
      if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
    }
    return { kind: "answered", status, headers, body: Buffer.concat(chunks), sentAt, doneAt: performance.now() };
  } catch (error) {
    const doneAt = performance.now();
    const told = { sentAt, doneAt, ...(status === undefined ? {} : { status }) };
    if (over.signal.aborted) {
      const because = over.signal.reason as Breakage;
      const detail = because === "timeout" ? `no answer within ${request.timeoutMs} ms` : wordsOf(error);
      return { kind: "broken", because, detail, ...told };
    }
    const notMade = error instanceof ConnectError ? error : tlsError(error, serverPeer(to, way));
    if (notMade !== undefined) {
      return unreachable(notMade, { sentAt, doneAt });
    }
    return { kind: "broken", because: breakage(error, status !== undefined), detail: wordsOf(error), ...told };
  } finally {
    reading -= size;
    clearTimeout(timer);
    request.signal?.removeEventListener("abort", stop);
  }
}

/** Sent before the pause of a request that has one. */
const startBytes = 64 * 1024;

function bodyOf({ body, pauseMs }: RawRequest, signal: AbortSignal): string | Uint8Array | Readable | null {
  if (body === undefined || pauseMs === undefined) return body ?? null;
  const bytes = Buffer.from(body);
  async function* inParts(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, startBytes);
    await delay(pauseMs, undefined, { signal });
    yield bytes.subarray(startBytes);
  }
  return Readable.from(inParts());
}

/** A body in parts is sent without its length otherwise. */
function lengthOf({ body, pauseMs }: RawRequest): Record<string, string> {
  if (body === undefined || pauseMs === undefined) return {};
  return { "content-length": String(Buffer.byteLength(body)) };
}

function breakage(error: unknown, statusCame: boolean): Breakage {
  if (error instanceof errors.HTTPParserError || codeOf(error) === "UND_ERR_RESPONSE") return "malformed";
  return statusCame ? "cut" : "reset";
}
