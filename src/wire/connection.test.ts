import { createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { listen } from "../../test/listening.ts";
import { ConnectError } from "./cause.ts";
import { openConnection } from "./connection.ts";
import { destinationOf, directWay, type Way } from "./way.ts";

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

/** A server that accepts and does this, and its way as a proxy. */
async function server(serve: (socket: Socket) => void): Promise<{ url: string; through: Way }> {
  const url = await listen(createServer(serve), ending);
  const { host, port, name } = destinationOf(url);
  return { url, through: { ...directWay, proxy: { host, port, name, secure: false, variable: "HTTPS_PROXY" } } };
}
const failure = async (url: string, way: Way, withinMs = 10_000): Promise<ConnectError> => {
  try {
    await openConnection(destinationOf(url), way, { tunnel: true, withinMs });
  } catch (error) {
    if (error instanceof ConnectError) return error;
    throw error;
  }
  throw new Error("it was connected");
};

test("one limit covers TCP, the proxy and TLS together, and the connection is closed then", async () => {
  let closed = 0;
  const { url, through } = await server((socket) => socket.resume().on("close", () => (closed += 1)));
  for (const [to, way] of [
    [url.replace("http:", "https:"), directWay],
    ["https://192.0.2.1", through],
  ] as const) {
    const { message, permanent } = await failure(to, way, 80);
    expect([message, permanent]).toEqual([`no connection to ${new URL(url).host} within 0.08 s`, false]);
  }
  await expect.poll(() => closed).toBe(2);
});

test("bytes that come with the proxy's answer belong to the server", async () => {
  const { through } = await server((socket) =>
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nx-proxy: yes\r\n\r\nfirst")),
  );
  const stream = await openConnection(destinationOf("http://192.0.2.1"), through, { tunnel: true });
  const first = await new Promise((resolve) => stream.once("data", (bytes: Buffer) => resolve(bytes.toString())));
  stream.destroy();
  expect(first).toBe("first");
});

test.each<[string, RegExp]>([
  ["SSH-2.0-OpenSSH_9.6\r\n", /did not answer CONNECT 192\.0\.2\.1:443 as an HTTP proxy does/],
  ["", /did not answer CONNECT/],
])("a proxy that answers %j is none", async (answer, sentence) => {
  const { through } = await server((socket) => socket.once("data", () => socket.end(answer)));
  expect((await failure("https://192.0.2.1", through)).message).toMatch(sentence);
});

test("an IPv6 address, a base path and the default port", () => {
  expect(destinationOf("https://[::1]/a/b/")).toEqual({
    origin: "https://[::1]",
    host: "::1",
    port: 443,
    name: "[::1]:443",
    secure: true,
    base: "/a/b",
  });
});
