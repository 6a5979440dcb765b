import { createServer, type AddressInfo, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { selfSigned } from "../../../test/certificates.ts";
import { listen } from "../../../test/listening.ts";
import { postgresOf } from "./client.ts";
import type { PostgresCall, PostgresOutcome, PostgresPlace } from "./postgres.ts";

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

function message(type: string, body: Uint8Array | string): Buffer {
  const content = Buffer.from(body as Uint8Array);
  const head = Buffer.alloc(5, type, "latin1");
  head.writeInt32BE(content.byteLength + 4, 1);
  return Buffer.concat([head, content]);
}
const asks = (code: number): Buffer => message("R", Buffer.from([0, 0, 0, code]));
const ready = message("Z", "I");
const refusal = message("E", "SFATAL\0C28P01\0Mno\0\0");
const rowOf = (text: string): Buffer =>
  Buffer.concat([
    message("T", Buffer.concat([Buffer.from([0, 1]), Buffer.from("v\0"), Buffer.alloc(18)])),
    message("D", Buffer.concat([Buffer.from([0, 1, 0, 0, 0, text.length]), Buffer.from(text)])),
    message("C", "SELECT 1\0"),
    ready,
  ]);

/** What the server is given after the request for TLS, and what it says to each. */
interface Server {
  readonly place: PostgresPlace;
  readonly heard: string[];
}

async function server(
  answers: readonly (Buffer | "close" | "silence")[],
  tls?: { cert: string; key: string },
): Promise<Server> {
  const heard: string[] = [];
  const speak = (socket: Socket | TLSSocket): void => {
    let at = 0;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      heard.push(chunk.toString("latin1"));
      const answer = answers[at];
      at += 1;
      if (answer === "close") socket.end();
      else if (Buffer.isBuffer(answer)) socket.write(answer);
    });
  };
  const listening = createServer((socket) => {
    socket.once("data", () => {
      socket.write(tls === undefined ? "N" : "S");
      if (tls === undefined) speak(socket);
      else speak(new TLSSocket(socket, { isServer: true, ...tls }));
    });
  });
  await listen(listening, ending);
  return { place: { host: "127.0.0.1", port: (listening.address() as AddressInfo).port }, heard };
}

const login = { user: "ann", password: "pass-word", isSecret: true } as const;
const base = { login, queries: [], timeoutMs: 2_000 } as const;
const call = async (
  at: PostgresPlace,
  change: Partial<PostgresCall> = {},
  trust: Parameters<typeof postgresOf>[0] = {},
): Promise<PostgresOutcome> => await postgresOf(trust).call({ ...base, at, ...change });
const elsewhere = { isLoopback: () => false };

test("a login and queries, and the end is said", async () => {
  const { place, heard } = await server([asks(3), Buffer.concat([asks(0), ready]), rowOf("17"), rowOf("18")]);
  let during = "";
  const outcome = await call(place, {
    queries: ["SELECT 17", "SELECT 18"],
    meanwhile: async () => {
      await Promise.resolve();
      during = heard.at(-1) ?? "";
    },
  });
  expect(outcome).toEqual({
    kind: "reached",
    tls: "none",
    asks: "clearText",
    login: { kind: "in" },
    results: ["17", "18"].map((v) => ({ kind: "rows", columns: ["v"], rows: [[v]] })),
  });
  expect(during).toContain("SELECT 18");
  await expect.poll(() => heard.at(-1)).toMatch(/^X/);
});

test("a refusal is told with its code, and a failed query does not end the rest", async () => {
  const refused = await server([asks(3), refusal]);
  expect(await call(refused.place)).toMatchObject({ login: { kind: "refused", code: "28P01", message: "no" } });
  const failing = await server([asks(3), Buffer.concat([asks(0), ready]), Buffer.concat([refusal, ready]), rowOf("x")]);
  expect(await call(failing.place, { queries: ["SELEC", "SELECT 'x'"] })).toMatchObject({
    login: { kind: "in" },
    results: [
      { kind: "refused", code: "28P01" },
      { kind: "rows", rows: [["x"]] },
    ],
  });
});

