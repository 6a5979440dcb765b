import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import type { Json } from "../wire/json.ts";
import { openLive, type Live, type LiveOptions, type LiveParts, type NoLive } from "./live.ts";
import { keeper, tooMuchKept } from "./kept.ts";
import { pingEveryMs } from "./pings.ts";
import { openSocket } from "../wire/socket.ts";
import { fakeSocket, type FakeSocket } from "../../test/socket.ts";

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const end of ending.splice(0).toReversed()) await end();
});

type Message = { readonly [name: string]: Json };
interface Server {
  readonly origin: string;
  /** Texts that came, in order; binary ones as `bytes …`. */
  readonly came: string[];
  readonly upgrades: IncomingMessage[];
  readonly sockets: WebSocket[];
}

/** A real server of sockets that answers each message as told. */
async function serve(
  answer: (message: Message, say: (message: Json | string | Uint8Array) => void, socket: WebSocket) => void,
  greet: (socket: WebSocket) => void = () => undefined,
): Promise<Server> {
  const http = createServer();
  const [came, upgrades, sockets]: [string[], IncomingMessage[], WebSocket[]] = [[], [], []];
  new WebSocketServer({ server: http }).on("connection", (socket, request) => {
    sockets.push(socket);
    upgrades.push(request);
    socket.on("error", () => undefined);
    const say = (message: Json | string | Uint8Array): void =>
      socket.send(typeof message === "string" || message instanceof Uint8Array ? message : JSON.stringify(message));
    socket.on("ping", () => came.push("ping"));
    socket.on("message", (data, isBinary) => {
      const text = (data as Buffer).toString();
      came.push(isBinary ? `bytes ${(data as Buffer).toString("hex")}` : text);
      if (isBinary) return;
      let message: Message = {};
      try {
        message = JSON.parse(text) as Message;
      } catch {
        // What is no JSON gets what a message without a type gets.
      }
      answer(message, say, socket);
    });
    greet(socket);
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  ending.push(async () => {
    for (const socket of sockets) socket.terminate();
    http.close();
    await once(http, "close");
  });
  return { origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, came, upgrades, sockets };
}

interface Opened {
  readonly live: Live | NoLive;
  /** What was recorded: the text, then what came of it. */
  readonly notes: { text: string; outcome: string }[];
  readonly turns: () => number;
  readonly fast: string[];
}

async function openTo(origin: string, options: LiveOptions = {}, parts: Partial<LiveParts> = {}): Promise<Opened> {
  const over = new AbortController();
  ending.push(async () => await Promise.resolve(over.abort()));
  const notes: { text: string; outcome: string }[] = [];
  const fast: string[] = [];
  let turns = 0;
  const live = await openLive(options, {
    open: async (request, listener) => await openSocket(origin, request, listener),
    token: "eyJ.secret.token",
    signal: over.signal,
    note(text) {
      const note = { text, outcome: "" };
      notes.push(note);
      return {
        number: notes.length,
        answered: (outcome) => {
          note.outcome = outcome;
        },
      };
    },
    tooFast: (code) => fast.push(code),
    keep: () => true,
    pingEveryMs: 4_000,
    async turn() {
      turns += 1;
      await Promise.resolve();
    },
    ...parts,
  });
  return { live, notes, fast, turns: () => turns };
}

function opened({ live }: Opened): Live {
  if ("why" in live) throw new Error(live.why);
  return live;
}

const success = { type: "auth_success", user: "alice", role: "user" };
/** Lets everybody in and acknowledges every subscription, with one page. */
function friendly(message: Message, say: (message: Json) => void): void {
  if (message["type"] === "authenticate") say(success);
  if (message["type"] !== "subscribe") return;
  const { id } = message["subscription"] as Message;
  const control = { has_more: false, last_seq_id: null };
  say({ type: "subscription_ack", subscription_id: id ?? "", schema: [], batch_control: control });
  say({ type: "initial_data_batch", subscription_id: id ?? "", rows: [{ id: "1" }], batch_control: control });
}
const change = (id: string, about = "q1"): Json => ({
  type: "change",
  subscription_id: about,
  change_type: "insert",
  rows: [{ id }],
});
const keys = (changes: readonly { readonly row: Message | null }[]): (Json | undefined)[] =>
  changes.map(({ row }) => row?.["id"]);

describe("logging in", () => {
  test("by a message: with the protocol that newer servers demand and older ones ignore", async () => {
    const server = await serve(friendly);
    const live = opened(await openTo(server.origin));
    expect(live.login).toEqual({ kind: "in", user: "alice" });
    expect(server.came.map((text) => JSON.parse(text) as Json)).toEqual([
      {
        type: "authenticate",
        method: "jwt",
        token: "eyJ.secret.token",
        protocol: { serialization: "json", compression: "none" },
      },
    ]);
    expect(server.upgrades[0]?.headers.authorization).toBeUndefined();
  });

  test("an older server calls the user user_id", async () => {
    const server = await serve((_, say) => say({ type: "auth_success", user_id: "bob" }));
    expect(opened(await openTo(server.origin, { compression: "gzip" })).login).toEqual({ kind: "in", user: "bob" });
    expect(server.came[0]).toContain('"compression":"gzip"');
  });

  test("by the header of the upgrade, and then by no message", async () => {
    const server = await serve(friendly, (socket) => socket.send(JSON.stringify(success)));
    const live = opened(
      await openTo(server.origin, { login: "header", headers: { origin: "https://a" }, path: "/p?q" }),
    );
    expect(live.login).toEqual({ kind: "in", user: "alice" });
    expect(server.came).toEqual([]);
    expect(server.upgrades[0]).toMatchObject({
      url: "/p?q",
      headers: { authorization: "Bearer eyJ.secret.token", origin: "https://a" },
    });
  });

  test("not at all: neither token nor waiting", async () => {
    const server = await serve(friendly);
    const live = opened(await openTo(server.origin, { login: "none" }));
    expect([live.login, server.came, server.upgrades[0]?.headers.authorization]).toEqual([
      { kind: "none" },
      [],
      undefined,
    ]);
  });

  test("denied, closed without a word, answered with garbage, and not answered", async () => {
    const denying = await serve((_, say) => say({ type: "auth_error", message: "Invalid token" }));
    expect(opened(await openTo(denying.origin)).login).toEqual({ kind: "denied", why: "Invalid token" });
    const closing = await serve((_, __, socket) => socket.close(1011, "protocol is required"));
    const closed = opened(await openTo(closing.origin));
    expect(closed.login).toEqual({
      kind: "unsure",
      why: 'the connection was closed with 1011 "protocol is required"',
    });
    expect(closed.closed()).toMatchObject({ code: 1011, reason: "protocol is required" });
    const babbling = await serve((_, say, socket) => {
      say("<html>");
      say('["auth_success"]');
      say("null");
      say(Buffer.from("no gzip"));
      socket.close(1000);
    });
    const garbage = opened(await openTo(babbling.origin));
    expect(garbage.login).toEqual({ kind: "unsure", why: "the connection was closed with 1000" });
    expect(garbage.frames.map(({ type }) => type)).toEqual(["unreadable", "", "", "unreadable"]);
    const silent = await serve(() => undefined);
    expect(opened(await openTo(silent.origin, { timeoutMs: 60 })).login).toEqual({
      kind: "unsure",
      why: "the login was not answered",
    });
  });

  test("refused at the upgrade: told with the status, and a 429 is heeded", async () => {
    for (const status of [401, 403, 404, 429]) {
      const http = createServer((_, response) => response.writeHead(status).end());
      http.listen(0, "127.0.0.1");
      await once(http, "listening");
      const { live, fast } = await openTo(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
      http.closeAllConnections();
      http.close();
      expect(live).toEqual({ kind: "failed", why: `the upgrade was answered with ${status}`, status });
      expect(fast).toEqual(status === 429 ? ["429"] : []);
    }
  });
});

describe("the record", () => {
  test("has every message and what came of it, and never a token", async () => {
    const server = await serve((message, say) => {
      const { id } = (message["subscription"] ?? {}) as Message;
      if (id === "bad") say({ type: "error", subscription_id: id, code: "INVALID_SQL", message: "no" });
      else friendly(message, say);
    });
    const session = await openTo(server.origin, { token: "another-secret" });
    const live = opened(session);
    const good = await live.subscribe("SELECT 1");
    await good.begin();
    const bad = await live.subscribe("SELECT 2", null, "bad");
    await bad.begin();
    good.unsubscribe();
    live.send({ type: "dance" });
    live.sendBytes(new Uint8Array(3));
    expect(session.notes.map(({ outcome }) => outcome)).toEqual([
      "auth_success",
      "subscription_ack",
      "error INVALID_SQL no",
      "",
      "",
      "",
    ]);
    expect(session.notes.map(({ text }) => text).join("\n")).toBe(
      [
        '{"type":"authenticate","method":"jwt","token":"•••","protocol":{"serialization":"json","compression":"none"}}',
        '{"type":"subscribe","subscription":{"id":"q1","sql":"SELECT 1","options":{}}}',
        '{"type":"subscribe","subscription":{"id":"bad","sql":"SELECT 2"}}',
        '{"type":"unsubscribe","subscription_id":"q1"}',
        '{"type":"dance"}',
        "3 bytes",
      ].join("\n"),
    );
    expect([good.exchange, bad.exchange]).toEqual([2, 3]);
    await expect.poll(() => server.came.length).toBe(6);
    expect(server.came[0]).toContain("another-secret");
  });

  test("tells of what was never answered that the connection ended", async () => {
    const server = await serve((message, say, socket) => {
      if (message["type"] === "subscribe") socket.close(1011, "oh");
      else friendly(message, say);
    });
    const session = await openTo(server.origin);
    const subscription = await opened(session).subscribe("SELECT 1");
    expect(await subscription.begin()).toEqual({
      kind: "unsure",
      why: 'the connection was closed with 1011 "oh"',
    });
    expect(session.notes.at(-1)?.outcome).toBe('the connection was closed with 1011 "oh"');
    const late = await opened(session).subscribe("SELECT 2");
    expect(await late.begin()).toMatchObject({ kind: "unsure" });
  });
});

describe("frames", () => {
  test("come as text and as gzip alike; what is no gzip or a bomb is kept as unreadable, not unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024 + 1));
    const server = await serve((message, say) => {
      if (message["type"] === "authenticate") say(gzipSync(JSON.stringify(success)));
      if (message["type"] !== "subscribe") return;
      friendly(message, say);
      say(gzipSync(JSON.stringify(change("zipped"))));
      say(bomb);
      say(Buffer.from([0x1f, 0x8b, 0, 1]));
      say(change("plain"));
    });
    const live = opened(await openTo(server.origin, { compression: "gzip" }));
    expect(live.login).toEqual({ kind: "in", user: "alice" });
    const subscription = await live.subscribe("SELECT 1");
    expect(await subscription.untilChange(({ row }) => row?.["id"] === "plain", 10_000)).toBeDefined();
    expect(keys(subscription.changes)).toEqual(["zipped", "plain"]);
    expect(live.frames.map(({ type, compressed, size }) => [type, compressed, size > 0])).toEqual([
      ["auth_success", true, true],
      ["subscription_ack", false, true],
      ["initial_data_batch", false, true],
      ["change", true, true],
      ["unreadable", true, false],
      ["unreadable", true, false],
      ["change", false, true],
    ]);
    expect(live.closed()).toBeUndefined();
  });

  test("nested 100,000 deep are unreadable, and what comes after them is read", async () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const server = await serve((message, say) => {
      friendly(message, say);
      if (message["type"] !== "subscribe") return;
      say(`{"type":"change","subscription_id":"q1","rows":[{"id":${deep}}]}`);
      say(gzipSync(`{"type":"error","subscription_id":"q1","message":${deep}}`));
      say(change("last"));
    });
    const live = opened(await openTo(server.origin));
    const subscription = await live.subscribe("SELECT 1");
    expect(await subscription.untilChange(({ row }) => row?.["id"] === "last", 4_000)).toBeDefined();
    expect(live.frames.map(({ type }) => type).slice(-3)).toEqual(["unreadable", "unreadable", "change"]);
  });

  test("of an unknown type, about nobody or about somebody unknown change nothing, and are there to be counted", async () => {
    const server = await serve((message, say) => {
      friendly(message, say);
      if (message["type"] !== "subscribe") return;
      say({ type: "weather", subscription_id: "q1", rows: [{ id: "rain" }] });
      say({ type: "change", change_type: "insert", rows: [{ id: "nobody's" }] });
      say(change("somebody else's", "q2"));
      say(change("last"));
    });
    const live = opened(await openTo(server.origin));
    const subscription = await live.subscribe("SELECT 1");
    await subscription.untilChange(({ row }) => row?.["id"] === "last", 10_000);
    expect(keys(subscription.changes)).toEqual(["last"]);
    expect(live.frames.filter(({ type }) => type === "weather")).toHaveLength(1);
    expect(await subscription.begin()).toMatchObject({ kind: "ready", rows: [{ id: "1" }] });
  });

  test("are each told to their subscription, and a limit on messages is heeded", async () => {
    const server = await serve((message, say) => {
      friendly(message, say);
      if (message["type"] !== "subscribe" || (message["subscription"] as Message)["id"] !== "b") return;
      say(change("1", "a"));
      say({ type: "error", subscription_id: "rate_limit", code: "RATE_LIMIT_EXCEEDED", message: "slow down" });
      say(change("2", "b"));
    });
    const session = await openTo(server.origin);
    const live = opened(session);
    const [a, b] = [await live.subscribe("SELECT 1", {}, "a"), await live.subscribe("SELECT 2", {}, "b")];
    await b.untilChange(() => true, 10_000);
    expect([keys(a.changes), keys(b.changes), session.fast]).toEqual([["1"], ["2"], ["RATE_LIMIT_EXCEEDED"]]);
    expect(session.turns()).toBe(2);
  });
});

/** A live connection over a fake socket. */
async function fake(
  options: LiveOptions = {},
  parts: Partial<LiveParts> = {},
): Promise<FakeSocket & { readonly live: Live }> {
  const socket = fakeSocket();
  const session = await openTo("", { login: "none", ...options }, { open: socket.open, ...parts });
  return { ...socket, live: opened(session) };
}

describe("a connection", () => {
  test("pings by itself below the server's time-out, and no more once it is frozen or has ended", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const [steady, silent, frozen] = [await fake(), await fake({ pings: false }), await fake()];
    frozen.live.freeze();
    vi.advanceTimersByTime(9_999);
    expect(steady.calls).toEqual(["ping", "ping"]);
    expect(silent.calls).toEqual([]);
    expect(frozen.calls).toEqual(["pause"]);
    steady.end(1006, "");
    vi.advanceTimersByTime(20_000);
    expect(steady.calls).toEqual(["ping", "ping"]);
  });

  test.for<[string, Readonly<Record<string, string>>, number]>([
    ["every 4 s where nothing is configured", {}, 4_000],
    ["more often where silence is borne for less", { "websocket.client_timeout_secs": "3" }, 1_200],
    ["no less often where it is borne for longer", { "websocket.client_timeout_secs": "60" }, 4_000],
    ["every 4 s where the setting makes no sense", { "websocket.client_timeout_secs": "never" }, 4_000],
  ])("pings %s", ([, settings, everyMs]) => {
    expect(pingEveryMs(settings)).toBe(everyMs);
  });

  test("pings by the protocol below: a server that knows no such message stays with us", async () => {
    const server = await serve(friendly);
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    opened(await openTo(server.origin));
    vi.advanceTimersByTime(4_000);
    await expect.poll(() => server.came.slice(1)).toEqual(["ping"]);
  });

  test("passes on how it is to be treated", async () => {
    const { live, calls } = await fake();
    live.pause();
    live.resume();
    live.cutMidFrame();
    live.reset();
    live.close();
    live.send("no JSON");
    live.sendBytes(new Uint8Array(2));
    live.write(new Uint8Array(3));
    expect(calls).toEqual([
      "pause",
      "resume",
      "cutMidFrame",
      "reset",
      "close 1000",
      "send no JSON",
      "send 2 bytes",
      "write 3 bytes",
    ]);
  });

  test("dies with its signal: reset, and whoever waits is told so", async () => {
    const over = new AbortController();
    const { live, calls, end } = await fake({}, { signal: over.signal });
    const subscription = await live.subscribe("SELECT 1");
    const waits = Promise.allSettled([
      subscription.begin(),
      subscription.untilChange(() => true, 600_000),
      live.untilFrame(() => true, 600_000),
      live.untilClosed(600_000),
    ]);
    over.abort(new Error("the observation is over"));
    expect(calls.at(-1)).toBe("reset");
    for (const one of await waits)
      expect(one).toMatchObject({ status: "rejected", reason: over.signal.reason as Error });
    await expect(live.untilClosed(1)).rejects.toThrow("the observation is over");
    end(1006, "");
  });

  test("that opens when its signal is aborted already is reset, not kept", async () => {
    const over = new AbortController();
    const { open, calls } = fakeSocket();
    const opening = openTo(
      "",
      {},
      {
        signal: over.signal,
        async open(request, listener) {
          over.abort(new Error("too late"));
          return await open(request, listener);
        },
      },
    );
    await expect(opening).rejects.toThrow("too late");
    expect(calls).toEqual(["reset"]);
  });

  test("that has ended lets go of its signal, and tells everybody who waits", async () => {
    const over = new AbortController();
    const { live, calls, end } = await fake({}, { signal: over.signal });
    const subscription = await live.subscribe("SELECT 1");
    const waits = Promise.all([
      subscription.begin(),
      subscription.untilChange(() => true, 600_000),
      live.untilFrame(() => true, 600_000),
      live.untilClosed(600_000),
    ]);
    end(1006, "");
    const gone = { code: 1006, reason: "", at: 0 };
    const why = "the connection was closed with 1006";
    expect(await waits).toEqual([{ kind: "unsure", why }, undefined, undefined, gone]);
    end(1000, "");
    expect(live.closed()).toEqual(gone);
    over.abort();
    expect(calls.filter((call) => call === "reset")).toEqual([]);
  });

  test.each([
    ["text", `{"type":"flood","water":"${"w".repeat(3 * 1024 * 1024)}"}`, 22],
    ["objects", `[${"{},".repeat(100_000)}1]`, 9],
    ["new keys", () => `[${Array.from({ length: 20_000 }, () => `{"${randomUUID()}":1}`).join(",")}]`, 6],
    ["small messages", "1", 1_000_000],
    ["decompression bombs", { bytes: gzipSync("{},".repeat(20 * 1024 * 1024)), at: 0 }, 16],
  ] as const)("is given up when a server floods it, before that fills the memory: %s", async (_, frame, most) => {
    const keep = keeper(new AbortController().signal, { bytes: 0 });
    const { live, calls, deliver } = await fake({}, { keep });
    let sent = 0;
    while (live.closed() === undefined && sent <= most) {
      deliver(typeof frame === "function" ? frame() : frame);
      sent += 1;
    }
    expect(sent).toBeLessThanOrEqual(most);
    expect(live.frames).toHaveLength(sent - 1);
    expect(calls).toEqual(["reset"]);
    expect(live.closed()).toMatchObject({ code: 1006, reason: tooMuchKept });
  });

  test("finds frames that have come and that will, from where it is asked to look", async () => {
    const { live, deliver } = await fake();
    const frame = (type: string): void => deliver(JSON.stringify({ type }));
    frame("a");
    frame("b");
    expect(await live.untilFrame(({ type }) => type === "b", 600_000, 0)).toMatchObject({ type: "b" });
    expect(await live.untilFrame(({ type }) => type === "a", 1, 1)).toBeUndefined();
    const next = live.untilFrame(({ type }) => type === "a", 600_000);
    frame("a");
    expect(await next).toBe(live.frames[2]);
  });
});
