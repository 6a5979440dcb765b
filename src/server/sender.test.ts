import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Json } from "../wire/json.ts";
import { Pacer } from "../session/pacing.ts";
import { Recording, type Exchange } from "../session/recording.ts";
import { Redactor } from "../session/redaction.ts";
import { Renewal } from "../session/renewal.ts";
import { makeSender, whileWanted, type Account, type Sender, type SenderParts } from "./sender.ts";
import type { RawAnswer, RawRequest } from "../wire/wire.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

const alice: Account = { name: "alice", role: "user" };
const success: Json = { status: "success", results: [], took: 1 };
const tooFast: Json = { status: "error", error: { code: "RATE_LIMIT_EXCEEDED", message: "slow down" } };

function answered(status: number, body: Json | string, headers: Readonly<Record<string, string>> = {}): RawAnswer {
  const now = performance.now();
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { kind: "answered", status, headers, body: new TextEncoder().encode(text), sentAt: now, doneAt: now + 2 };
}

interface Set {
  readonly sender: Sender;
  readonly requests: (RawRequest & { readonly at: number })[];
  readonly noted: Exchange[];
  readonly recording: Recording;
  readonly rates: string[];
}

/** A sender over a wire that gives these answers one after the other, the last one for ever. */
function set(answers: readonly (() => RawAnswer)[], parts: Partial<SenderParts> = {}): Set {
  const requests: (RawRequest & { at: number })[] = [];
  const noted: Exchange[] = [];
  const rates: string[] = [];
  const recording = new Recording((exchange) => noted.push(exchange));
  const sender = makeSender({
    wire: {
      exchange(request) {
        const answer = answers[Math.min(requests.length, answers.length - 1)];
        requests.push({ ...request, at: performance.now() });
        return answer === undefined ? Promise.reject(new Error("no answer is left")) : Promise.resolve(answer());
      },
    },
    tokens: new Map([["alice", "secret-token"]]),
    pacer: new Pacer(),
    recording,
    timeoutMs: 5000,
    onRate: (code) => rates.push(code),
    ...parts,
  });
  return { sender, requests, noted, recording, rates };
}

const always = (status: number, body: Json | string): (() => RawAnswer)[] => [() => answered(status, body)];

describe("a SQL request", () => {
  test("carries the token, the statement and nothing that was not asked for", async () => {
    const { sender, requests } = set(always(200, success));
    await sender.sql(alice, "SELECT 1");
    expect(requests).toEqual([
      {
        method: "POST",
        path: "/v1/api/sql",
        headers: { authorization: "Bearer secret-token", "content-type": "application/json" },
        body: '{"sql":"SELECT 1"}',
        timeoutMs: 5000,
        at: expect.any(Number) as number,
      },
    ]);
  });

  test("writes long numbers among its parameters with every digit", async () => {
    const { sender, requests } = set(always(200, success));
    const params = [{ exact: "9007199254740993" }, "9007199254740993", null];
    await sender.sql(alice, "SELECT $1", { params, namespace: "n", timeoutMs: 7, ownConnection: true });
    const body = '{"sql":"SELECT $1","params":[9007199254740993,"9007199254740993",null],"namespace_id":"n"}';
    expect(requests[0]).toMatchObject({ body, timeoutMs: 7, ownConnection: true });
  });

  test("goes without a token for nobody, and for an account that has none", async () => {
    const { sender, requests } = set(always(200, success));
    await sender.sql(null, "SELECT 1");
    await sender.sql({ name: "bob", role: "user" }, "SELECT 1");
    for (const { headers } of requests) expect(headers).toEqual({ "content-type": "application/json" });
  });

  test("lets its own headers win over the token", async () => {
    const { sender, requests } = set(always(200, success));
    await sender.sql(alice, "SELECT 1", { headers: { authorization: "Bearer forged" } });
    expect(requests[0]?.headers["authorization"]).toBe("Bearer forged");
  });

  test("is recorded: who, what, with what, and what came back", async () => {
    const { sender, noted, recording } = set(always(400, { error: { code: "EMPTY_SQL", message: "nothing" } }));
    const answer = await sender.sql(alice, "--", { params: [1] });
    expect(noted).toEqual([
      {
        number: answer.exchange,
        at: 0,
        as: "alice",
        method: "POST",
        path: "/v1/api/sql",
        text: "--",
        params: "[1]",
        outcome: "400 EMPTY_SQL: nothing",
        tookMs: 2,
      },
    ]);
    expect(recording.get(answer.exchange)).toBe(noted[0]);
    expect(recording.count).toBe(1);
  });

  test("whose exchange broke is unsure, and recorded as that", async () => {
    const { sender, noted } = set([
      () => ({ kind: "broken", because: "cut", detail: "closed", status: 200, sentAt: 0, doneAt: 1 }),
    ]);
    expect(await sender.sql(alice, "SELECT 1")).toMatchObject({ kind: "unsure", because: "cut", status: 200 });
    expect(noted[0]?.outcome).toBe("cut (status 200): closed");
  });
});

