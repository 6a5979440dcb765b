/** WebSockets of the wire, on ws. */
import net from "node:net";
import tls from "node:tls";
import { WebSocket } from "ws";
import { frameBytesMax } from "./frame.ts";
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

export async function openSocket(
  origin: string,
  { path, headers, timeoutMs, signal }: UpgradeRequest,
  listener: SocketListener,
): Promise<SocketOutcome> {
  if (signal?.aborted === true) return { kind: "failed", because: "aborted", detail: String(signal.reason) };
  const url = new URL(path, origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const connection: Connection = {};
  const socket = new WebSocket(url, {
    headers,
    perMessageDeflate: false,
    // An endless message must not exhaust the memory.
    maxPayload: frameBytesMax,
    createConnection: connector(url.protocol === "wss:", connection) as unknown as typeof net.createConnection,
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
    socket.on("error", (error: NodeJS.ErrnoException) => {
      failed(
        /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/.test(error.code ?? "") ? "unreachable" : "reset",
        error.message,
      );
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
      settle({ kind: "open", socket: handle(socket, connection), at: performance.now() });
    });
  });
}

type Connected = (error: Error | null, stream?: net.Socket) => void;

/**
 * Connects and keeps the connection. With TLS, the TCP connection is made first and kept as well: it can be reset, which
 * a TLS socket cannot.
 */
function connector(secure: boolean, connection: Connection) {
  return (to: net.TcpNetConnectOpts, connected: Connected): net.Socket | undefined => {
    const raw = net.connect(to);
    connection.raw = raw;
    connection.stream = raw;
    if (!secure) return raw;
    raw.once("error", connected);
    raw.once("connect", () => {
      raw.off("error", connected);
      const host = to.host ?? "";
      const stream = tls.connect({ socket: raw, servername: net.isIP(host) === 0 ? host : "" });
      connection.stream = stream;
      connected(null, stream);
    });
    return undefined;
  };
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
