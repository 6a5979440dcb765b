import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Json } from "../wire/json.ts";
import { Ledger } from "./ledger.ts";
import { Recording } from "./recording.ts";
import { Redactor } from "./redaction.ts";
import type { NoSession } from "./entering.ts";
import { isLoopback, openSession, type Session, type SessionParts } from "./session.ts";
import type { Breakage, RawAnswer, RawRequest } from "../wire/wire.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "session-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

type Said = {
  readonly status: number;
  readonly body: Json | string;
  readonly headers?: Readonly<Record<string, string>>;
};
type Route = Said | Breakage;

const table = (columns: readonly string[], rows: Json): Said => ({
  status: 200,
  body: {
    status: "success",
    results: [
      { schema: columns.map((name) => ({ name, data_type: "Text" })), rows, row_count: (rows as Json[]).length },
    ],
  },
});
const denied: Said = { status: 403, body: { status: "error", error: { code: "PERMISSION_DENIED", message: "no" } } };
const tokenOf = (claims: Json): string => `eyJ.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;

/** A KalamDB that lets root in; each route can be told to say something else. */
const healthy: Readonly<Record<string, Route>> = {
  "GET /v1/api/auth/status": { status: 200, body: { needs_setup: false } },
  "POST /v1/api/auth/login": { status: 200, body: { access_token: "one-token", user: { role: "system" } } },
  "GET /v1/api/auth/me": { status: 200, body: { user: { role: "dba" } } },
  "GET /health": { status: 200, body: { status: "healthy", version: "0.4.3-rc.4" } },
  "system.settings": table(["name", "value"], [["rate_limit.max_queries_per_sec", "100"]]),
  "system.stats": table(["version"], [["0.9.9"]]),
  SELECT: table(["one"], [["1"]]),
};

interface Opened {
  readonly opened: Session | NoSession;
  readonly wire: { exchange: (request: RawRequest) => Promise<RawAnswer> };
  readonly requests: (RawRequest & { readonly at: number })[];
  readonly ledgers: Ledger[];
  readonly redactor: Redactor;
}

async function open(routes: Readonly<Record<string, Route>> = {}, parts: Partial<SessionParts> = {}): Promise<Opened> {
  const requests: (RawRequest & { at: number })[] = [];
  const ledgers: Ledger[] = [];
  const redactor = new Redactor();
  const all = { ...healthy, ...routes };
  const exchange = (request: RawRequest): Promise<RawAnswer> => {
    const at = performance.now();
    requests.push({ ...request, at });
    const key = Object.keys(all).findLast((one) =>
      request.path.endsWith("/sql") ? String(request.body).includes(one) : one === `${request.method} ${request.path}`,
    );
    const sql = ["system.settings", "system.stats"].find((view) => String(request.body).includes(view));
    const said = all[sql ?? key ?? ""] ?? { status: 404, body: "" };
    if (typeof said === "string")
      return Promise.resolve({ kind: "broken", because: said, detail: `it was ${said}`, sentAt: at, doneAt: at });
    const body = new TextEncoder().encode(typeof said.body === "string" ? said.body : JSON.stringify(said.body));
    return Promise.resolve({
      kind: "answered",
      status: said.status,
      headers: said.headers ?? {},
      body,
      sentAt: at,
      doneAt: at,
    });
  };
  const wire = { exchange };
  const opened = await openSession({
    run: "k7f3a",
    url: "http://127.0.0.1:8080",
    wire,
    credentials: { kind: "password", user: "root", password: "pw" },
    redactor,
    recording: new Recording(),
    openLedger() {
      const ledger = new Ledger(mkdtempSync(path.join(folder, "state-")), { run: "k7f3a", url: "u" });
      ledgers.push(ledger);
      return ledger;
    },
    timeoutMs: 5000,
    ...parts,
  });
  return { opened, wire, requests, ledgers, redactor };
}

async function session(
  routes: Readonly<Record<string, Route>> = {},
  parts: Partial<SessionParts> = {},
): Promise<Session & Omit<Opened, "opened">> {
  const { opened, ...rest } = await open(routes, parts);
  if ("kind" in opened) throw new Error(`no session: ${opened.sentence}`);
  return { ...opened, ...rest };
}

describe("no session", () => {
  const statusRoute = "GET /v1/api/auth/status";
  const loginRoute = "POST /v1/api/auth/login";
  const html: Said = { status: 200, body: "<!doctype html><title>Welcome to nginx</title>" };

  test.for<[NoSession["kind"], string, Readonly<Record<string, Route>>, RegExp]>([
    ["unreachable", "nobody listens", { [statusRoute]: "unreachable" }, /it was unreachable/],
    ["unreachable", "no answer", { [statusRoute]: "timeout" }, /it was timeout/],
    ["unreachable", "a reset", { [statusRoute]: "reset" }, /it was reset/],
    [
      "unreachable",
      "a proxy with nothing behind it",
      { [statusRoute]: { status: 502, body: "bad gateway" } },
      /502 bad gateway/,
    ],
    ["unreachable", "a server that is starting", { [statusRoute]: { status: 503, body: "" } }, /503$/],
    ["unreachable", "a proxy that waited in vain", { [statusRoute]: { status: 504, body: "" } }, /504$/],
    ["notKalamDb", "no HTTP", { [statusRoute]: "malformed" }, /does not speak valid HTTP/],
    ["notKalamDb", "a cut answer", { [statusRoute]: "cut" }, /does not speak valid HTTP/],
    ["notKalamDb", "a web page", { [statusRoute]: html }, /is not KalamDB: .* returned 200 <!doctype/],
    [
      "notKalamDb",
      "pages that are not there",
      { [statusRoute]: { ...html, status: 404 }, [loginRoute]: { ...html, status: 404 } },
      /login as root returned 404 <!doctype/,
    ],
    [
      "notKalamDb",
      "a gateway that lets nobody in",
      { [statusRoute]: { status: 403, body: "go away" }, [loginRoute]: { status: 403, body: "go away" } },
      /login as root returned 403 go away; that is not an answer of KalamDB/,
    ],
    ["notKalamDb", "JSON of another kind", { [statusRoute]: { status: 200, body: { ok: true } } }, /not KalamDB/],
    [
      "notKalamDb",
      "a redirect",
      { [statusRoute]: { status: 301, body: "", headers: { location: "https://x/" } } },
      /redirect to https:\/\/x\//,
    ],
    ["notKalamDb", "a server that breaks", { [statusRoute]: { status: 500, body: "oops" } }, /500 oops/],
    ["notKalamDb", "a login answered by a web page", { [loginRoute]: html }, /login as root returned 200/],
    ["notKalamDb", "a login without an answer", { [loginRoute]: "timeout" }, /login of root was not answered/],
    [
      "denied",
      "a banned address",
      { [statusRoute]: { status: 403, body: { error: "IP_BANNED", message: "for 300 s" } } },
      /auth\/status was refused: 403 .*IP_BANNED/,
    ],
    [
      "denied",
      "a wrong password at a server whose setup is closed",
      {
        [statusRoute]: { status: 403, body: { error: "forbidden" } },
        [loginRoute]: { status: 401, body: { error: "unauthorized", message: "Invalid credentials" } },
      },
      /login of root was refused \(401/,
    ],
    [
      "denied",
      "an address that is too fast",
      { [statusRoute]: { status: 429, body: "" } },
      /auth\/status was refused: 429/,
    ],
    [
      "denied",
      "a wrong password",
      { [loginRoute]: { status: 401, body: { error: "unauthorized", message: "Invalid credentials" } } },
      /refused \(401 unauthorized/,
    ],
    [
      "denied",
      "a server that was not set up",
      { [loginRoute]: { status: 428, body: { error: "setup_required" } } },
      /not been set up/,
    ],
    ["denied", "setup required, said at once", { [statusRoute]: { status: 428, body: "" } }, /not been set up/],
    [
      "denied",
      "setup needed, and a login refused in other words",
      {
        [statusRoute]: { status: 200, body: { needs_setup: true } },
        [loginRoute]: { status: 401, body: { error: "unauthorized", message: "Invalid credentials" } },
      },
      /not been set up/,
    ],
  ])("%s: %s", async ([kind, , routes, words]) => {
    const opening = open(routes);
    await vi.runAllTimersAsync();
    const { opened, ledgers, requests } = await opening;
    expect(opened).toEqual({ kind, sentence: expect.stringMatching(words) as string });
    expect(ledgers).toEqual([]);
    expect(requests.filter(({ path: to }) => to.endsWith("/login")).length).toBeLessThanOrEqual(1);
  });

  test.for<[NoSession["kind"], string, Readonly<Record<string, Route>>, RegExp]>([
    ["unreachable", "nobody listens", { [statusRoute]: "unreachable" }, /it was unreachable/],
    ["notKalamDb", "a web page", { [statusRoute]: html }, /is not KalamDB: .* returned 200 <!doctype/],
    ["notKalamDb", "a page for everything", { [statusRoute]: { ...html, status: 404 }, "SELECT 1": html }, /not JSON.*not an answer of KalamDB/], // prettier-ignore
    ["notKalamDb", "a gateway", { [statusRoute]: { status: 403, body: "no" }, "SELECT 1": { status: 403, body: "no" } }, /sql without a token returned .*that is not an answer of KalamDB/], // prettier-ignore
    ["denied", "too fast", { "SELECT 1": { status: 429, body: "" } }, /sql without a token returned rate/],
  ])("without a login, %s: %s", async ([kind, , routes, words]) => {
    const opening = open(routes, { credentials: { kind: "none" } });
    await vi.runAllTimersAsync();
    const { opened, ledgers } = await opening;
    expect(opened).toEqual({ kind, sentence: expect.stringMatching(words) as string });
    expect(ledgers).toEqual([]);
  });

  test("a password is not sent to what is no KalamDB", async () => {
    const { requests } = await open({ [statusRoute]: html });
    expect(requests.map(({ path: to }) => to)).toEqual(["/v1/api/auth/status"]);
  });
});

describe("a session", () => {
  test("knows who it is, and opens its ledger only now", async () => {
    const { login, run, url, ledgers, ledger, redactor, requests } = await session();
    expect({ login, run, url }).toEqual({
      login: { name: "root", role: "system" },
      run: "k7f3a",
      url: "http://127.0.0.1:8080",
    });
    expect(ledgers).toEqual([ledger]);
    expect(existsSync(ledger.file)).toBe(true);
    expect(redactor.redact("one-token")).toBe("•••");
    expect(requests.find(({ path: to }) => to.endsWith("/sql"))?.headers["authorization"]).toBe("Bearer one-token");
  });

  test("takes a server that is too old to say whether it is set up, and its name for the user", async () => {
    const old = { "GET /v1/api/auth/status": { status: 404, body: "" } };
    expect((await session(old)).capabilities.loginField).toBe("user");
    const unknown: Said = { status: 400, body: "unknown field `user`, expected `username` or `password`" };
    const { opened, requests } = await open({ ...old, "POST /v1/api/auth/login": unknown });
    expect(opened).toMatchObject({ kind: "notKalamDb" });
    expect(requests.filter(({ path: to }) => to.endsWith("/login")).map(({ body }) => body)).toEqual([
      '{"user":"root","password":"pw"}',
      '{"username":"root","password":"pw"}',
    ]);
  });

  test.for<[string, Readonly<Record<string, Route>>]>([
    ["that is set up", {}],
    ["whose setup is closed to us", { "GET /v1/api/auth/status": { status: 403, body: { error: "forbidden" } } }],
    ["that is not set up", { "GET /v1/api/auth/status": { status: 428, body: "" } }],
  ])("opens without a login at a KalamDB %s, tells it by its refusal, and sends no token", async ([, routes]) => {
    const refusal = { status: "error", results: [], error: { code: "MISSING_AUTHORIZATION", message: "no" } };
    const refused = { "SELECT 1": { status: 401, body: refusal }, ...routes };
    const { login, capabilities, requests, accounts } = await session(refused, { credentials: { kind: "none" } });
    expect([login, capabilities.version, capabilities.settings]).toEqual([null, "0.4.3-rc.4", {}]);
    expect(requests.map(({ method, path: to }) => `${method} ${to}`)).toEqual([
      "GET /v1/api/auth/status",
      "POST /v1/api/sql",
      "GET /health",
    ]);
    expect(requests.filter(({ headers }) => "authorization" in headers)).toEqual([]);
    await expect(accounts.fresh("user")).rejects.toThrow(/only be created with a login/);
  });

  test.for([401, 403, 404, 405])("opens where setup is closed to remote clients, with status %d", async (status) => {
    const routes = { "GET /v1/api/auth/status": { status, body: { error: "forbidden" } } };
    expect((await session(routes)).login?.name).toBe("root");
    const credentials = { kind: "token", token: tokenOf({ sub: "ci", role: "service" }) } as const;
    expect((await session(routes, { credentials })).login?.name).toBe("ci");
  });

  test("never gives out the same name twice", async () => {
    const { nextName } = await session();
    expect([nextName(), nextName(), nextName()]).toEqual(["kr_k7f3a_1", "kr_k7f3a_2", "kr_k7f3a_3"]);
  });

  test("counts what it was told about going too fast, also from the senders of checks", async () => {
    const opened = await session({ SELECT: { status: 429, body: { error: "RATE_LIMIT_EXCEEDED" } } });
    expect(opened.rate).toEqual({ refusals: 0, banned: false });
    await opened.sender.sql(opened.login, "SELECT 1", { expectRate: true });
    expect(opened.rate).toEqual({ refusals: 1, banned: false });
    opened.parts.onRate?.("IP_BANNED");
    expect(opened.rate).toEqual({ refusals: 2, banned: true });
  });
});

describe("capabilities are asked", () => {
  test("the version of health, else of the statistics, else none", async () => {
    const closed: Said = { status: 403, body: "" };
    expect((await session()).capabilities.version).toBe("0.4.3-rc.4");
    expect((await session({ "GET /health": closed })).capabilities.version).toBe("0.9.9");
    expect((await session({ "GET /health": closed, "system.stats": denied })).capabilities.version).toBeUndefined();
    expect(
      (await session({ "GET /health": "timeout", "system.stats": table(["version"], []) })).capabilities.version,
    ).toBeUndefined();
  });

  test("the settings, none where they may not be read", async () => {
    const rows = [["server.port", "8080"], ["a", "b"]]; // prettier-ignore
    const { capabilities } = await session({ "system.settings": table(["name", "value"], rows) });
    expect(capabilities.settings).toEqual({ "server.port": "8080", a: "b" });
    expect((await session({ "system.settings": denied })).capabilities.settings).toEqual({});
  });
});

describe("with a token", () => {
  const token = tokenOf({ sub: "ci", role: "service" });
  const credentials = { kind: "token", token } as const;

  test("nobody logs in; the server says which role it has", async () => {
    const { login, requests, redactor } = await session({}, { credentials });
    expect(login).toEqual({ name: "ci", role: "dba" });
    expect(requests.filter(({ path: to }) => to.endsWith("/login"))).toEqual([]);
    expect(requests[1]).toMatchObject({ path: "/v1/api/auth/me", headers: { authorization: `Bearer ${token}` } });
    expect(redactor.redact(token)).toBe("•••");
  });

  test("the role is the token's where the server does not say", async () => {
    const { login } = await session({ "GET /v1/api/auth/me": { status: 404, body: "" } }, { credentials });
    expect(login).toEqual({ name: "ci", role: "service" });
  });

  test("SQL decides where nothing else was an answer of KalamDB's", async () => {
    const closed: Said = { status: 403, body: "Forbidden" };
    const routes = { "GET /v1/api/auth/status": closed, "GET /v1/api/auth/me": closed };
    const { login } = await session(routes, { credentials });
    expect(login).toEqual({ name: "ci", role: "service" });
    expect((await open({ ...routes, SELECT: closed }, { credentials })).opened).toMatchObject({ kind: "notKalamDb" });
    const expired: Said = { status: 401, body: { status: "error", error: { code: "INVALID_CREDENTIALS" } } };
    expect((await open({ ...routes, SELECT: expired }, { credentials })).opened).toMatchObject({ kind: "denied" });
  });

  test("a refused one is denied, one without an answer or a role is unclear", async () => {
    const me = "GET /v1/api/auth/me";
    for (const status of [401, 403]) {
      const { opened } = await open({ [me]: { status, body: { error: "unauthorized" } } }, { credentials });
      expect(opened).toMatchObject({ kind: "denied", sentence: expect.stringContaining(`${status}`) as string });
    }
    const sick = await open({ [me]: { status: 503, body: "starting" } }, { credentials });
    expect(sick.opened).toMatchObject({
      kind: "notKalamDb",
      sentence: expect.stringContaining("503 starting") as string,
    });
    expect((await open({ [me]: "reset" }, { credentials })).opened).toMatchObject({ kind: "notKalamDb" });
    const opaque = { kind: "token", token: "opaque-token" } as const;
    expect((await open({ [me]: { status: 200, body: "{}" } }, { credentials: opaque })).opened).toMatchObject({
      kind: "notKalamDb",
    });
  });
});

describe("the pace", () => {
  /** How many of as many requests as one likes leave in the first second. */
  async function inFirstSecond(
    opened: Session & Omit<Opened, "opened">,
    send: (name: string) => Promise<unknown>,
  ): Promise<number> {
    await vi.advanceTimersByTimeAsync(10_000);
    const began = performance.now();
    const all = Promise.all(Array.from({ length: 150 }, async (_, at) => await send(`account-${at}`)));
    await vi.runAllTimersAsync();
    await all;
    return opened.requests.filter(({ at }) => at >= began && at < began + 1000).length;
  }
  const settings = (name: string, value: string): Readonly<Record<string, Route>> => ({
    "system.settings": table(["name", "value"], [[`rate_limit.${name}`, value]]),
  });
  const queries = async (opened: Awaited<ReturnType<typeof session>>): Promise<number> =>
    await inFirstSecond(opened, async () => await opened.sender.sql(opened.login, "SELECT 1"));
  const elsewhere = { url: "http://db.example.com" };

  test("of one account is half of what the server allows, or of its default", async () => {
    expect(await queries(await session(settings("max_queries_per_sec", "40")))).toBeLessThanOrEqual(20);
    expect(await queries(await session({ "system.settings": denied }))).toBeLessThanOrEqual(50);
    for (const odd of ["0", "-1", "many", "Infinity"]) {
      const count = await queries(await session(settings("max_queries_per_sec", odd)));
      expect(count).toBeLessThanOrEqual(50);
      expect(count).toBeGreaterThan(40);
    }
  });

  test("of logins is half of what the server allows", async () => {
    const opened = await session(settings("max_auth_requests_per_ip_per_sec", "10"));
    const count = await inFirstSecond(
      opened,
      async () => await opened.sender.request(null, { method: "POST", path: "/v1/api/auth/login" }),
    );
    expect(count).toBeLessThanOrEqual(5);
  });

  test("of the address counts only from elsewhere", async () => {
    const limits = settings("max_requests_per_ip_per_sec", "60");
    const health = async (opened: Session): Promise<unknown> =>
      await opened.sender.request(null, { method: "GET", path: "/health" });
    const local = await session(limits);
    expect(await inFirstSecond(local, async () => await health(local))).toBe(150);
    for (const status of [401, 403]) {
      const published = await session({ ...limits, "GET /v1/api/auth/status": { status, body: "" } });
      expect(await inFirstSecond(published, async () => await health(published))).toBeLessThanOrEqual(30);
    }
    const remote = await session(limits, elsewhere);
    expect(await inFirstSecond(remote, async () => await health(remote))).toBeLessThanOrEqual(30);
  });

  test("lets no more requests leave than there are connections", async () => {
    const opened = await session({}, { connections: 3 });
    let [underWay, most] = [0, 0];
    const { exchange } = opened.wire;
    opened.wire.exchange = async (request) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, 500));
      underWay -= 1;
      return await exchange(request);
    };
    const own = opened.sender.sql(opened.login, "SELECT 1", { ownConnection: true });
    expect(
      await inFirstSecond(opened, async (name) => await opened.sender.sql({ name, role: "user" }, "SELECT 1")),
    ).toBe(3);
    await own;
    // Those of the pool, and at most the one on its own connection.
    expect([3, 4]).toContain(most);
  });

  test("of the whole run is never above the user's own ceiling", async () => {
    for (const maxPerSecond of [1, 2, 7.5, 10]) {
      const opening = session({}, { maxPerSecond });
      await vi.runAllTimersAsync();
      const opened = await opening;
      const count = await inFirstSecond(
        opened,
        async (name) => await opened.sender.sql({ name, role: "user" }, "SELECT 1"),
      );
      expect(count).toBeLessThanOrEqual(maxPerSecond);
      expect(count).toBeGreaterThan(0);
    }
  });
});

test("loopback is loopback by its address, not by its beginning", () => {
  for (const near of ["http://localhost:8080", "http://127.0.0.1", "http://127.8.9.1:1", "http://[::1]:8080"]) {
    expect(isLoopback(near)).toBe(true);
  }
  for (const far of [
    "http://10.0.0.1",
    "http://127.example.com",
    "http://127.0.0.1.example.com",
    "http://localhost.example.com",
    "http://[::2]",
  ]) {
    expect(isLoopback(far)).toBe(false);
  }
});