describe("a plain request", () => {
  test("comes back raw, as text and as JSON without loss", async () => {
    const { sender, requests } = set(always(201, '{"n":9007199254740993}'));
    const reply = await sender.request(alice, { method: "PUT", path: "/x", headers: { a: "b" }, body: "text" });
    expect(requests[0]).toMatchObject({ method: "PUT", path: "/x", body: "text" });
    expect(requests[0]?.headers).toEqual({ authorization: "Bearer secret-token", a: "b" });
    expect(reply).toMatchObject({
      kind: "answered",
      status: 201,
      exchange: 1,
      text: '{"n":9007199254740993}',
      json: { n: { exact: "9007199254740993" } },
    });
  });

  test("is recorded with its body, where that is a text", async () => {
    const { sender, noted } = set(always(200, "null"));
    await sender.request(null, { method: "POST", path: "/x", body: "hello" });
    await sender.request(null, { method: "POST", path: "/x", body: new Uint8Array([1]) });
    expect(noted.map(({ text }) => text)).toEqual(["hello", undefined]);
  });

  test("whose answer is no JSON has only the text", async () => {
    const { sender } = set(always(200, "<html>"));
    expect(await sender.request(null, { method: "GET", path: "/" })).toMatchObject({ text: "<html>" });
    expect(await sender.request(null, { method: "GET", path: "/" })).not.toHaveProperty("json");
  });

  test.for(["login", "refresh", "setup"])(
    "to %s is recorded without its tokens, whatever they look like",
    async (what) => {
      const { sender, noted } = set(always(200, '{"access_token":"opaque-1234","pass":{"refresh":"opaque-5678"}}'));
      await sender.request(null, { method: "POST", path: `/v1/api/auth/${what}` });
      expect(noted[0]).toMatchObject({ outcome: "200 •••" });
    },
  );

  test("is recorded without a token that is cut off", async () => {
    const { sender, noted } = set(always(200, `{"t":"eyJ${"a".repeat(190)}.${"b".repeat(10_000)}`));
    await sender.request(null, { method: "GET", path: "/health" });
    expect(noted[0]).toMatchObject({ outcome: '200 {"t":"•••…' });
  });

  test("is recorded with the beginning of what came back", async () => {
    const { sender, noted } = set(always(200, "y".repeat(1000)));
    await sender.request(null, { method: "GET", path: "/health" });
    expect(noted).toHaveLength(1);
    expect(noted[0]).toMatchObject({ method: "GET", path: "/health", outcome: `200 ${"y".repeat(200)}…` });
    expect(noted[0]).not.toHaveProperty("as");
  });

  test("never puts a token into the recording, not even half of one: nobody could have registered it yet", async () => {
    const token = `eyJ${"hbGciOiJIUzI1NiJ9".repeat(3)}.eyJ${"zdWIiOiJyb290In0".repeat(9)}.${"c2lnbmF0dXJl".repeat(4)}`;
    const { sender, noted } = set(always(200, { access_token: token, refresh_token: token, user: { id: "root" } }));
    const reply = await sender.request(null, { method: "POST", path: "/v1/api/auth/login", body: "{}" });
    expect(JSON.stringify(noted)).not.toContain(token.slice(0, 8));
    expect(reply.text).toContain(token);
  });
});

