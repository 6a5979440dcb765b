/** A forward proxy as companies have them: plain HTTP as requests to the proxy, everything else through CONNECT. */
import { createServer, request as send, type IncomingMessage } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import { connect, type Socket } from "node:net";
import { listen } from "./listening.ts";

export interface ForwardProxy {
  /** `host:port`. */
  readonly name: string;
  /** What it was asked for, each as `CONNECT host:port` or `GET http://…`. */
  readonly asked: string[];
  close(): Promise<void>;
}

export interface ForwardProxyOptions {
  /** It speaks TLS itself. */
  readonly tls?: ServerOptions;
  /** `user:password` that it demands. */
  readonly login?: string;
  /** The status with which it answers every request that is logged in. */
  readonly refuses?: number;
}

export async function forwardProxy({ tls, login, refuses }: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const asked: string[] = [];
  /** The status of a refusal; undefined for a request that is passed on. */
  const refusal = (request: IncomingMessage): number | undefined => {
    asked.push(`${request.method} ${request.url}`);
    const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString("base64")}`;
    return request.headers["proxy-authorization"] === wanted ? refuses : 407;
  };
  const proxy = tls === undefined ? createServer() : createSecureServer(tls);
  proxy.on("request", (request, response) => {
    const status = refusal(request);
    if (status !== undefined) {
      response.writeHead(status).end("refused");
      return;
    }
    const { "proxy-authorization": _, ...headers } = request.headers;
    const onward = send(request.url ?? "", { agent: false, method: request.method, headers });
    onward.on("error", () => response.writeHead(502).end());
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  proxy.keepAliveTimeout = 600_000;
  proxy.on("connect", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const status = refusal(request);
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} -\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const [host = "", port = ""] = (request.url ?? "").split(":");
    const upstream = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.end("HTTP/1.1 502 -\r\ncontent-length: 0\r\n\r\n"));
    upstream.on("close", () => socket.destroy());
    socket.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
  });
  const ending: (() => Promise<void>)[] = [];
  const url = await listen(proxy, ending);
  return {
    name: new URL(url).host,
    asked,
    async close() {
      for (const end of ending) await end();
    },
  };
}
