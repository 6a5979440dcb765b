import { expect, test } from "vitest";
import { closeFault, frameFault, messageFault, pingFault } from "../faults/live.ts";
import { breakServer } from "../faults/sql.ts";
import type { Fault } from "../proof.ts";
import type { RawSocket, SocketListener, Wire } from "./wire.ts";
import { watch } from "./watching.ts";

/** A scripted server with one connection. */
function server(): { wire: Wire; say: (text: string) => void; hang: () => void } {
  const heard: SocketListener[] = [];
  const nothing = (): void => undefined;
  const socket: RawSocket = {
    send: nothing,
    ping: nothing,
    write: nothing,
    close: nothing,
    reset: nothing,
    cutMidFrame: nothing,
    pause: nothing,
    resume: nothing,
  };
  return {
    wire: {
      exchange: async () =>
        await Promise.resolve({
          kind: "answered",
          status: 200,
          headers: {},
          body: Buffer.from('{"status":"success","results":[]}'),
          sentAt: 1,
          doneAt: 2,
        }),
      async socket({ path }, listener) {
        heard.push(listener);
        return await Promise.resolve(
          path === "/closed"
            ? { kind: "failed", because: "malformed", detail: "", status: 403 }
            : { kind: "open", socket, at: 3 },
        );
      },
    },
    say: (text) => heard.at(-1)?.frame({ text, at: 4 }),
    hang: () => heard.at(-1)?.closed({ code: 1000, reason: "bye", at: 5 }),
  };
}

/** Sends the same traffic over a wire with the fault in it, and returns what each side saw. */
async function bothSides(fault: Fault): Promise<{ inside: string; outside: string }> {
  const { wire, say, hang } = server();
  const inside = watch(wire);
  const outside = watch(fault.wrap(inside.wire, () => undefined));
  const ignoring: SocketListener = { frame: () => undefined, closed: () => undefined };
  const request = { path: "/v1/ws", headers: { a: "b" }, timeoutMs: 1 };
  await outside.wire.exchange({
    method: "POST",
    path: "/v1/api/sql",
    headers: {},
    body: '{"sql":"SELECT 1"}',
    timeoutMs: 1,
  });
  await outside.wire.socket?.({ ...request, path: "/closed" }, ignoring);
  const opened = await outside.wire.socket?.(request, ignoring);
  if (opened?.kind === "open") {
    opened.socket.send('{"type":"subscribe"}');
    opened.socket.ping();
    opened.socket.send(new Uint8Array([1]));
  }
  say('{"type":"change","n":1}');
  say('{"type":"change","n":2}');
  hang();
  return { inside: inside.text(), outside: outside.text() };
}

test("unchanged traffic is the same on both sides, and complete", async () => {
  const { inside, outside } = await bothSides({ name: "nothing", wrap: (wire) => wire });
  expect(outside).toBe(inside);
  expect(inside.split("\n")).toEqual([
    '/closed {"a":"b"}',
    "malformed 403",
    '/v1/ws {"a":"b"}',
    '> {"type":"subscribe"}',
    "> ping",
    "> AQ==",
    '< {"type":"change","n":1}',
    '< {"type":"change","n":2}',
    "closed 1000 bye",
    expect.stringContaining("SELECT 1") as string,
  ]);
});

const refuseAll: Fault = {
  name: "refuseAll",
  wrap: (wire) => ({
    ...wire,
    socket: async () =>
      await Promise.resolve({ kind: "failed", because: "malformed", detail: "the same words", status: 401 }),
  }),
};
const openAsAnotherUser: Fault = {
  name: "openAsAnotherUser",
  wrap: (wire) => ({
    ...wire,
    socket: async (request, listener) =>
      (await wire.socket?.({ ...request, headers: {} }, listener)) ?? { kind: "failed", because: "reset", detail: "" },
  }),
};
let held: { readonly [key: string]: unknown } | undefined;

test.each<Fault>([
  breakServer("breakIt", /SELECT/),
  frameFault("drop", () => () => undefined),
  frameFault("swap", () => (message, { pass }) => {
    if (held === undefined) held = message;
    else {
      pass(message);
      pass(held as typeof message);
    }
  }),
  messageFault("swallow", () => []),
  pingFault("swallowPings"),
  closeFault("stayOpen", () => true),
  refuseAll,
  openAsAnotherUser,
])("$name is seen to change something", async (fault) => {
  const { inside, outside } = await bothSides(fault);
  expect(outside).not.toBe(inside);
});
