import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { isAllowedOrigin } from "../http/origins.ts";
import type { Settings } from "../settings.ts";
import { Connection, type ConnectionContext, type Login } from "./connection.ts";
import type { Notice, SocketFigures, Subscription } from "./notices.ts";

/** Longer messages close the socket unread; shorter ones over the limit get an error first. */
const payloadBytesMax = 16 * 1024 * 1024;

/** All WebSocket connections. */
export class Sockets {
  /** Compresses messages for the clients that offer it, as browsers do. */
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: payloadBytesMax, perMessageDeflate: true });
  readonly #connections = new Map<string, Connection>();
  #peak = 0;

  /** Accepts or refuses a request for `/v1/ws`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, context: ConnectionContext): void {
    const problem = problemWithOrigin(request, context.settings);
    if (problem !== undefined) {
      refuseUpgrade(socket, "403 Forbidden", problem);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      const connection = new Connection(opened, context, loginOf(request));
      this.#connections.set(connection.id, connection);
      this.#peak = Math.max(this.#peak, this.#connections.size);
      opened.once("close", () => this.#connections.delete(connection.id));
    });
  }

  notify(notices: readonly Notice[]): void {
    for (const notice of notices) {
      if (notice.kind === "changes")
        for (const { connection, id } of notice.to) this.#connections.get(connection)?.changed(id, notice.bodies);
      else this.#connections.get(notice.subscription.connection)?.ended(notice);
    }
  }

  abandon(message: string): void {
    for (const connection of this.#connections.values()) connection.abandon(message);
  }

  get figures(): SocketFigures {
    const heard = [...this.#connections.values()].map(({ id, heardMs }) => [id, heardMs] as const);
    return { open: this.#connections.size, peak: this.#peak, heardMs: Object.fromEntries(heard) };
  }

  get subscriptions(): Subscription[] {
    return [...this.#connections.values()].flatMap((connection) => connection.subscriptions);
  }

  /** Resolves when every client has closed its side. */
  async close(): Promise<void> {
    const connections = [...this.#connections.values()];
    for (const connection of connections) connection.close(1001, "Server shutting down");
    await Promise.all(connections.map(async ({ gone }) => await gone));
  }

  /** Terminates the connections that are still open. */
  cut(): void {
    for (const connection of this.#connections.values()) connection.cut();
  }
}

export function refuseUpgrade(socket: Duplex, status: string, text: string): void {
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}`;
  // The client may be gone already.
  socket.on("error", () => undefined);
  socket.end(`${head}\r\n\r\n${text}`);
}

function problemWithOrigin({ headers: { origin } }: IncomingMessage, settings: Settings): string | undefined {
  if (isAllowedOrigin(origin, settings)) return undefined;
  if (origin !== undefined) return "Origin not allowed";
  return settings["security.strict_ws_origin_check"] ? "Origin header required" : undefined;
}

/** With a token in the header no authenticate message is needed; the query string chooses the compression. */
function loginOf({ headers, url = "" }: IncomingMessage): Login | undefined {
  const token = /^Bearer (.*)$/.exec(headers.authorization ?? "")?.[1];
  if (token === undefined) return undefined;
  return { token, compression: /[?&]compress(ion=none|=false)(&|$)/.test(url) ? "none" : "gzip" };
}
