/** Servers for a single test, on a free loopback port. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo, Server as TcpServer, Socket } from "node:net";

/** Starts the server and returns its URL. Adds a function to `ending` that closes the server and its connections. */
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
