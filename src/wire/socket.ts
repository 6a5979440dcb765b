/** WebSockets of the wire, on ws. */
import type net from "node:net";
import { callbackify } from "node:util";
import { WebSocket } from "ws";
import { ConnectError, tlsError, wordsOf } from "./cause.ts";
import { openConnection, serverPeer } from "./connection.ts";
import { frameBytesMax } from "./frame.ts";
import { destinationOf, directWay, type Destination, type Way } from "./way.ts";
import type { Breakage, RawSocket, SocketListener, SocketOutcome, UpgradeRequest } from "./wire.ts";

/** 16 bytes of a frame that announces 1,024: what a client leaves when it dies while sending. */
const halfAFrame = Buffer.concat([Buffer.from([0x81, 0xfe, 0x04, 0x00, 0, 0, 0, 0]), Buffer.from('{"type":"subscri')]);

/** The most that all messages that have not arrived completely take together. */
const partsBytesMax = 16 * 1024 * 1024;
let parts = 0;

/** The connection under a socket. Writes go through `stream` (TLS or not); `raw` is the TCP connection, which can be reset. */
interface Connection {
  raw?: net.Socket;
  stream?: net.Socket;
}

/** `server` is its URL, with the path in front of that of the request if it has one. */
export async function openSocket(
  server: string,
  { path, headers, timeoutMs, signal, deflate = false }: UpgradeRequest,
  listener: SocketListener,
  way: Way = directWay,
): Promise<SocketOutcome> {
  if (signal?.aborted === true) return { kind: "failed", because: "aborted", detail: String(signal.reason) };
  const to = destinationOf(server);
  const url = new URL(`${to.base}${path}`, to.origin);
  url.protocol = to.secure ? "wss:" : "ws:";
  const connection: Connection = {};
  const socket = new WebSocket(url, {
    headers: { ...way.headers, ...headers },
    perMessageDeflate: deflate,
    // An endless message must not exhaust the memory, nor what it decompresses to.
    maxPayload: frameBytesMax,
    createConnection: connector(to, way, connection) as unknown as typeof net.createConnection,
  });
  return await new Promise((resolve) => {
    let status: number | undefined;
    const settle = (outcome: SocketOutcome): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      resolve(outcome);
    };
    const failed = (because: Breakage, detail: string): void => {
      settle({ kind: "failed", because, detail, ...(status === undefined ? {} : { status }) });
    };
    const giveUp = (because: Breakage, detail: string): void => {
      failed(because, detail);
      socket.terminate();
      connection.raw?.destroy();
    };
    // One limit for the whole upgrade: a server that sends a byte now and then is never idle.
    const timer = setTimeout(() => giveUp("timeout", `the upgrade was not answered within ${timeoutMs} ms`), timeoutMs);
    const stop = (): void => giveUp("aborted", String(signal?.reason));
    signal?.addEventListener("abort", stop, { once: true });
    socket.on("unexpected-response", (_, response) => {
      status = response.statusCode;
      giveUp("malformed", `the upgrade was answered with ${status}`);
    });
    socket.on("error", (error) => {
      const notMade = error instanceof ConnectError ? error : tlsError(error, serverPeer(to, way));
      if (notMade === undefined) failed("reset", wordsOf(error));
      else failed("unreachable", notMade.message);
    });
    /** Bytes since the last whole message. */
    let part = 0;
    let why: string | undefined;
    const whole = (): void => {
      parts -= part;
      part = 0;
    };
    const flooded = (what: string): void => {
      why ??= what;
      whole();
      socket.terminate();
    };
    socket.on("ping", (data) => {
      // A ping is no part of a message, even between its parts; it has a header of two bytes.
      const length = Math.min(part, data.byteLength + 2);
      part -= length;
      parts -= length;
    });
    socket.on("message", (data, isBinary) => {
      const at = performance.now();
      whole();
      const bytes = data as Buffer;
      listener.frame(isBinary ? { bytes, at } : { text: bytes.toString("utf8"), at });
    });
    socket.on("open", () => {
      connection.stream?.prependListener("data", (chunk: Uint8Array) => {
        if (why !== undefined) return;
        part += chunk.byteLength;
        parts += chunk.byteLength;
        if (parts > partsBytesMax) flooded(`the server began messages of more than ${partsBytesMax} bytes`);
      });
      // The end is reported only for a socket that was open.
      socket.on("close", (code, reason) => {
        whole();
        listener.closed({ code, reason: why ?? reason.toString("utf8"), at: performance.now() });
      });
      const deflated = socket.extensions.includes("permessage-deflate");
      settle({ kind: "open", socket: handle(socket, connection), at: performance.now(), deflated });
    });
  });
}

/** Connects and keeps the connection. */
function connector(to: Destination, way: Way, connection: Connection) {
  const open = callbackify(async () => {
    const onRaw = (raw: net.Socket): void => void (connection.raw = raw);
    connection.stream = await openConnection(to, way, { tunnel: true, onRaw });
    return connection.stream;
  });
  return (_: unknown, connected: (error: Error | null, stream: net.Socket) => void): void => open(connected);
}

function handle(socket: WebSocket, { raw, stream }: Connection): RawSocket {
  // Nothing can be sent on a socket that is closing; its close is reported anyway.
  const whileOpen = (act: () => void): void => {
    if (socket.readyState === WebSocket.OPEN) act();
  };
  return {
    send: (data) => whileOpen(() => socket.send(data)),
    write: (bytes) => whileOpen(() => stream?.write(bytes)),
    ping: () => whileOpen(() => socket.ping()),
    close: (code, reason) => whileOpen(() => socket.close(code, reason)),
    reset: () => resetConnection(raw),
    cutMidFrame() {
      stream?.write(halfAFrame, () => raw?.destroy());
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}

/** Node cannot reset a connection that it is ending, and would wait for it forever at exit. */
export function resetConnection(connection: net.Socket | undefined): void {
  if (connection?.writableEnded === true && !connection.writableFinished) connection.destroy();
  else connection?.resetAndDestroy();
}
