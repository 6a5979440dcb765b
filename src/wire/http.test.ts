import { once } from "node:events";
import { createServer as createHttp, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTcp, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { listen } from "../../test/listening.ts";
import { httpWire, type HttpWire } from "./http.ts";
import type { RawAnswer, RawRequest } from "./wire.ts";

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

const http = async (handle: RequestListener): Promise<string> => await listen(createHttp(handle), ending);
/** Answers each connection with these bytes as soon as anything arrives, then calls `then`. */
const tcp = async (bytes: string, then: (socket: Socket) => void = () => undefined): Promise<string> =>
  await listen(
    createTcp((socket) => socket.once("data", () => socket.write(bytes, () => then(socket)))),
    ending,
  );

function wireTo(origin: string, connections = 4): HttpWire {
  const wire = httpWire(origin, { connections });
  ending.push(async () => await wire.close());
  return wire;
}

const get: RawRequest = { method: "GET", path: "/", headers: {}, timeoutMs: 10_000 };
const ask = async (origin: string, request: Partial<RawRequest> = {}): Promise<RawAnswer> =>
  await wireTo(origin).exchange({ ...get, ...request });
const textOf = (answer: RawAnswer): string => (answer.kind === "answered" ? Buffer.from(answer.body).toString() : "");

test("an answer has its status, headers in lower case and every byte", async () => {
  const body = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 256));
  const origin = await http((_, response) => {
    response.writeHead(418, { "X-Kind": "teapot", "Set-Cookie": ["a=1", "b=2"] }).end(body);
  });
  const answer = await ask(origin);
  expect(answer).toMatchObject({ kind: "answered", status: 418 });
  if (answer.kind !== "answered") return;
  expect(answer.headers).toMatchObject({ "x-kind": "teapot", "set-cookie": "a=1, b=2" });
  expect(Buffer.from(answer.body).equals(body)).toBe(true);
  expect(answer.doneAt).toBeGreaterThanOrEqual(answer.sentAt);
});

test("a request arrives unchanged", async () => {
  const origin = await http((request, response) => {
    const { method, url, headers } = request;
    const chunks: Uint8Array[] = [];
    request.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    request.on("end", () => {
      response.end(JSON.stringify([method, url, headers["x-a"], Buffer.concat(chunks).toString("hex")]));
    });
  });
  const request = {
    method: "POST",
    path: "/v1/api/sql?x=%20",
    headers: { "x-a": "b" },
    body: Buffer.from([0, 255, 10]),
  };
  expect(JSON.parse(textOf(await ask(origin, request)))).toEqual(["POST", "/v1/api/sql?x=%20", "b", "00ff0a"]);
});

test("a port without a server is unreachable: the server cannot have seen the request", async () => {
  const server = createTcp().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  for (const ownConnection of [false, true]) {
    const answer = await ask(`http://127.0.0.1:${port}`, { ownConnection });
    expect(answer).toMatchObject({ kind: "broken", because: "unreachable" });
    expect(answer).toMatchObject({ detail: expect.stringContaining("ECONNREFUSED") as string });
  }
});

test("a server that accepts and never answers times out", async () => {
  const answer = await ask(await listen(createTcp(), ending), { timeoutMs: 30 });
  expect(answer).toMatchObject({ kind: "broken", because: "timeout", detail: "no answer within 30 ms" });
  expect(answer).not.toHaveProperty("status");
});

test("a body that does not end in time is a timeout, with the status", async () => {
  const origin = await http((_, response) => {
    response.writeHead(200).write("{");
  });
  expect(await ask(origin, { timeoutMs: 60 })).toMatchObject({ kind: "broken", because: "timeout", status: 200 });
});

test("a connection that is reset before the answer is a reset", async () => {
  const origin = await tcp("", (socket) => socket.resetAndDestroy());
  const answer = await ask(origin);
  expect(answer).toMatchObject({ kind: "broken", because: "reset" });
  expect(answer).not.toHaveProperty("status");
});

test("a connection that is closed without an answer is a reset", async () => {
  expect(await ask(await tcp("", (socket) => socket.end()))).toMatchObject({ kind: "broken", because: "reset" });
});

test.for<[string, string]>([
  ["fewer bytes than content-length says", "content-length: 100\r\n\r\n{"],
  ["a chunk without its end", 'transfer-encoding: chunked\r\n\r\n5\r\n{"st'],
  ["chunks without the last one", "transfer-encoding: chunked\r\n\r\n1\r\n{\r\n"],
])("a body is truncated: %s", async ([, rest]) => {
  const origin = await tcp(`HTTP/1.1 200 OK\r\n${rest}`, (socket) => socket.end());
  expect(await ask(origin)).toMatchObject({ kind: "broken", because: "cut", status: 200 });
});

test("a body that breaks off with a reset is cut", async () => {
  const origin = await http((_, response) => {
    response.writeHead(200, { "content-length": 100 });
    response.write("{", () => setImmediate(() => response.socket?.resetAndDestroy()));
  });
  expect(await ask(origin)).toMatchObject({ kind: "broken", because: "cut", status: 200 });
});

test("an answer that is not HTTP is malformed", async () => {
  expect(await ask(await tcp("SSH-2.0-OpenSSH_9.6\r\n"))).toMatchObject({ kind: "broken", because: "malformed" });
});

test("an endless body is not read to its end", async () => {
  const chunk = Buffer.alloc(4 * 1024 * 1024);
  const origin = await http((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", more);
    more();
  });
  expect(await ask(origin)).toMatchObject({ kind: "broken", because: "tooLarge", status: 200 });
});

