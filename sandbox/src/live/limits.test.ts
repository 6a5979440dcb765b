import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { OwnServer } from "../../../src/control/process.ts";
import { startSandbox } from "../../../test/sandbox.ts";
import { signIn, type Client } from "../client.ts";
import { lastVersion, Listener } from "./listener.ts";

/** They wait for a process of its own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 30_000 });

const password = "Pass-word-1234";
const allowedOrigin = "https://app.example";
let sandbox: OwnServer;
let root: Client;
/** A new user for each test, so that none sees what an earlier one left open. */
let alice: Client;
let name: string;
let tests = 0;

beforeAll(async () => {
  sandbox = await startSandbox({
    changes: {
      "rate_limit.max_queries_per_sec": 100_000,
      "websocket.client_timeout_secs": 1,
      "websocket.auth_timeout_secs": 1,
      "websocket.max_backlog_bytes": 1_000_000,
      "security.max_ws_message_size": 10_000,
      "security.cors.allowed_origins": allowedOrigin,
    },
  });
  root = await signIn(sandbox.url, "root", sandbox.rootPassword);
  await root.rows("CREATE NAMESPACE n");
  await root.rows("CREATE TABLE n.t (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')");
});

beforeEach(async () => {
  tests += 1;
  name = `alice${tests}`;
  await root.rows(`CREATE USER '${name}' WITH PASSWORD '${password}' ROLE user`);
  alice = await signIn(sandbox.url, name, password);
});

afterAll(async () => {
  await sandbox.stop();
});

const login = (token: string, more = {}): unknown => ({
  type: "authenticate",
  method: "jwt",
  token,
  protocol: { serialization: "json", compression: "none" },
  ...more,
});

test("a client without a login gets nothing but the reason", async () => {
  const open = async (headers?: Readonly<Record<string, string>>): Promise<Listener> =>
    await Listener.open(sandbox.url, headers);
  const silent = await open();
  const subscribes = await open();
  expect(await subscribes.subscribe("s", "SELECT * FROM n.t", {})).toMatchObject({ code: "AUTH_REQUIRED" });
  subscribes.send({ type: "next_batch", subscription_id: "s" });
  const ended = [
    [1008, "Authentication failed", await open(), login("garbage")],
    [1008, "Authentication failed", await open(), login(alice.token.replace(/.$/, ""))],
    [1011, "Invalid message: missing field `protocol`", await open(), login(alice.token, { protocol: undefined })],
    [1011, "Invalid message: expected value at line 1 column 1", await open(), "hello"],
    [
      1011,
      "Invalid message: unknown variant `msgpack`, expected `json`",
      await open(),
      login("", { protocol: { serialization: "msgpack", compression: "none" } }),
    ],
  ] as const;
  for (const [code, reason, listener, message] of ended) {
    listener.send(message);
    expect(await listener.closed).toEqual([code, reason]);
    expect(listener.frames.every(({ type }) => type === "auth_error")).toBe(true);
  }
  const bad = await open({ authorization: "Bearer garbage" });
  expect([await bad.closed, bad.frames]).toMatchObject([[1008, "Authentication failed"], [{ type: "auth_error" }]]);
  // The others ran into the timeout.
  for (const listener of [silent, subscribes]) expect(await listener.closed).toEqual([1008, "Authentication timeout"]);
  expect(silent.frames).toMatchObject([{ type: "auth_error", message: expect.stringContaining("timeout") as string }]);
  expect(subscribes.frames).toHaveLength(2);
});

test("a login comes as the first message or with the upgrade, and may be repeated", async () => {
  const first = await Listener.logIn(sandbox.url, alice);
  const protocol = { serialization: "json", compression: "none" };
  expect(first.frames).toMatchObject([{ type: "auth_success", user: name, role: "user", protocol }]);
  first.send(login(alice.token));
  await first.fence();
  expect(first.frames[1]).toMatchObject({ type: "auth_success", user: name });
  first.send(login("garbage"));
  expect(await first.closed).toEqual([1008, "Authentication failed"]);
  const header = { authorization: `Bearer ${alice.token}` };
  for (const [path, compression] of [
    ["/v1/ws", "gzip"],
    ["/v1/ws?compression=none", "none"],
  ] as const) {
    const upgraded = await Listener.open(sandbox.url, header, path);
    await upgraded.fence();
    expect(upgraded.frames[0]).toMatchObject({ type: "auth_success", protocol: { compression } });
  }
});

