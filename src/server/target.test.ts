import { describe, expect, test, vi } from "vitest";
import type { Control, TrialOutcome } from "../wire/control.ts";
import type { OwnRole } from "../session/accounts.ts";
import { Contradictions } from "../session/contradictions.ts";
import { Pacer } from "../session/pacing.ts";
import { Recording } from "../session/recording.ts";
import { Entrance, refusedToAll } from "./entrance.ts";
import { learn } from "./dialect.ts";
import { makeSender, type Account } from "./sender.ts";
import type { Session } from "../session/session.ts";
import { makeTarget } from "./target.ts";
import { fakeSocket, type FakeSocket } from "../../test/socket.ts";
import type { RawAnswer, RawRequest, Wire } from "../wire/wire.ts";

const root: Account = { name: "root", role: "system" };
const own: Account = { name: "kr_k7f3a_user_1", role: "user" };

function wireInto(requests: RawRequest[]): Wire {
  const body = new TextEncoder().encode('{"status":"success","results":[]}');
  return {
    exchange(request) {
      requests.push(request);
      return Promise.resolve({ kind: "answered", status: 200, headers: {}, body, sentAt: 0, doneAt: 1 });
    },
  };
}

function sessionOver(wire: Wire): Session & { lent: [object, OwnRole, string][] } {
  const parts = { wire, tokens: new Map(), pacer: new Pacer(), recording: new Recording(), timeoutMs: 1000 };
  const lent: [object, OwnRole, string][] = [];
  const accounts = {
    lend(holder: object, role: OwnRole, label: string) {
      lent.push([holder, role, label]);
      return Promise.resolve(own);
    },
    fresh: () => Promise.resolve({ ...own, name: "kr_k7f3a_user_2" }),
    password: ({ name }: Account) => (name === own.name ? "its password" : undefined),
  };
  const capabilities = { version: "1", loginField: "user", settings: {} };
  const session = {
    parts,
    sender: makeSender(parts),
    login: root,
    capabilities,
    accounts,
    lent,
    learned: learn("0.4.3-rc.4", {}),
  };
  return session as unknown as Session & { lent: [object, OwnRole, string][] };
}

const outcome: TrialOutcome = {
  answered: true,
  exitCode: null,
  tookMs: 1,
  stderr: "",
  stdout: "",
  leftListening: false,
};
const control: Control = {
  kind: "process",
  own: {
    port: 1,
    lowered: {},
    residentBytes: () => undefined,
    trial: () => Promise.resolve(outcome),
    stderr: () => "",
  },
};
const never = new AbortController().signal;

test("a target sends over the wire that it was given, not over the session's", async () => {
  const theirs: RawRequest[] = [];
  const ours: RawRequest[] = [];
  const target = makeTarget(sessionOver(wireInto(theirs)), { wire: wireInto(ours), signal: never, holder: {} });
  expect(await target.sql(root, "SELECT 1")).toMatchObject({ kind: "ok" });
  expect([theirs.length, ours.length]).toEqual([0, 1]);
});

test("it tells which accounts were answered", async () => {
  const used: string[] = [];
  const broken: Wire = {
    exchange: async () =>
      await Promise.resolve({ kind: "broken", because: "reset", detail: "reset", sentAt: 0, doneAt: 1 }),
  };
  const targetOver = (wire: Wire) =>
    makeTarget(sessionOver(wire), { wire, signal: never, holder: {}, onUse: ({ name }) => used.push(name) });
  await targetOver(broken).sql(own, "SELECT 1");
  await targetOver(broken).request(own, { method: "GET", path: "/health" });
  expect(used).toEqual([]);
  await targetOver(wireInto([])).sql(own, "SELECT 1");
  await targetOver(wireInto([])).request(root, { method: "GET", path: "/health" });
  await targetOver(wireInto([])).request(null, { method: "GET", path: "/health" });
  expect(used).toEqual([own.name, root.name]);
});

test("it knows the login and the capabilities of its session", () => {
  const session = sessionOver(wireInto([]));
  const target = makeTarget(session, { wire: wireInto([]), signal: never, holder: {} });
  expect(target.login).toBe(root);
  expect(target.capabilities).toBe(session.capabilities);
});

test("it borrows accounts in the name of its holder", async () => {
  const holder = {};
  const session = sessionOver(wireInto([]));
  const target = makeTarget(session, { wire: wireInto([]), signal: never, holder });
  expect(await target.account("user")).toBe(own);
  await target.account("dba", "second");
  expect(session.lent).toEqual([
    [holder, "user", ""],
    [holder, "dba", "second"],
  ]);
  expect((await target.fresh("user")).name).toBe("kr_k7f3a_user_2");
});

test("it tells the password of the run's own accounts, and never that of the user's login", () => {
  const target = makeTarget(sessionOver(wireInto([])), { wire: wireInto([]), signal: never, holder: {} });
  expect(target.password(own)).toBe("its password");
  expect(() => target.password(root)).toThrow("root is not one of the run's own accounts");
});

