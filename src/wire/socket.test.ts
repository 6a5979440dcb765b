import { once } from "node:events";
import { createServer as createHttp, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { connect, createServer as createTcp, type AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { selfSigned } from "../../test/certificates.ts";
import { listen } from "../../test/listening.ts";
import { frameBytesMax } from "./frame.ts";
import { openSocket, resetConnection } from "./socket.ts";
import { directWay, type Way } from "./way.ts";
import type { RawClose, RawFrame, RawSocket, SocketOutcome, UpgradeRequest } from "./wire.ts";

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

/** What the server does with each opened socket. */
async function socketServer(serve: (socket: WebSocket) => void, server: Server = createHttp()): Promise<string> {
  new WebSocketServer({ server }).on("connection", (socket) => serve(socket.on("error", () => undefined)));
  return await listen(server, ending);
}

test.for(["that is open", "that is ending"])("a connection %s can be reset and is gone", async (state) => {
  const port = Number(
    new URL(
      await listen(
        createTcp((socket) => socket.resume()),
        ending,
      ),
    ).port,
  );
  const connection = connect(port, "127.0.0.1");
  await once(connection, "connect");
  const errors: Error[] = [];
  connection.on("error", (error) => errors.push(error));
  if (state === "that is ending") connection.end("x");
  resetConnection(connection);
  await once(connection, "close");
  // Where Node cannot reset a connection it reports EINVAL and keeps a handle that never closes.
  expect(errors).toEqual([]);
});

interface Heard {
  readonly outcome: SocketOutcome;
  readonly frames: RawFrame[];
  readonly closes: RawClose[];
  /** Resolves when this many frames have arrived. */
  readonly until: (frames: number) => Promise<void>;
  readonly end: Promise<void>;
}

async function open(origin: string, request: Partial<UpgradeRequest> = {}, way: Way = directWay): Promise<Heard> {
  const [frames, closes]: [RawFrame[], RawClose[]] = [[], []];
  const waiting = new Set<() => void>();
  let ended = (): void => undefined;
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const outcome = await openSocket(
    origin,
    { path: "/v1/ws", headers: {}, timeoutMs: 10_000, ...request },
    {
      frame(frame) {
        frames.push(frame);
        for (const look of waiting) look();
      },
      closed(close) {
        closes.push(close);
        ended();
      },
    },
    way,
  );
  if (outcome.kind === "open") ending.push(async () => await Promise.resolve(outcome.socket.reset()));
  const until = async (count: number): Promise<void> =>
    await new Promise((resolve) => {
      const look = (): void => {
        if (frames.length >= count) resolve();
      };
      waiting.add(look);
      look();
    });
  return { outcome, frames, closes, until, end };
}

function opened({ outcome }: Heard): RawSocket {
  if (outcome.kind !== "open") throw new Error(outcome.detail);
  return outcome.socket;
}
const texts = ({ frames }: Heard): string[] =>
  frames.map((frame) => ("text" in frame ? frame.text : `bytes ${Buffer.from(frame.bytes).toString("hex")}`));

describe("permessage-deflate", () => {
  /** A server that compresses for those who offer it; the offers that came. */
  async function deflating(serve: (socket: WebSocket) => void): Promise<{ origin: string; offers: unknown[] }> {
    const offers: unknown[] = [];
    const server = createHttp();
    server.on("upgrade", ({ headers }) => offers.push(headers["sec-websocket-extensions"]));
    new WebSocketServer({ server, perMessageDeflate: { threshold: 0 } }).on("connection", (socket) =>
      serve(socket.on("error", () => undefined)),
    );
    return { origin: await listen(server, ending), offers };
  }

  test("is offered only where it is asked for, and the frames are the same", async () => {
    const { origin, offers } = await deflating((socket) => socket.send("grüße ".repeat(1_000)));
    const frames: string[][] = [];
    for (const deflate of [false, true]) {
      const heard = await open(origin, { deflate });
      await heard.until(1);
      expect(heard.outcome).toMatchObject({ kind: "open", deflated: deflate });
      frames.push(texts(heard));
    }
    expect(offers).toEqual([undefined, expect.stringContaining("permessage-deflate") as string]);
    expect(frames).toEqual([["grüße ".repeat(1_000)], ["grüße ".repeat(1_000)]]);
  });

  test("is not used by a server that ignores the offer", async () => {
    const heard = await open(await socketServer((socket) => socket.send("plain")), { deflate: true });
    await heard.until(1);
    expect(heard.outcome).toMatchObject({ kind: "open", deflated: false });
    expect(texts(heard)).toEqual(["plain"]);
  });

  test("of a message that decompresses to more than the largest ends the connection", async () => {
    const { origin } = await deflating((socket) => socket.send("a".repeat(8 * frameBytesMax)));
    const heard = await open(origin, { deflate: true });
    await heard.end;
    expect([heard.frames, heard.closes.length]).toEqual([[], 1]);
  });
});

describe("a socket that opens", () => {
  test("requests its path with its headers, and delivers texts and bytes in order", async () => {
    const asked: unknown[] = [];
    const server = createHttp();
    server.on("upgrade", ({ url, headers }) => asked.push([url, headers["x-own"]]));
    const origin = await socketServer((socket) => {
      socket.send("grüße");
      socket.send(Buffer.from([0, 255]));
      socket.send("last");
    }, server);
    const heard = await open(origin, { path: "/v1/ws?a=%20", headers: { "x-own": "b" } });
    await heard.until(3);
    expect(asked).toEqual([["/v1/ws?a=%20", "b"]]);
    expect(texts(heard)).toEqual(["grüße", "bytes 00ff", "last"]);
  });

  test("sends texts, bytes and pings, and closes with a close frame", async () => {
    const came: string[] = [];
    const origin = await socketServer((socket) => {
      socket.on("ping", () => came.push("ping"));
      socket.on("message", (data, isBinary) =>
        came.push(`${isBinary ? "bytes" : "text"} ${(data as Buffer).toString()}`),
      );
      socket.on("close", (code, reason) => came.push(`closed ${code} ${String(reason)}`));
    });
    const heard = await open(origin);
    const socket = opened(heard);
    socket.send("one");
    socket.ping();
    socket.send(Buffer.from("two"));
    socket.close(1000, "done");
    await heard.end;
    // A closed socket ignores everything without an error.
    socket.send("three");
    socket.ping();
    socket.close();
    await expect.poll(() => came).toEqual(["text one", "ping", "bytes two", "closed 1000 done"]);
    expect(heard.closes).toMatchObject([{ code: 1000, reason: "done" }]);
  });

  test("reports the code and reason with which the server closed it", async () => {
    const heard = await open(await socketServer((socket) => socket.close(1008, "who are you?")));
    await heard.end;
    expect(heard.closes).toMatchObject([{ code: 1008, reason: "who are you?" }]);
  });

  test("ends without a close frame by a reset, and in the middle of a frame", async () => {
    const ends: unknown[] = [];
    const origin = await socketServer((socket) => {
      socket.on("message", (data) => ends.push((data as Buffer).toString()));
      socket.on("close", (code) => ends.push(code));
    });
    for (const how of ["reset", "cutMidFrame"] as const) {
      const heard = await open(origin);
      opened(heard)[how]();
      await heard.end;
      expect(heard.closes).toMatchObject([{ code: 1006 }]);
    }
    await expect.poll(() => ends).toEqual([1006, 1006]);
  });

  test("reads nothing while it is paused, and everything after", async () => {
    const served: WebSocket[] = [];
    const origin = await socketServer((socket) => void served.push(socket));
    const [paused, other] = [await open(origin), await open(origin)];
    opened(paused).pause();
    for (const socket of served) socket.send("a word");
    await other.until(1);
    expect(texts(paused)).toEqual([]);
    opened(paused).resume();
    await paused.until(1);
    expect(texts(paused)).toEqual(["a word"]);
  });

  test("can be reset while it is paused", async () => {
    const heard = await open(await socketServer((socket) => socket.send("unread")));
    opened(heard).pause();
    opened(heard).reset();
    await heard.end;
    expect(heard.closes).toMatchObject([{ code: 1006 }]);
  });

  test("does not accept an endless message", async () => {
    const heard = await open(await socketServer((socket) => socket.send(Buffer.alloc(64 * 1024 * 1024 + 1))));
    await heard.end;
    expect(heard.frames).toEqual([]);
    expect(heard.closes).toHaveLength(1);
  });
});

describe("an upgrade that is refused", () => {
  test.each([301, 401, 403, 404, 429, 503])(
    "with %i is reported with its status, and no redirect is followed",
    async (status) => {
      const asked: string[] = [];
      const origin = await listen(
        createHttp((request, response) => {
          asked.push(request.url ?? "");
          response.writeHead(status, { location: "/elsewhere" }).end("no");
        }),
        ending,
      );
      const { outcome, closes } = await open(origin);
      expect(outcome).toMatchObject({ kind: "failed", because: "malformed", status });
      expect([asked, closes]).toEqual([["/v1/ws"], []]);
    },
  );

  test("by garbage, by a closed connection, by a port without a server", async () => {
    const garbage = await listen(
      createTcp((socket) => socket.end("220 mail.example.net ESMTP\r\n")),
      ending,
    );
    const end = await listen(
      createTcp((socket) => socket.once("data", () => socket.end())),
      ending,
    );
    const server = createTcp().listen(0, "127.0.0.1");
    await once(server, "listening");
    const unused = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    await once(server, "close");
    expect((await open(garbage)).outcome).toMatchObject({ kind: "failed", because: "reset" });
    expect((await open(end)).outcome).toMatchObject({ kind: "failed", because: "reset" });
    expect((await open(unused)).outcome).toMatchObject({ kind: "failed", because: "unreachable" });
    expect((await open(unused.replace("http:", "https:"))).outcome).toMatchObject({ because: "unreachable" });
  });
});

describe("an upgrade that is never answered", () => {
  /** A server that sends this and then one header after the other; `left` counts the clients that have disconnected. */
  async function endlessServer(word: string): Promise<{ origin: string; left: () => number }> {
    let left = 0;
    const origin = await listen(
      createTcp((socket) => {
        socket.write(word);
        const timer = word === "" ? undefined : setInterval(() => socket.write("x-more: to come\r\n"), 5);
        socket.resume().on("close", () => {
          clearInterval(timer);
          left += 1;
        });
      }),
      ending,
    );
    return { origin, left: () => left };
  }

  test.each(["", "HTTP/1.1 101 Switching Protocols\r\n"])(
    "is given up when the time is up, and the connection is closed: %j",
    async (word) => {
      const { origin, left } = await endlessServer(word);
      const { outcome, closes } = await open(origin, { timeoutMs: 60 });
      expect(outcome).toMatchObject({ kind: "failed", because: "timeout" });
      await expect.poll(left).toBe(1);
      expect(closes).toEqual([]);
    },
  );

  test("is given up when the signal is aborted", async () => {
    const { origin, left } = await endlessServer("");
    const over = new AbortController();
    const opening = open(origin, { signal: over.signal, timeoutMs: 600_000 });
    over.abort(new Error("the check is over"));
    expect((await opening).outcome).toMatchObject({ kind: "failed", because: "aborted" });
    expect((await open(origin, { signal: over.signal })).outcome).toMatchObject({ kind: "failed", because: "aborted" });
    expect(left()).toBeLessThanOrEqual(1);
  });
});

describe("a server that floods", () => {
  test("with a message that is too long is left", async () => {
    const heard = await open(await socketServer((socket) => socket.send("w".repeat(frameBytesMax + 1))));
    await heard.end;
    expect(heard.frames).toEqual([]);
    expect(heard.closes).toMatchObject([{ code: 1006 }]);
  });

  test("with the beginnings of messages on many connections loses some of them, and the others go on", async () => {
    const began: WebSocket[] = [];
    const origin = await socketServer((socket) => {
      began.push(socket);
      socket.send("w".repeat(frameBytesMax - 100), { fin: false });
    });
    const all = await Promise.all(Array.from({ length: 6 }, async () => await open(origin)));
    await Promise.race(all.map(async ({ end }) => await end));
    for (const socket of began) socket.send("!", { fin: true });
    await Promise.all(all.map(async (heard) => await Promise.race([heard.end, heard.until(1)])));
    const left = all.flatMap(({ closes }) => closes);
    expect(left).toMatchObject(left.map(() => ({ code: 1006, reason: expect.stringContaining("16777216") as string })));
    expect(left.length).toBeGreaterThanOrEqual(1);
    expect(all.filter(({ frames }) => frames.length === 1).length).toBeGreaterThanOrEqual(3);
  });
});

test("over TLS, a socket sends, is reset and is cut like any other", async () => {
  const ends: number[] = [];
  const server = createHttps(selfSigned());
  const origin = await socketServer((socket) => {
    socket.on("message", (data) => socket.send(`you said ${(data as Buffer).toString()}`));
    socket.on("close", (code) => ends.push(code));
  }, server);
  for (const how of ["reset", "cutMidFrame"] as const) {
    const heard = await open(origin.replace("http:", "https:"), {}, { ...directWay, insecure: true });
    opened(heard).send("hello");
    await heard.until(1);
    expect(texts(heard)).toEqual(["you said hello"]);
    opened(heard)[how]();
    await heard.end;
    expect(heard.closes).toMatchObject([{ code: 1006 }]);
  }
  await expect.poll(() => ends).toEqual([1006, 1006]);
});