test("where origins are configured, only those can connect", async () => {
  const refused = async (headers: Readonly<Record<string, string>>, path?: string): Promise<number | undefined> => {
    const listener = new Listener(sandbox.url, headers, path);
    const [, response] = (await once(listener.socket, "unexpected-response")) as [unknown, { statusCode?: number }];
    return response.statusCode;
  };
  const preflight = async (origin: string): Promise<unknown[]> => {
    const headers = { origin, "access-control-request-method": "POST" };
    const answer = await fetch(`${sandbox.url}/v1/api/sql`, { method: "OPTIONS", headers });
    return [answer.status, answer.headers.get("access-control-allow-origin")];
  };
  expect(await preflight(allowedOrigin)).toEqual([200, allowedOrigin]);
  expect(await preflight("https://evil.example")).toEqual([400, null]);
  expect(await refused({ origin: "https://evil.example" })).toBe(403);
  expect(await refused({}, "/v1/other")).toBe(404);
  for (const headers of [{ origin: allowedOrigin }, {}]) {
    const listener = await Listener.open(sandbox.url, headers);
    listener.send(login(alice.token));
    await listener.until(() => listener.frames.some(({ type }) => type === "auth_success"));
  }
});

test("an idle connection is closed with a reason; pings of either kind keep it open", async () => {
  const [silent, pings, says] = [
    await Listener.logIn(sandbox.url, alice),
    await Listener.logIn(sandbox.url, alice),
    await Listener.logIn(sandbox.url, alice),
  ];
  await pings.subscribe("p", "SELECT id FROM n.t WHERE id = 900");
  for (const listener of [silent, says]) listener.fallSilent();
  const timer = setInterval(() => says.send({ type: "ping" }), 200);
  expect(await silent.closed).toEqual([1000, "Heartbeat timeout"]);
  await root.rows("INSERT INTO n.t (id) VALUES (900)");
  await Promise.all([pings.fence(), says.fence()]);
  clearInterval(timer);
  expect(pings.changes("p")).toHaveLength(1);
});

test("the limit of live queries counts all connections of a user, and each that ends frees a slot", async () => {
  const [one, two] = [await Listener.logIn(sandbox.url, alice), await Listener.logIn(sandbox.url, alice)];
  const others = await Listener.logIn(sandbox.url, root);
  const sql = "SELECT id FROM n.t";
  const tries = async (listener: Listener, id: string): Promise<string> => {
    const { type, code } = await listener.subscribe(id, sql);
    return code ?? type;
  };
  for (let n = 0; n < 10; n += 1) expect(await tries(n % 2 === 0 ? one : two, `s${n}`)).toBe("subscription_ack");
  expect(await tries(one, "more")).toBe("SUBSCRIPTION_LIMIT_EXCEEDED");
  expect(await tries(others, "s")).toBe("subscription_ack");
  // Unknown ids free no slot, and refused subscriptions take none.
  for (const id of ["never", "more", "s1"]) one.send({ type: "unsubscribe", subscription_id: id });
  expect(await tries(one, "more")).toBe("SUBSCRIPTION_LIMIT_EXCEEDED");
  one.send({ type: "unsubscribe", subscription_id: "s0" });
  expect(await tries(one, "more")).toBe("subscription_ack");
  expect(await tries(one, "s0")).toBe("SUBSCRIPTION_LIMIT_EXCEEDED");
  two.socket.terminate();
  await expect.poll(async () => await tries(one, "s0")).toBe("subscription_ack");
});

test("an invalid live query is refused, and the connection stays open", async () => {
  const listener = await Listener.logIn(sandbox.url, alice);
  await root.rows("CREATE TABLE n.p (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')");
  for (const [sql, code] of [
    ["SELECT * FROM n.nope", "NOT_FOUND"],
    ["SELECT * FROM t", "INVALID_SQL"],
    ["SELECT * FROM n.p", "UNAUTHORIZED"],
    ["SELECT * FROM system.users", "UNAUTHORIZED"],
    ["SELECT * FROM system.nope", "UNAUTHORIZED"],
    ["SELECT * FROM n.t WHERE id IN (SELECT id FROM n.p)", "INVALID_SQL"],
    ["SELECT id + 1 FROM n.t", "INVALID_SQL"],
    ["SELECT id AS x FROM n.t", "INVALID_SQL"],
    ["SELECT id, id FROM n.t", "INVALID_SQL"],
    ["SELECT COUNT(*) FROM n.t", "INVALID_SQL"],
    ["SELECT DISTINCT id FROM n.t", "INVALID_SQL"],
    ["SELECT * FROM n.t OFFSET 1", "INVALID_SQL"],
    ["SELECT * FROM n.t, n.p", "INVALID_SQL"],
    ["SELECT * FROM n.t FOR UPDATE", "INVALID_SQL"],
    ["WITH x AS (SELECT 1) SELECT * FROM n.t", "INVALID_SQL"],
    ["SELECT * FROM n.t WHERE true) OR (true", "INVALID_SQL"],
    ["SELECT * FROM n.t WHERE id = 1 -- \n; DROP TABLE n.t", "INVALID_SQL"],
    [`SELECT * FROM n.t WHERE ${"(".repeat(100)}1=1${")".repeat(100)}`, "INVALID_SQL"],
    ["SELECT * FROM n.t WHERE nope = 1", "SUBSCRIPTION_FAILED"],
    ["SELECT nope FROM n.t", "SUBSCRIPTION_FAILED"],
    ["SELECT * FROM n.t WHERE id = 'abc'", "SUBSCRIPTION_FAILED"],
    ["SELECT * FROM n.t WHERE set_config('kalam.uid', 'root', false) = ''", "SUBSCRIPTION_FAILED"],
    ["SELECT * FROM n.t WHERE pg_catalog.set_config('kalam.uid', 'root', false) = ''", "INVALID_SQL"],
    ["SELECT * FROM kalam_rows.t", "NOT_FOUND"],
  ])
    expect(await listener.subscribe("s", sql ?? ""), `for ${sql}`).toMatchObject({
      type: "error",
      code,
      subscription_id: "s",
    });
  for (const [options, code] of [
    [{ nope: 1 }, "UNSUPPORTED"],
    [{ batch_size: 0 }, "UNSUPPORTED"],
    [{ last_rows: 1001 }, "UNSUPPORTED"],
  ] as const)
    expect(await listener.subscribe("s", "SELECT * FROM n.t", options)).toMatchObject({ type: "error", code });
  expect(await listener.subscribe(" ", "SELECT * FROM n.t")).toMatchObject({ code: "INVALID_SUBSCRIPTION_ID" });
  expect((await listener.subscribe("s", "SELECT * FROM n.t")).type).toBe("subscription_ack");
  for (const wrong of [{ last_rows: -1 }, { batch_size: "5" }, { from: "1" }, { from: 1.5 }, []]) {
    const other = await Listener.logIn(sandbox.url, alice);
    other.send({ type: "subscribe", subscription: { id: "s", sql: "SELECT * FROM n.t", options: wrong } });
    expect((await other.closed)[0], `for ${JSON.stringify(wrong)}`).toBe(1011);
  }
});