test("large answers are refused once too much is kept, until the observation is over", async () => {
  const body = Buffer.alloc(4 * 1024 * 1024, " ");
  const exchange = async (): Promise<RawAnswer> =>
    await Promise.resolve({ kind: "answered", status: 200, headers: {}, body, sentAt: 0, doneAt: 1 });
  const wire = { exchange };
  const ask = async (times: number): Promise<unknown[]> => {
    const over = new AbortController();
    const target = makeTarget(sessionOver(wire), { wire, signal: over.signal, holder: {} });
    const because: unknown[] = [];
    for (let n = 0; n < times; n += 1) {
      const answer = await target.sql(root, "SELECT 1");
      because.push(answer.kind === "unsure" ? answer.because : answer.kind);
    }
    over.abort();
    return because;
  };
  expect(await ask(7)).toEqual([...Array.from({ length: 5 }, () => "malformed"), "tooLarge", "tooLarge"]);
  expect(await ask(1)).toEqual(["malformed"]);
});

test("it has control over the process where its wire has", async () => {
  const session = sessionOver(wireInto([]));
  const options = { signal: never, holder: {} };
  const target = makeTarget(session, { ...options, wire: { ...wireInto([]), control } });
  expect(await target.control?.own?.trial({ kind: "noFile" }, 5)).toBe(outcome);
  expect(target.control?.own?.port).toBe(1);
  expect(makeTarget(session, { ...options, wire: wireInto([]) })).not.toHaveProperty("control");
});

describe("once its signal is aborted a target is dead:", () => {
  const requests: RawRequest[] = [];
  const session = sessionOver(wireInto(requests));
  const signal = AbortSignal.abort(new Error("the time is up"));
  const target = makeTarget(session, { wire: { ...wireInto(requests), control }, signal, holder: {} });

  test.for<[string, () => Promise<unknown>]>([
    ["SQL", async () => await target.sql(root, "SELECT 1")],
    ["a request", async () => await target.request(null, { method: "GET", path: "/" })],
    ["an account", async () => await target.account("user")],
    ["a fresh account", async () => await target.fresh("user")],
    ["a server on trial", async () => await target.control?.own?.trial({ kind: "noFile" }, 5)],
  ])("%s", async ([, ask]) => {
    await expect(ask()).rejects.toThrow("the time is up");
    expect(requests).toEqual([]);
    expect(session.lent).toEqual([]);
  });

  test("the session itself lives on", async () => {
    expect(await session.sender.sql(root, "SELECT 1")).toMatchObject({ kind: "ok" });
  });
});

describe("a live connection", () => {
  test("is opened with a token that was renewed before, and not at all with one that is over", async () => {
    const messages: string[] = [];
    const wire: Wire = {
      ...wireInto([]),
      socket(_, listener) {
        const answer = (text: string): void => {
          messages.push(text);
          listener.frame({ text: '{"type":"auth_success","user":"u"}', at: 1 });
        };
        const nothing = (): void => {};
        const rest = { write: nothing, ping: nothing, reset: nothing, cutMidFrame: nothing, pause: nothing };
        const socket = { ...rest, resume: nothing, close: nothing, send: (data: unknown) => answer(String(data)) };
        return Promise.resolve({ kind: "open", socket, at: 0 });
      },
    };
    const session = sessionOver(wire);
    const tokens = new Map([[own.name, "old"]]);
    let over = false;
    const renewal = {
      prepare(name: string) {
        tokens.set(name, "new");
        return Promise.resolve();
      },
      isOver: () => over,
    };
    Object.assign(session.parts, { tokens, renewal });
    Object.assign(session, { sockets: { opened: 0, entrance: new Entrance() } });
    const target = makeTarget(session, { wire, signal: never, holder: {} });
    expect(await target.live(own)).toMatchObject({ login: { kind: "in" } });
    expect(JSON.parse(messages[0] ?? "")).toMatchObject({ type: "authenticate", token: "new" });
    over = true;
    expect(await target.live(own)).toEqual({ kind: "failed", why: "the run's own token has expired", ours: true });
    expect(await target.live(own, { token: "theirs" })).toMatchObject({ login: { kind: "in" } });
  });

  test("that was refused as too fast is tried again, unless that was the question", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      let opened = 0;
      const wire: Wire = {
        ...wireInto([]),
        socket() {
          opened += 1;
          return Promise.resolve({ kind: "failed", because: "malformed", detail: "429", status: 429 });
        },
      };
      const session = sessionOver(wire);
      Object.assign(session, { sockets: { opened: 0, entrance: new Entrance() } });
      const target = makeTarget(session, { wire, signal: never, holder: {} });
      const opening = target.live(own);
      await vi.runAllTimersAsync();
      expect([await opening, opened]).toEqual([{ kind: "failed", why: "429", status: 429 }, 3]);
      expect(await target.live(own, { expectRate: true })).toMatchObject({ status: 429 });
      expect(opened).toBe(4);
    } finally {
      vi.useRealTimers();
    }
  });
});

