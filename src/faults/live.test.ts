import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Json } from "../wire/json.ts";
import type { Fault } from "../proof.ts";
import { fakeSocket } from "../../test/socket.ts";
import type { RawFrame, RawSocket, Wire } from "../wire/wire.ts";
import {
  changeFault,
  closeFault,
  endFault,
  frameFault,
  messageFault,
  pingFault,
  rowIn,
  swapFault,
  type Meddling,
} from "./live.ts";

type Message = { readonly [key: string]: Json };

interface Tried {
  /** What the reader received. */
  readonly heard: string[];
  /** What reached the server. */
  readonly reached: string[];
  readonly fired: () => number;
  readonly socket: RawSocket;
  readonly say: (...frames: readonly (string | RawFrame)[]) => void;
  readonly end: (code: number, reason: string) => void;
}

/** A connection through the fault to a scripted server. */
async function through(fault: Fault): Promise<Tried> {
  const heard: string[] = [];
  let fired = 0;
  const { open, calls, deliver, end } = fakeSocket();
  const wire: Wire = { exchange: async () => await Promise.reject(new Error("no HTTP here")), socket: open };
  const faulty = fault.wrap(wire, () => {
    fired += 1;
  });
  const outcome = await faulty.socket?.(
    { path: "/v1/ws", headers: {}, timeoutMs: 1 },
    {
      frame: (frame) => heard.push("text" in frame ? frame.text : `${frame.bytes.byteLength} bytes`),
      closed: ({ code, reason }) => heard.push(`closed ${code} ${reason}`),
    },
  );
  if (outcome?.kind !== "open") throw new Error("not open");
  return {
    heard,
    reached: calls,
    fired: () => fired,
    socket: outcome.socket,
    say: (...frames) => {
      for (const frame of frames) deliver(frame);
    },
    end,
  };
}

const change = (n: number): string => `{"type":"change","n":${n}}`;