test("too many messages and too long ones are refused with their codes, without affecting other clients", async () => {
  const [many, long, other] = await Promise.all(
    [alice, alice, alice].map(async (who) => await Listener.logIn(sandbox.url, who)),
  );
  if (many === undefined || long === undefined || other === undefined) throw new Error("a listener is missing");
  for (let n = 0; n < 60; n += 1) many.socket.ping();
  for (let n = 0; n < 200; n += 1) many.send({ type: "unsubscribe", subscription_id: `none${n}` });
  await many.until(() => many.frames.filter(({ code }) => code === "RATE_LIMIT_EXCEEDED").length > 100);
  // WebSocket pings are not messages.
  expect(many.frames.length).toBeLessThanOrEqual(1 + 151);
  many.socket.send(Buffer.from("binary"));
  long.send({ type: "ping", padding: "x".repeat(9000) });
  await long.fence();
  long.send({ type: "ping", padding: "x".repeat(10_000) });
  expect(await long.closed).toEqual([1009, "Message exceeds maximum size of 10000 bytes"]);
  expect(long.frames.at(-1)?.code).toBe("MESSAGE_TOO_LARGE");
  other.socket.send(Buffer.from("binary"));
  await other.fence();
  expect(other.frames.at(-2)).toMatchObject({ subscription_id: "protocol", code: "UNSUPPORTED_DATA" });
});

test("a slow reader is disconnected with an error, others get everything, and resuming closes the gap", async () => {
  const [slow, quick] = [await Listener.logIn(sandbox.url, alice), await Listener.logIn(sandbox.url, alice)];
  const sql = "SELECT id, v FROM n.t WHERE id >= 10000";
  for (const listener of [slow, quick]) await listener.subscribe("s", sql, {});
  slow.socket.pause();
  const ids = Array.from({ length: 40 }, (_, index) => String(10_000 + index));
  for (const id of ids) await root.rows(`INSERT INTO n.t (id, v) VALUES (${id}, '${"x".repeat(500_000)}')`);
  await quick.fence();
  expect(quick.changes("s").map(({ rows }) => rows?.[0]?.["id"])).toEqual(ids);
  expect(slow.changes("s")).toEqual([]);
  slow.socket.resume();
  expect(await slow.closed).toEqual([1013, "Too slow"]);
  const got = slow.changes("s").map(({ rows }) => rows?.[0]?.["id"]);
  expect(got).toEqual(ids.slice(0, got.length));
  expect(got.length).toBeLessThan(ids.length);
  expect(slow.frames.at(-1)).toMatchObject({ type: "error", code: "SLOW_READER", subscription_id: "s" });
  const again = await Listener.logIn(sandbox.url, alice);
  await again.resume("s", sql, lastVersion(slow.of("s")));
  await again.fence();
  expect(again.of("s")[1]?.rows?.map(({ id }) => id)).toEqual(ids.slice(got.length));
});

test("a stopping server closes connections with a reason, and does not wait for unresponsive clients", async () => {
  const [fine, stuck] = [await Listener.logIn(sandbox.url, alice), await Listener.logIn(sandbox.url, alice)];
  await fine.subscribe("s", "SELECT id FROM n.t");
  stuck.socket.pause();
  expect(await sandbox.stop()).toBe(0);
  expect(await fine.closed).toEqual([1001, "Server shutting down"]);
  stuck.socket.terminate();
});
