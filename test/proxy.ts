/** A reverse proxy in front of a server, for HTTP and WebSocket: the server sees a remote client behind it. */
import {
  createServer,
  request as send,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import { text as textOf } from "node:stream/consumers";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import { listen } from "./listening.ts";

export interface ProxyAnswer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

export interface ProxyOptions {
  /** It speaks TLS. */
  readonly tls?: ServerOptions;
  /** The path that it serves the server under; everything else is answered with 404. */
  readonly base?: string;
  /** Its own answer to a request, which the server then never sees. */
  readonly instead?: (request: IncomingMessage) => ProxyAnswer | undefined;
  /** The body of a request as it is passed on. */
  readonly ask?: (request: IncomingMessage, body: string) => string;
  /** Awaited before a request is passed on. */
  readonly delay?: () => Promise<void>;
  /** Its own answer to an upgrade, which the server then never sees. */
  readonly insteadOfUpgrade?: (request: IncomingMessage) => ProxyAnswer | undefined;
  /** Every upgraded connection is cut at this age. */
  readonly cutAfterMs?: number;
  /** The body of an answer as it is passed on. */
  readonly rewrite?: (request: IncomingMessage, body: string) => string;
}

export interface Proxy {
  readonly url: string;
  close(): Promise<void>;
}

export async function proxyTo(server: string, options: ProxyOptions = {}): Promise<Proxy> {
  const { hostname, port } = new URL(server);
  const { base = "" } = options;
  const answerOf = (request: IncomingMessage): ProxyAnswer | undefined =>
    request.url?.startsWith(`${base}/`) === true ? options.instead?.(request) : { status: 404, body: "not here" };
  const forward = (request: IncomingMessage, headers: OutgoingHttpHeaders = {}): ReturnType<typeof send> =>
    send({
      agent: false,
      hostname,
      port,
      method: request.method,
      path: request.url?.slice(base.length),
      headers: {
        ...request.headers,
        // A body that is rewritten must be readable.
        ...(options.rewrite === undefined ? {} : { "accept-encoding": "identity" }),
        ...headers,
        "x-forwarded-for": "203.0.113.9",
      },
    });
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const instead = answerOf(request);
    if (instead !== undefined) {
      request.resume();
      response.writeHead(instead.status, instead.headers).end(instead.body);
      return;
    }
    await options.delay?.();
    const asked = options.ask?.(request, await textOf(request));
    const onward = forward(request, asked === undefined ? {} : { "content-length": Buffer.byteLength(asked) });
    onward.on("error", () => response.destroy());
    onward.on("response", (answer) => {
      if (options.rewrite === undefined) {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        return;
      }
      const chunks: Uint8Array[] = [];
      answer.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      answer.on("end", () => {
        const { "content-length": _, ...headers } = answer.headers;
        const body = options.rewrite?.(request, Buffer.concat(chunks).toString("utf8"));
        response.writeHead(answer.statusCode ?? 502, headers).end(body);
      });
    });
    if (asked === undefined) request.pipe(onward);
    else onward.end(asked);
  };
  const proxy = options.tls === undefined ? createServer() : createSecureServer(options.tls);
  proxy.on("request", (request, response) => {
    respond(request, response).catch(() => response.destroy());
  });
  // Longer than any test: a connection that is closed just when a request is sent would be a fault of the proxy's.
  proxy.keepAliveTimeout = 600_000;
  proxy.on("upgrade", (request, socket, head) => {
    const instead = options.insteadOfUpgrade?.(request) ?? answerOf(request);
    if (instead !== undefined) {
      socket.end(`HTTP/1.1 ${instead.status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const onward = forward(request);
    onward.on("error", () => socket.destroy());
    onward.on("response", (answer) => {
      socket.write(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nconnection: close\r\n\r\n`);
      answer.pipe(socket);
    });
    onward.on("upgrade", (answer, upstream, first) => {
      const headers = answer.rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
      socket.write(`HTTP/1.1 101 ${answer.statusMessage}\r\n${headers}\r\n`);
      socket.write(first);
      upstream.write(head);
      upstream.on("error", () => socket.destroy()).on("close", () => socket.destroy());
      socket.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
      upstream.pipe(socket).pipe(upstream);
      if (options.cutAfterMs === undefined) return;
      const cut = setTimeout(() => socket.destroy(), options.cutAfterMs);
      socket.on("close", () => clearTimeout(cut));
    });
    onward.end();
  });
  const ending: (() => Promise<void>)[] = [];
  const url = await listen(proxy, ending);
  return {
    url: `${options.tls === undefined ? url : url.replace("http:", "https:")}${base}`,
    async close() {
      for (const end of ending) await end();
    },
  };
}