test("a password that opens something is not sent where others can read it", async () => {
  const { place, heard } = await server([asks(3), refusal]);
  expect(await call(place, {}, elsewhere)).toMatchObject({
    tls: "none",
    asks: "clearText",
    login: { kind: "withheld" },
  });
  const unverified = await server([asks(3), refusal], selfSigned({ names: ["127.0.0.1"] }));
  expect(await call(unverified.place, {}, elsewhere)).toMatchObject({ tls: "unverified", login: { kind: "withheld" } });
  expect([...heard, ...unverified.heard].join("")).not.toContain("pass-word");
  // One that opens nothing may be.
  const wrong = { ...login, isSecret: false };
  expect(await call(place, { login: wrong }, elsewhere)).toMatchObject({ login: { kind: "refused" } });
  expect(heard.join("")).toContain("pass-word");
});

test("over TLS with a certificate that is trusted it is sent", async () => {
  const certificate = selfSigned({ names: ["127.0.0.1"] });
  const { place, heard } = await server([asks(3), Buffer.concat([asks(0), ready])], certificate);
  const context = createSecureContext({ ca: certificate.cert });
  expect(await call(place, {}, { ...elsewhere, context })).toMatchObject({ tls: "verified", login: { kind: "in" } });
  expect(heard.join("")).toContain("pass-word");
});

test("no password is sent that is asked for in another way", async () => {
  const { place, heard } = await server([asks(10)]);
  expect(await call(place)).toMatchObject({ asks: "sasl", login: { kind: "withheld" } });
  expect(heard.join("")).not.toContain("pass-word");
});

test("a server that asks for no password lets in whoever has a name", async () => {
  const { place } = await server([Buffer.concat([asks(0), ready])]);
  expect(await call(place)).toMatchObject({ asks: "nothing", login: { kind: "in" } });
});

test.for<[string, readonly (Buffer | "close" | "silence")[], object]>([
  ["closes", ["close"], { kind: "broken", because: "closed" }],
  ["closes after the password", [asks(3), "close"], { kind: "broken", because: "closed" }],
  ["says nothing", ["silence"], { kind: "broken", because: "timeout" }],
  ["speaks another protocol", [Buffer.from("HTTP/1.1 400\r\n\r\n")], { kind: "broken", because: "protocol" }],
])("a server that %s is told apart", async ([, answers, expected]) => {
  const { place } = await server(answers);
  expect(await call(place, { timeoutMs: 300 })).toMatchObject({ kind: "reached", login: expected });
});

test("what does not answer a request for TLS speaks another protocol", async () => {
  const other = createServer((socket) => {
    socket.on("error", () => undefined).once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  await listen(other, ending);
  const place = { host: "127.0.0.1", port: (other.address() as AddressInfo).port };
  expect(await call(place)).toMatchObject({ kind: "foreign" });
  expect(await call(place, { login: { ...login, isSecret: false } })).toMatchObject({ kind: "foreign" });
});

test("more than one byte before TLS is not taken for something said over TLS", async () => {
  const hasty = createServer((socket) => {
    socket
      .on("error", () => undefined)
      .once("data", () => socket.write(Buffer.concat([Buffer.from("S"), asks(0), ready])));
  });
  await listen(hasty, ending);
  const place = { host: "127.0.0.1", port: (hasty.address() as AddressInfo).port };
  expect(await call(place)).toMatchObject({ login: { kind: "broken", because: "protocol" } });
});

test("nothing listens there", async () => {
  const closed = createServer();
  closed.listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, "close");
  const place = { host: "127.0.0.1", port };
  expect(await call(place)).toMatchObject({
    kind: "unreached",
    detail: `nothing listens on 127.0.0.1:${port} (ECONNREFUSED)`,
  });
});

test("an abort ends it", async () => {
  const { place } = await server(["silence"]);
  const over = new AbortController();
  const outcome = call(place, { signal: over.signal, timeoutMs: 20_000 });
  setTimeout(() => over.abort("the check is over"), 50);
  expect(await outcome).toMatchObject({ login: { kind: "broken", because: "aborted", detail: "the check is over" } });
});
