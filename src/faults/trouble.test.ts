import { expect, test } from "vitest";
import { sqlPath } from "../server/recorded.ts";
import type { RawAnswer, RawRequest, SocketListener, Wire } from "../wire/wire.ts";
import { cutAtFrame, refuseUpgrade } from "./live-trouble.ts";
import {
  counted,
  harmEvery,
  harmFrom,
  harmNth,
  kalamAtNobody,
  oneTrouble,
  troublesFor,
  type Loss,
  type Trouble,
} from "./trouble.ts";

const ok: RawAnswer = { kind: "answered", status: 200, headers: {}, body: new Uint8Array(3), sentAt: 1, doneAt: 2 };

function sqlOf(sql: string, as = "a"): RawRequest {
  const headers = { authorization: as };
  return { method: "POST", path: sqlPath, headers, body: JSON.stringify({ sql }), timeoutMs: 1 };
}

/** Sends each statement through the trouble; what came back, what reached the server, and what was lost. */
async function send(trouble: Trouble, statements: readonly (string | RawRequest)[]) {
  const reached: RawRequest[] = [];
  const losses: Loss[] = [];
  const wire: Wire = {
    async exchange(request) {
      reached.push(request);
      return await Promise.resolve(ok);
    },
  };
  const troubled = trouble.wrap(wire, (loss) => losses.push(loss));
  const answers = [];
  for (const one of statements) answers.push(await troubled.exchange(typeof one === "string" ? sqlOf(one) : one));
  const outcomes = answers.map((answer) => (answer.kind === "broken" ? answer.because : answer.status));
  return { outcomes, reached: reached.length, losses };
}

test("a lost answer is one to a request that was executed; one lost on its way was not", async () => {
  expect(await send(harmNth("its answer lost", 2), ["SELECT 1", "SELECT 2", "SELECT 3"])).toEqual({
    outcomes: [200, "reset", 200],
    reached: 3,
    losses: [{ what: "SELECT 2", done: false, again: false }],
  });
  expect(await send(harmNth("lost on its way", 2), ["SELECT 1", "SELECT 2"])).toMatchObject({
    outcomes: [200, "reset"],
    reached: 1,
  });
  expect(await send(harmNth("its body cut", 1), ["SELECT 1"])).toMatchObject({ outcomes: ["cut"], reached: 1 });
});

test("a loss is made up for by the same statement of the same account, and by no other", async () => {
  const lose = harmNth("lost on its way", 1);
  const againOf = async (second: RawRequest): Promise<boolean | undefined> =>
    (await send(lose, [sqlOf("SELECT 1"), second])).losses[0]?.again;
  expect(await againOf(sqlOf("SELECT 1"))).toBe(true);
  expect(await againOf(sqlOf("SELECT 2"))).toBe(false);
  expect(await againOf(sqlOf("SELECT 1", "b"))).toBe(false);
  // Sent again and lost again.
  const every = await send(harmEvery("lost on its way", 1), ["SELECT 1", "SELECT 1"]);
  expect(every.losses).toEqual([{ what: "SELECT 1", done: false, again: false }]);
});

test("only the acknowledgement of rows that were written is lost without the step", async () => {
  const doneOf = async (harm: Parameters<typeof harmNth>[0], sql: string): Promise<boolean | undefined> =>
    (await send(harmNth(harm, 1), [sql])).losses[0]?.done;
  expect(await doneOf("its answer lost", "INSERT INTO t (id) VALUES (1)")).toBe(true);
  expect(await doneOf("lost on its way", "INSERT INTO t (id) VALUES (1)")).toBe(false);
  expect(await doneOf("its answer lost", "ALTER TABLE t ADD COLUMN n INT")).toBe(false);
  expect(await doneOf("its answer lost", "DELETE FROM t WHERE id = 1; SELECT 1")).toBe(false);
});

test("several in a row, and at intervals, with the words of a proxy or of a limit", async () => {
  const four = ["A", "B", "C", "D"];
  expect((await send(harmFrom("answered 503", 2, 2), four)).outcomes).toEqual([200, 503, 503, 200]);
  expect((await send(harmFrom("answered 429", 1, 1), four)).outcomes).toEqual([429, 200, 200, 200]);
  expect((await send(harmEvery("its answer lost", 2), four)).outcomes).toEqual([200, "reset", 200, "reset"]);
});

/** A wire whose sockets deliver these frames at once. */
function liveWire(frames: readonly string[], reset: () => void): Wire {
  const nothing = (): void => undefined;
  const socket = {
    send: nothing,
    write: nothing,
    ping: nothing,
    close: nothing,
    cutMidFrame: nothing,
    pause: nothing,
    resume: nothing,
    reset,
  };
  return {
    exchange: async () => await Promise.resolve(ok),
    async socket(_, listener) {
      for (const text of frames) listener.frame({ text, at: 1 });
      return await Promise.resolve({ kind: "open", socket, at: 1 });
    },
  };
}

