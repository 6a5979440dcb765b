/** The wire's sockets, on ws. */
import net from "node:net";
import tls from "node:tls";
import { WebSocket } from "ws";
import type { Breakage, RawSocket, SocketListener, SocketOutcome, UpgradeRequest } from "./wire.ts";

/** A text of 16 bytes in a frame that promises 1,024: what a client leaves when it dies in the middle of sending. */
const halfAFrame = Buffer.concat([Buffer.from([0x81, 0xfe, 0x04, 0x00, 0, 0, 0, 0]), Buffer.from('{"type":"subscri')]);

export async function openSocket(
  origin: string,
  request: UpgradeRequest,
  listener: SocketListener,
): Promise<SocketOutcome> {
  const url = new URL(request.path, origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  let connection: net.Socket | undefined;
  const socket = new WebSocket(url, {
    headers: request.headers,
    perMessageDeflate: false,
    handshakeTimeout: request.timeoutMs,
    // A server that is checked may send what it likes; an endless message must not fill the memory.
    maxPayload: 64 * 1024 * 1024,
    // The connection itself is needed to break it as networks do.
    createConnection: ((to: net.NetConnectOpts & tls.ConnectionOptions) => {
      connection = url.protocol === "wss:" ? tls.connect({ ...to, servername: url.hostname }) : net.connect(to);
      return connection;
    }) as typeof net.createConnection,
  });
  return await new Promise((resolve) => {
    let status: number | undefined;
    const failed = (because: Breakage, detail: string): void => {
      resolve({ kind: "failed", because, detail, ...(status === undefined ? {} : { status }) });
    };
    socket.on("unexpected-response", (_, response) => {
      status = response.statusCode;
      response.resume();
      failed("malformed", `the upgrade was answered with ${status}`);
      socket.terminate();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      failed(
        /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/.test(error.code ?? "") ? "unreachable" : "reset",
        error.message,
      );
    });
    socket.on("message", (data, isBinary) => {
      const at = performance.now();
      const bytes = data as Buffer;
      listener.frame(isBinary ? { bytes, at } : { text: bytes.toString("utf8"), at });
    });
    socket.on("close", (code, reason) => {
      failed("reset", `closed with ${code} before it was open`);
      listener.closed({ code, reason: reason.toString("utf8"), at: performance.now() });
    });
    socket.on("open", () => resolve({ kind: "open", socket: handle(socket, () => connection), at: performance.now() }));
  });
}

function handle(socket: WebSocket, connection: () => net.Socket | undefined): RawSocket {
  // What is sent on a socket that is closing goes nowhere; its close is what tells.
  const whileOpen = (act: () => void): void => {
    if (socket.readyState === WebSocket.OPEN) act();
  };
  return {
    send: (data) => whileOpen(() => socket.send(data)),
    write: (bytes) => whileOpen(() => connection()?.write(bytes)),
    close: (code, reason) => whileOpen(() => socket.close(code, reason)),
    reset() {
      const open = connection();
      // While it is being ended in good order it cannot be reset: Node would wait for it at its exit, for ever.
      if (open?.writableEnded === true) open.destroy();
      else open?.resetAndDestroy();
    },
    cutMidFrame() {
      connection()?.write(halfAFrame, () => connection()?.destroy());
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}