test("bodies of concurrent answers are not read past a common limit", async () => {
  const half = Buffer.alloc(7 * 1024 * 1024);
  const held: ServerResponse[] = [];
  const origin = await http((_, response) => {
    response.writeHead(200).write(half);
    held.push(response);
  });
  const wire = wireTo(origin, 6);
  const answers = Array.from({ length: 6 }, async () => await wire.exchange(get));
  expect(await Promise.race(answers)).toMatchObject({ kind: "broken", because: "tooLarge", status: 200 });
  for (const response of held) response.end();
  const kinds = (await Promise.all(answers)).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "answered").length).toBeGreaterThanOrEqual(4);
  expect(await ask(await http((_, response) => response.end(half)))).toMatchObject({ kind: "answered" });
});

test("a redirect is returned and not followed", async () => {
  let asked = 0;
  const origin = await http((_, response) => {
    asked += 1;
    response.writeHead(307, { location: "/" }).end();
  });
  expect(await ask(origin)).toMatchObject({ kind: "answered", status: 307, headers: { location: "/" } });
  expect(asked).toBe(1);
});

test("a failed request is not retried", async () => {
  let asked = 0;
  const origin = await http((request) => {
    asked += 1;
    request.socket.destroy();
  });
  await ask(origin);
  expect(asked).toBe(1);
});

test("an abort ends a request in flight", async () => {
  const stop = new AbortController();
  const origin = await http(() => stop.abort(new Error("enough")));
  expect(await ask(origin, { signal: stop.signal })).toMatchObject({ kind: "broken", because: "aborted" });
});

test("nothing is sent if the signal is already aborted", async () => {
  let connections = 0;
  const server = createTcp(() => (connections += 1));
  const origin = await listen(server, ending);
  const answer = await ask(origin, { signal: AbortSignal.abort(), ownConnection: true });
  expect(answer).toMatchObject({ kind: "broken", because: "aborted" });
  expect(connections).toBe(0);
});

test("connections are kept alive, except that of a request with its own connection", async () => {
  const sockets: Socket[] = [];
  const origin = await http((request, response) => {
    if (!sockets.includes(request.socket)) sockets.push(request.socket);
    response.end("x");
  });
  const wire = wireTo(origin, 1);
  await wire.exchange(get);
  await wire.exchange(get);
  expect(sockets).toHaveLength(1);
  await wire.exchange({ ...get, ownConnection: true });
  await wire.exchange({ ...get, ownConnection: true });
  expect(sockets).toHaveLength(3);
  await Promise.all(sockets.slice(1).map(async (socket) => socket.closed || (await once(socket, "close"))));
  expect(sockets[0]?.destroyed).toBe(false);
});

test("no more connections are opened than allowed", async () => {
  const sockets = new Set<Socket>();
  const origin = await http((request, response) => {
    sockets.add(request.socket);
    response.end("x");
  });
  const wire = wireTo(origin, 2);
  const answers = await Promise.all(Array.from({ length: 20 }, async () => await wire.exchange(get)));
  expect(answers.map(textOf)).toEqual(Array.from({ length: 20 }, () => "x"));
  expect(sockets.size).toBe(2);
});

test("after close, no connection keeps the process alive", async () => {
  const held = (): number => process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name)).length;
  const server = createHttp((_, response) => response.end("x"));
  const origin = await listen(server, ending);
  const before = held();
  const wire = httpWire(origin, { connections: 8 });
  const closed = new Promise<void>((resolve) => {
    server.on("connection", (socket: Socket) => socket.on("close", resolve));
  });
  await wire.exchange(get);
  await wire.close();
  await closed;
  expect(held()).toBeLessThanOrEqual(before);
});

test("a named connection is reused for every request, and reopening it is reported", async () => {
  const ports: (number | undefined)[] = [];
  const origin = await http((request, response) => {
    ports.push(request.socket.remotePort);
    if (request.url === "/last") response.setHeader("connection", "close");
    response.end();
  });
  const wire = wireTo(origin);
  const opened: unknown[] = [];
  for (const path of ["/", "/", "/last", "/", "/"]) {
    const answer = await wire.exchange({ ...get, path, connection: "mine" });
    opened.push(answer.kind === "answered" ? answer.opened : answer.kind);
  }
  expect(opened).toEqual([1, 1, 1, 2, 2]);
  expect(new Set(ports).size).toBe(2);
  const other = await wire.exchange({ ...get, connection: "another" });
  expect(other.kind === "answered" ? other.opened : other.kind).toBe(1);
  const unnamed = await wire.exchange(get);
  expect(unnamed.kind === "answered" ? unnamed.opened : unnamed.kind).toBeUndefined();
});

test("a body that is sent with a pause arrives whole, with its length", async () => {
  const origin = await http((request, response) => {
    let bytes = 0;
    request.on("data", (chunk: Uint8Array) => (bytes += chunk.byteLength));
    request.on("end", () => response.end(`${request.headers["content-length"]} ${bytes}`));
  });
  const answer = await ask(origin, { method: "POST", body: "ä".repeat(100_000), pauseMs: 1 });
  expect(textOf(answer)).toBe("200000 200000");
});

test("an answer that comes before the body was sent is read by a request with a pause", async () => {
  const origin = await listen(
    createTcp((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.write("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
        setTimeout(() => socket.destroy(), 20);
      });
    }),
    ending,
  );
  const answer = await ask(origin, { method: "POST", body: "x".repeat(4_000_000), pauseMs: 60_000, timeoutMs: 90_000 });
  expect(answer).toMatchObject({ kind: "answered", status: 413 });
});