const upgrade = { path: "/v1/ws", headers: {}, timeoutMs: 1 };

test("a connection that is cut delivers nothing more and is reset; an upgrade that is refused is not passed on", async () => {
  const seen: string[] = [];
  const listener: SocketListener = {
    frame: (frame) => seen.push("text" in frame ? frame.text : ""),
    closed: ({ code }) => seen.push(String(code)),
  };
  const losses: Loss[] = [];
  let resets = 0;
  const wire = liveWire(["one", "two", "three"], () => (resets += 1));
  const cut = cutAtFrame(2, 1).wrap(wire, (loss) => losses.push(loss));
  await cut.socket?.(upgrade, listener);
  expect([seen, resets, losses]).toEqual([["one", "1006"], 1, [{ what: "frame two", done: false, again: false }]]);
  await cut.socket?.(upgrade, listener);
  expect(losses[0]?.again).toBe(true);

  const refusals: Loss[] = [];
  const refused = refuseUpgrade(1, 2).wrap(wire, (loss) => refusals.push(loss));
  expect(await refused.socket?.(upgrade, listener)).toMatchObject({ kind: "failed", status: 503 });
  await refused.socket?.(upgrade, listener);
  // The second of two is the one that it would have opened anyway.
  expect(refusals.map(({ again }) => again)).toEqual([false]);
  await refused.socket?.(upgrade, listener);
  expect(refusals.map(({ again }) => again)).toEqual([true]);
});

test.each(["pause", "reset", "cutMidFrame"] as const)(
  "what arrives after %s is not heard, so it is not lost",
  async (act) => {
    const seen: string[] = [];
    const frames: ((text: string) => void)[] = [];
    const live = liveWire([], () => undefined);
    const wire: Wire = {
      ...live,
      async socket(request, heard) {
        frames.push((text) => heard.frame({ text, at: 1 }));
        return (await live.socket?.(request, heard)) ?? { kind: "failed", because: "reset", detail: "" };
      },
    };
    const losses: Loss[] = [];
    const count = counted(wire);
    const outcome = await cutAtFrame(2, 1)
      .wrap(count.wire, (loss) => losses.push(loss))
      .socket?.(upgrade, {
        frame: (frame) => seen.push("text" in frame ? frame.text : ""),
        closed: ({ code }) => seen.push(String(code)),
      });
    if (outcome?.kind !== "open") throw new Error("not open");
    frames[0]?.("one");
    outcome.socket[act]();
    frames[0]?.("unread");
    expect([seen, losses, count.traffic().frames]).toEqual([["one", "unread"], [], 1]);
    outcome.socket.resume();
    frames[0]?.("two");
    expect([seen.at(-1), losses.length, count.traffic().frames]).toEqual(["1006", 1, 2]);
  },
);

test("a run of kalam that does not reach the server is run where nobody listens", async () => {
  const ran: string[] = [];
  const wire: Wire = {
    exchange: async () => await Promise.resolve(ok),
    async kalam({ at }) {
      ran.push(at);
      return await Promise.resolve({} as never);
    },
  };
  const losses: Loss[] = [];
  const troubled = kalamAtNobody(2).wrap(wire, (loss) => losses.push(loss));
  for (const word of ["one", "two", "two"])
    await troubled.kalam?.({ args: ["--token", "secret", "-c", word], at: "server", timeoutMs: 1 });
  expect(ran).toEqual(["server", "nobody", "server"]);
  expect(losses).toEqual([{ what: "kalam -c two", done: false, again: true }]);
});

test("the troubles for a check hit each of its few requests, connections, frames and runs", async () => {
  const traffic = { requests: 3, connections: 1, frames: 2, kalamRuns: 1 };
  const names = troublesFor(traffic, () => 0).map(({ name }) => name);
  for (const nth of [1, 2, 3]) expect(names.some((name) => name.startsWith(`request ${nth} `))).toBe(true);
  expect(names).toEqual(
    expect.arrayContaining(["live connection cut at frame 2", "run 1 of kalam does not reach the server"]),
  );
  // Of very many they are spread over all of them.
  const many = troublesFor({ ...traffic, requests: 1000 }, () => 0.5).map(({ name }) => name);
  const hit = many.flatMap((name) => /^request (\d+) /.exec(name)?.[1] ?? []).map(Number);
  expect(hit.length).toBe(40);
  expect([Math.min(...hit) <= 25, Math.max(...hit) > 975]).toEqual([true, true]);
  expect(troublesFor({ requests: 0, connections: 0, frames: 0, kalamRuns: 0 }, () => 0)).toEqual([]);

  const { wire, traffic: count } = counted(liveWire(["one"], () => undefined));
  await wire.exchange(sqlOf("SELECT 1"));
  await wire.socket?.(upgrade, { frame: () => undefined, closed: () => undefined });
  expect(count()).toEqual({ requests: 1, connections: 1, frames: 1, kalamRuns: 0 });
  expect(oneTrouble(10, () => 0.99).name).toMatch(/^request (5|10) its body cut$/);
});