describe("a fault", () => {
  test("passes on unchanged frames byte for byte", async () => {
    const { heard, say, fired } = await through(changeFault("twice", 1, (one) => [one, one]));
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024 + 1));
    say("no JSON", '{ "type": "other" }', { bytes: new Uint8Array(3), at: 1 }, { bytes: bomb, at: 1 });
    expect(heard).toEqual(["no JSON", '{ "type": "other" }', "3 bytes", `${bomb.byteLength} bytes`]);
    expect(fired()).toBe(0);
  });

  test("that delivers a second frame keeps the bytes of the first and every digit of the changed one", async () => {
    const { heard, say } = await through(changeFault("twice", 1, (one) => [one, { ...one, marked: true }]));
    const bytes = gzipSync('{"type":"change","_seq":9007199254740993}');
    say({ bytes, at: 1 });
    expect(heard).toEqual([`${bytes.byteLength} bytes`, '{"type":"change","_seq":9007199254740993,"marked":true}']);
  });

  test("on every third chosen change leaves the others alone", async () => {
    const even = ({ n }: Message): boolean => Number(n) % 2 === 0;
    const { heard, say, fired } = await through(changeFault("dropOneInThree", 3, () => [], even));
    say(...[1, 2, 3, 4, 5, 6, 7, 8].map(change), '{"type":"pong"}');
    expect(heard).toEqual([...[1, 2, 3, 4, 5, 7, 8].map(change), '{"type":"pong"}']);
    expect(fired()).toBe(1);
  });

  test("that swaps holds the first until one that fits has passed, once, and lets others pass", async () => {
    const { heard, say, fired } = await through(
      swapFault(
        "swap",
        ({ n }) => Number(n) > 1,
        (first, second) => Number(second["n"]) === Number(first["n"]) + 2,
      ),
    );
    say(change(1), change(2), '{"type":"pong"}', change(3), change(4), change(5), change(7));
    expect(heard).toEqual([change(1), '{"type":"pong"}', change(3), change(4), change(2), change(5), change(7)]);
    expect(fired()).toBe(1);
  });

  test("has its own state for each connection, and may end it or send later", async () => {
    const kept: Meddling[] = [];
    const fault = frameFault("keep", () => {
      let count = 0;
      return (message, meddling) => {
        count += 1;
        if (count === 1) meddling.pass(message);
        else kept.push(meddling);
      };
    });
    const [one, other] = [await through(fault), await through(fault)];
    one.say(change(1), change(2));
    other.say(change(3));
    expect([one.heard, other.heard]).toEqual([[change(1)], [change(3)]]);
    kept[0]?.pass({ type: "late" });
    kept[0]?.close(1011, "enough");
    expect(one.heard).toEqual([change(1), '{"type":"late"}', "closed 1011 enough"]);
  });

  test("on messages replaces outgoing ones and passes on the rest, including bytes", async () => {
    const { socket, reached, fired } = await through(
      messageFault("ignoreUnsubscribe", ({ type }) =>
        type === "unsubscribe"
          ? []
          : type === "subscribe"
            ? [{ type: "a" }, { type: "b", n: { exact: "9007199254740993" } }]
            : undefined,
      ),
    );
    socket.send('{"type":"unsubscribe"}');
    socket.send('{"type":"subscribe"}');
    socket.send('{ "type": "other" }');
    socket.send("no JSON");
    socket.send(new Uint8Array(2));
    socket.ping();
    socket.reset();
    expect(reached).toEqual([
      'send {"type":"a"}',
      'send {"type":"b","n":9007199254740993}',
      'send { "type": "other" }',
      "send no JSON",
      "send 2 bytes",
      "ping",
      "reset",
    ]);
    expect(fired()).toBe(2);
  });

  test("drops pings and nothing else", async () => {
    const { socket, reached, fired } = await through(pingFault("dropPings"));
    socket.ping();
    socket.send("a");
    socket.close();
    expect([reached, fired()]).toEqual([["send a", "close"], 1]);
  });

  test("hides an end, or changes it", async () => {
    const silent = await through(closeFault("silence", ({ code }) => code === 1000));
    silent.end(1000, "heartbeat");
    silent.end(1006, "");
    expect([silent.heard, silent.fired()]).toEqual([["closed 1006 "], 1]);
    const other = await through(
      endFault("askBack", ({ code, at }) => (code === 1008 ? { code: 1000, reason: "", at } : undefined)),
    );
    other.end(1011, "x");
    other.end(1008, "no");
    expect([other.heard, other.fired()]).toEqual([["closed 1011 x", "closed 1000 "], 1]);
  });

  test("leaves a wire without sockets and a socket that does not open unchanged", async () => {
    const wire: Wire = { exchange: async () => await Promise.reject(new Error("no")) };
    const refused = { kind: "failed", because: "malformed", detail: "no", status: 403 } as const;
    const faults = [
      changeFault("a", 1, () => []),
      closeFault("b", () => true),
      endFault("c", () => undefined),
      messageFault("d", () => []),
      pingFault("e"),
    ];
    for (const fault of faults) {
      expect(fault.wrap(wire, () => undefined).socket).toBeUndefined();
      const closed = { ...wire, socket: async () => await Promise.resolve(refused) };
      const outcome = fault
        .wrap(closed, () => undefined)
        .socket?.({ path: "", headers: {}, timeoutMs: 1 }, { frame: () => undefined, closed: () => undefined });
      expect(await outcome).toBe(refused);
    }
  });
});

test("the row in a frame is the new one, or else the old one", () => {
  expect([
    rowIn({ rows: [{ a: 1 }, { a: 2 }], old_values: [{ a: 3 }] }),
    rowIn({ rows: [], old_values: [{ a: 3 }] }),
    rowIn({ rows: "none" }),
  ]).toEqual([{ a: 1 }, { a: 3 }, {}]);
});