test("a live connection whose login came too fast is opened anew", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const fake = fakeSocket();
    const answers = [
      '{"type":"auth_error","message":"Too many authentication attempts. Please retry shortly."}',
      '{"type":"auth_success","user":"kr_k7f3a_user_1"}',
      '{"type":"auth_error","message":"no"}',
    ];
    const rates: string[] = [];
    const wire: Wire = {
      ...wireInto([]),
      async socket(request, listener) {
        const open = await fake.open(request, listener);
        setTimeout(() => fake.deliver(answers.shift() ?? ""), 1);
        return open;
      },
    };
    const session = sessionOver(wire);
    Object.assign(session, { sockets: { opened: 0, entrance: new Entrance() } });
    Object.assign(session.parts, { onRate: (code: string) => rates.push(code) });
    const target = makeTarget(session, { wire, signal: never, holder: {} });
    const opening = target.live(own);
    await vi.runAllTimersAsync();
    expect(await opening).toMatchObject({ login: { kind: "in" } });
    expect([rates, fake.calls.filter((call) => call.startsWith("close"))]).toEqual([["login"], ["close 1000"]]);
    // Any other refusal is the answer.
    const denied = target.live(own);
    await vi.runAllTimersAsync();
    expect(await denied).toMatchObject({ login: { kind: "denied", why: "no" } });
    expect(answers).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

describe("a server that lets no live connection in", () => {
  const failed = { kind: "failed", because: "malformed", detail: "403", status: 403 } as const;

  function refusing(): {
    target: ReturnType<typeof makeTarget>;
    opened: () => number;
    open: (socket: FakeSocket) => void;
  } {
    let opened = 0;
    let instead: FakeSocket | undefined;
    const wire: Wire = {
      ...wireInto([]),
      async socket(request, listener) {
        opened += 1;
        return instead === undefined ? failed : await instead.open(request, listener);
      },
    };
    const session = sessionOver(wire);
    Object.assign(session, { sockets: { opened: 0, entrance: new Entrance() } });
    const target = makeTarget(session, { wire, signal: never, holder: {} });
    return { target, opened: () => opened, open: (socket) => (instead = socket) };
  }
  const why = async (live: Promise<object>): Promise<unknown> => ({ why: "", ...(await live) }).why;

  test("is asked three times, and then only by who insists", async () => {
    const { target, opened } = refusing();
    for (let n = 0; n < 3; n += 1) expect(await target.live(own)).toMatchObject({ why: "403", status: 403 });
    expect(await target.live(own)).toEqual({ kind: "failed", why: refusedToAll, everywhere: true });
    expect(opened()).toBe(3);
    expect(await why(target.live(own, { insist: true }))).toBe("403");
    expect(opened()).toBe(4);
  });

  test("is not concluded from what should be refused", async () => {
    const { target } = refusing();
    const unusual = [{ path: "/v1/nothing" }, { headers: { origin: "https://a.example" } }, { token: "t" }] as const;
    for (const options of [...unusual, { login: "none" }] as const)
      for (let n = 0; n < 4; n += 1) expect(await why(target.live(own, options))).toBe("403");
    for (let n = 0; n < 4; n += 1) expect(await why(target.live(null))).toBe("403");
    expect(await why(target.live(own))).toBe("403");
  });

  test("is asked again by everybody once one has got in", async () => {
    const { target, open } = refusing();
    for (let n = 0; n < 4; n += 1) await target.live(own);
    const socket = fakeSocket();
    open(socket);
    const opening = target.live(own, { insist: true });
    await vi.waitFor(() => expect(socket.calls).toHaveLength(1));
    socket.deliver('{"type":"auth_success","user":"a"}');
    expect(await opening).toMatchObject({ login: { kind: "in" } });
    const next = target.live(own);
    await vi.waitFor(() => expect(socket.calls).toHaveLength(2));
    socket.deliver('{"type":"auth_error","message":"no"}');
    expect(await next).toMatchObject({ login: { kind: "denied" } });
  });
});

test("answers that disagree with themselves are kept for the observation that got them", async () => {
  const body = new TextEncoder().encode(
    '{"status":"success","results":[{"schema":[{"name":"a","data_type":"Int"}],"rows":[[1]],"row_count":2}]}',
  );
  const wire: Wire = {
    exchange: () => Promise.resolve({ kind: "answered", status: 200, headers: {}, body, sentAt: 0, doneAt: 1 }),
  };
  const session = sessionOver(wire);
  const contradictions = new Contradictions();
  Object.assign(session, { contradictions });
  const [one, other] = [{}, {}];
  const target = makeTarget(session, { wire, signal: never, holder: one });
  for (let n = 0; n < 7; n += 1) expect(await target.sql(root, "SELECT 1")).toMatchObject({ because: "malformed" });
  const noted = contradictions.take(one);
  expect(noted?.count).toBe(7);
  expect(noted?.first.map(({ exchange }) => exchange)).toEqual([1, 2, 3, 4, 5]);
  expect(noted?.first[0]?.sentence).toBe("result 1: row_count is 2, but there are 1 rows");
  expect([contradictions.take(one), contradictions.take(other)]).toEqual([undefined, undefined]);
});