describe("told that it goes too fast", () => {
  const paced = (): Pacer => {
    const pacer = new Pacer();
    pacer.setPace("account", { perSecond: 1000, burst: 100 });
    return pacer;
  };
  /** How much later it was sent again. */
  async function gap(first: () => RawAnswer, send: (sender: Sender) => Promise<unknown>): Promise<number> {
    const { sender, requests } = set([first, () => answered(200, success)], { pacer: paced() });
    const sending = send(sender);
    await vi.runAllTimersAsync();
    await sending;
    expect(requests).toHaveLength(2);
    return (requests[1]?.at ?? 0) - (requests[0]?.at ?? 0);
  }
  const sql = async (sender: Sender): Promise<unknown> => await sender.sql(alice, "SELECT 1");
  const plain = async (sender: Sender): Promise<unknown> => await sender.request(alice, { method: "GET", path: "/" });

  test.for<[string, (sender: Sender) => Promise<unknown>]>([
    ["SQL", sql],
    ["anything else", plain],
  ])("%s, the account rests for as long as Retry-After says, else for a second and a half", async ([, send]) => {
    expect(await gap(() => answered(429, tooFast, { "retry-after": "7" }), send)).toBe(7000);
    for (const after of ["0", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"]) {
      expect(await gap(() => answered(429, tooFast, { "retry-after": after }), send)).toBe(1500);
    }
    expect(await gap(() => answered(429, tooFast), send)).toBe(1500);
  });

  test("for longer than a run could wait, the account rests for half a minute", async () => {
    expect(await gap(() => answered(429, tooFast, { "retry-after": "86400" }), sql)).toBe(30_000);
  });

  test("by a proxy, whose 429 has no envelope, it rests just the same", async () => {
    expect(await gap(() => answered(429, "<h1>Too Many Requests</h1>"), sql)).toBe(1500);
    expect(await gap(() => answered(429, ""), plain)).toBe(1500);
  });

  test("another account does not rest with it", async () => {
    const { sender, requests } = set([() => answered(429, tooFast), () => answered(200, success)], { pacer: paced() });
    await sender.sql(alice, "SELECT 1", { expectRate: true });
    await sender.sql({ name: "bob", role: "user" }, "SELECT 1");
    expect(requests[1]?.at).toBe(requests[0]?.at);
    const again = sender.sql(alice, "SELECT 1");
    await vi.runAllTimersAsync();
    await again;
    expect((requests[2]?.at ?? 0) - (requests[1]?.at ?? 0)).toBe(1500);
  });

  test("each refusal is told with its code, nothing else is", async () => {
    const { sender, rates } = set([
      () => answered(429, tooFast),
      () => answered(200, success),
      () => answered(400, { error: { code: "EMPTY_SQL", message: "" } }),
      () => answered(429, { error: "RATE_LIMIT_EXCEEDED" }),
      () => answered(429, ""),
    ]);
    for (let sent = 0; sent < 5; sent += 1) await sender.sql(alice, "SELECT 1", { expectRate: true });
    expect(rates).toEqual(["RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED", ""]);
  });

  const limited: readonly [string, Json | string][] = [
    ["in an envelope", tooFast],
    ["by the middleware", { error: "RATE_LIMIT_EXCEEDED" }],
    ["by a proxy", "<h1>Too Many Requests</h1>"],
    ["without a word", ""],
  ];
  test.for(limited)("%s, it is sent three times, and then nothing is known: it is no refusal", async ([, body]) => {
    const one = set(always(429, body));
    const sending = one.sender.sql(alice, "INSERT …");
    await vi.runAllTimersAsync();
    expect(await sending).toMatchObject({ kind: "unsure", because: "rate", status: 429, exchange: 3 });
    const other = set(always(429, body));
    const asking = other.sender.request(alice, { method: "PUT", path: "/" });
    await vi.runAllTimersAsync();
    expect(await asking).toMatchObject({ kind: "broken", because: "rate", status: 429, exchange: 3 });
    expect([one.requests.length, other.requests.length]).toEqual([3, 3]);
    expect(one.noted.map(({ outcome }) => outcome.slice(0, 3))).toHaveLength(3);
  });

  test("on purpose, the refusal is the answer", async () => {
    const { sender, requests } = set(always(429, tooFast));
    expect(await sender.sql(alice, "SELECT 1", { expectRate: true })).toMatchObject({ kind: "refused", cause: "rate" });
    const asked = { method: "GET", path: "/", expectRate: true } as const;
    expect(await sender.request(alice, asked)).toMatchObject({ kind: "answered", status: 429 });
    expect(requests).toHaveLength(2);
  });

  test("after a part of a batch, or with a body that reports success, it is not sent again", async () => {
    const part = { status: "error", error: { code: "RATE_LIMIT_EXCEEDED", message: "Statement 2 failed: too fast" } };
    for (const body of [part, success]) {
      const { sender, requests } = set(always(429, body));
      expect(await sender.sql(alice, "INSERT …; INSERT …")).toMatchObject({ kind: "unsure" });
      expect(requests).toHaveLength(1);
    }
  });

  test("a check that is over does not wait", async () => {
    const stop = new AbortController();
    const { sender, requests } = set(always(429, tooFast), { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("over")), 100);
    const sending = sender.sql(alice, "SELECT 1").catch(String);
    await vi.advanceTimersByTimeAsync(100);
    expect(await sending).toBe("Error: over");
    expect(requests).toHaveLength(1);
  });

  test.for([403, 429, 503])("a ban is noticed under status %d, in SQL and in anything else", async (status) => {
    const { sender, rates } = set(always(status, { error: "IP_BANNED", message: "for 300 s" }));
    await sender.sql(alice, "SELECT 1");
    await sender.request(null, { method: "GET", path: "/health" });
    expect(rates).toEqual(["IP_BANNED", "IP_BANNED"]);
  });
});

describe("a server that is busy (503)", () => {
  const busy = (): RawAnswer => answered(503, { status: "error", error: { code: "UNAVAILABLE", message: "starting" } });
  async function sends(text: string): Promise<number> {
    const { sender, requests } = set([busy]);
    const sending = sender.sql(alice, text);
    await vi.runAllTimersAsync();
    expect(await sending).toMatchObject({ kind: "unsure", because: "unavailable", status: 503 });
    return requests.length;
  }

  test.for(["SELECT 1", " select n from t;\n", "SHOW NAMESPACES", "DESCRIBE TABLE a.b"])(
    "is asked again: %s",
    async (sql) => {
      expect(await sends(sql)).toBe(3);
    },
  );

  test.for([
    "INSERT INTO t VALUES (1)",
    "SELECT 1; DELETE FROM t",
    "BEGIN; SELECT 1; COMMIT",
    "SELECTED",
    "DROP TABLE t",
  ])("may have done it: %s", async (sql) => {
    expect(await sends(sql)).toBe(1);
  });

  test("and answers then is only slow", async () => {
    const { sender } = set([busy, () => answered(200, success)]);
    const sending = sender.sql(alice, "SELECT 1");
    await vi.runAllTimersAsync();
    expect(await sending).toMatchObject({ kind: "ok", exchange: 2 });
  });
});

describe("a token that has expired", () => {
  const tokens = new Map<string, string>();
  const expired = (): RawAnswer =>
    answered(401, { status: "error", error: { code: "TOKEN_EXPIRED", message: "over" } });
  const renewing = (password?: string): Renewal => {
    const renewal = new Renewal({
      tokens,
      redactor: new Redactor(),
      logIn: () => Promise.resolve({ kind: "in", token: "second", user: "alice", role: "user", field: "user" }),
    });
    renewal.keep("alice", "first", password);
    return renewal;
  };
  const sent = ({ requests }: Set): unknown[] => requests.map(({ headers }) => headers["authorization"]);
  const me = { method: "GET", path: "/v1/api/auth/me" } as const;

  test("is renewed, and the request is sent again with the new one", async () => {
    const one = set([expired, () => answered(200, success)], { tokens, renewal: renewing("pw") });
    expect(await one.sender.sql(alice, "INSERT …")).toMatchObject({ kind: "ok", exchange: 2 });
    expect(sent(one)).toEqual(["Bearer first", "Bearer second"]);
    const other = set([expired, () => answered(200, "{}")], { tokens, renewal: renewing("pw") });
    expect(await other.sender.request(alice, me)).toMatchObject({ kind: "answered", status: 200 });
  });

  test("and cannot be renewed leaves the request open: no status, no refusal", async () => {
    const one = set([expired], { tokens, renewal: renewing() });
    const answer = await one.sender.sql(alice, "INSERT …");
    expect(answer).toMatchObject({ kind: "unsure", because: "expired" });
    expect(answer).not.toHaveProperty("status");
    expect(await one.sender.request(alice, me)).toMatchObject({ kind: "broken", because: "expired" });
    expect(one.requests).toHaveLength(2);
  });

  test("is the answer where the new one is called expired, too", async () => {
    const one = set([expired], { tokens, renewal: renewing("pw") });
    expect(await one.sender.sql(alice, "SELECT 1")).toMatchObject({ kind: "refused", cause: "login" });
    expect(one.requests).toHaveLength(2);
  });

  test.for(["authorization", "Authorization"])("of a check's own, in %s, is sent as it is", async (name) => {
    const one = set([expired], { tokens, renewal: renewing("pw") });
    const headers = { [name]: "Bearer old" };
    expect(await one.sender.sql(alice, "SELECT 1", { headers })).toMatchObject({ kind: "refused", cause: "login" });
    expect(await one.sender.request(alice, { ...me, headers })).toMatchObject({ kind: "answered", status: 401 });
    expect(one.requests.map((request) => request.headers[name])).toEqual(["Bearer old", "Bearer old"]);
  });
});

describe("lanes", () => {
  const slow = (kind: string): Pacer => {
    const pacer = new Pacer();
    pacer.setPace(kind, { perSecond: 1, burst: 1 });
    return pacer;
  };
  async function times(kind: string, send: (sender: Sender) => Promise<unknown>): Promise<number[]> {
    const { sender, requests } = set(always(200, success), { pacer: slow(kind) });
    const all = Promise.all([send(sender), send(sender)]);
    await vi.runAllTimersAsync();
    await all;
    return requests.map(({ at }) => at - (requests[0]?.at ?? 0));
  }
  const login = async (sender: Sender): Promise<unknown> =>
    await sender.request(null, { method: "POST", path: "/v1/api/auth/login" });
  const sql = async (sender: Sender): Promise<unknown> => await sender.sql(alice, "SELECT 1");

  test("everything keeps to the pace of the run and of the address", async () => {
    for (const kind of ["run", "address"]) {
      expect(await times(kind, login)).toEqual([0, 1000]);
      expect(await times(kind, sql)).toEqual([0, 1000]);
    }
  });

  test("SQL keeps to its account's pace, a login to that of logins", async () => {
    expect(await times("account", sql)).toEqual([0, 1000]);
    expect(await times("account", login)).toEqual([0, 0]);
    expect(await times("login", login)).toEqual([0, 1000]);
    expect(await times("login", sql)).toEqual([0, 0]);
  });
});

describe("an aborted signal", () => {
  test("means that nothing more is sent", async () => {
    const { sender, requests } = set(always(200, success), { signal: AbortSignal.abort(new Error("over")) });
    await expect(sender.sql(alice, "SELECT 1")).rejects.toThrow("over");
    await expect(sender.request(null, { method: "GET", path: "/" })).rejects.toThrow("over");
    expect(requests).toEqual([]);
  });

  test("ends who waits for a turn, without sending", async () => {
    const pacer = new Pacer();
    pacer.setPace("account", { perSecond: 1, burst: 1 });
    const stop = new AbortController();
    const { sender, requests } = set(always(200, success), { pacer, signal: stop.signal });
    await sender.sql(alice, "SELECT 1");
    const waiting = sender.sql(alice, "SELECT 2").catch(String);
    stop.abort(new Error("over"));
    expect(await waiting).toBe("Error: over");
    await vi.runAllTimersAsync();
    expect(requests).toHaveLength(1);
  });

  test("while an answer is under way keeps that answer from the check, and goes down to the wire", async () => {
    const stop = new AbortController();
    const abortThen = (): RawAnswer => {
      stop.abort(new Error("over"));
      return answered(403, { error: "IP_BANNED" });
    };
    const { sender, requests, noted, rates } = set([abortThen], { signal: stop.signal });
    await expect(sender.sql(alice, "SELECT 1")).rejects.toThrow("over");
    expect(requests[0]?.signal).toBe(stop.signal);
    // It was sent all the same, and what it says of the pace holds for everybody.
    expect(noted).toHaveLength(1);
    expect(rates).toEqual(["IP_BANNED"]);
  });
});

describe("a request that is no longer wanted", () => {
  const paced = (): Pacer => {
    const pacer = new Pacer();
    pacer.setPace("account", { perSecond: 1, burst: 1 });
    return pacer;
  };

  test("is not sent if it still waits for its turn", async () => {
    const { sender, requests } = set(always(200, success), { pacer: paced() });
    const wanted = new AbortController();
    await sender.sql(alice, "SELECT 1");
    const second = whileWanted(sender, wanted.signal).sql(alice, "SELECT 2");
    const third = whileWanted(sender, wanted.signal).request(alice, { method: "GET", path: "/health" });
    wanted.abort("over");
    await expect(second).rejects.toBe("over");
    await expect(third).rejects.toBe("over");
    await vi.runAllTimersAsync();
    expect(requests).toHaveLength(1);
  });

  test("is waited for if it was sent, and not sent again", async () => {
    const wanted = new AbortController();
    const { sender, requests } = set([
      () => {
        wanted.abort("over");
        return answered(429, tooFast);
      },
    ]);
    const asked = whileWanted(sender, wanted.signal);
    expect(await asked.sql(alice, "SELECT 1")).toMatchObject({ kind: "unsure", because: "rate", status: 429 });
    expect(requests).toHaveLength(1);
    expect(requests[0]?.signal).toBe(undefined);
  });
});
