/** Servers for one test, on a free port of loopback. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo, Server as TcpServer, Socket } from "node:net";

/** Its address. What ends it, with all of its connections, is added to `ending`. */
export async function listen(server: Server | TcpServer, ending: (() => Promise<void>)[]): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => undefined)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ending.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
