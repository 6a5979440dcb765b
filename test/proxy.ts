/** A reverse proxy in front of a server, for HTTP and WebSocket: the server sees a remote client behind it. */
import { createServer, request as send, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { listen } from "./listening.ts";

export interface ProxyAnswer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

export interface ProxyOptions {
  /** Its own answer to a request, which the server then never sees. */
  readonly instead?: (request: IncomingMessage) => ProxyAnswer | undefined;
  /** The body of an answer as it is passed on. */
  readonly rewrite?: (request: IncomingMessage, body: string) => string;
}

export interface Proxy {
  readonly url: string;
  close(): Promise<void>;
}

export async function proxyTo(server: string, options: ProxyOptions = {}): Promise<Proxy> {
  const { hostname, port } = new URL(server);
  const forward = (request: IncomingMessage): ReturnType<typeof send> =>
    send({
      agent: false,
      hostname,
      port,
      method: request.method,
      path: request.url,
      headers: { ...request.headers, "x-forwarded-for": "203.0.113.9" },
    });
  const proxy = createServer((request, response) => {
    const instead = options.instead?.(request);
    if (instead !== undefined) {
      request.resume();
      response.writeHead(instead.status, instead.headers).end(instead.body);
      return;
    }
    const onward = forward(request);
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
    request.pipe(onward);
  });
  // Longer than any test: a connection that is closed just when a request is sent would be a fault of the proxy's.
  proxy.keepAliveTimeout = 600_000;
  proxy.on("upgrade", (request, socket, head) => {
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
    });
    onward.end();
  });
  const ending: (() => Promise<void>)[] = [];
  const url = await listen(proxy, ending);
  return {
    url,
    async close() {
      for (const end of ending) await end();
    },
  };
}
