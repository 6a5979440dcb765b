import { expect, test } from "vitest";
import { closeFault, frameFault, messageFault, pingFault } from "../faults/live.ts";
import { breakServer } from "../faults/sql.ts";
import type { Fault } from "../proof.ts";
import { fakeSocket, type FakeSocket } from "../../test/socket.ts";
import type { SocketListener, Wire } from "./wire.ts";
import { watch } from "./watching.ts";

/** A scripted server that refuses the path `/closed`. */
function server(): { readonly wire: Wire } & Pick<FakeSocket, "deliver" | "end"> {
  const { open, deliver, end } = fakeSocket();
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
      async socket(request, listener) {
        if (request.path !== "/closed") return await open(request, listener);
        return await Promise.resolve({ kind: "failed", because: "malformed", detail: "", status: 403 });
      },
    },
    deliver,
    end,
  };
}

/** Sends the same traffic over a wire with the fault in it, and returns what each side saw. */
async function bothSides(fault: Fault): Promise<{ inside: string; outside: string }> {
  const { wire, deliver, end } = server();
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
  deliver('{"type":"change","n":1}');
  deliver('{"type":"change","n":2}');
  end(1000, "bye");
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
