/** The way to the server: TLS, proxies, headers for a gateway, and a path that the server is served under. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { createServer as createHttps, type ServerOptions } from "node:https";
import { createServer as createTcp } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import type { Report } from "../src/report.ts";
import { authority, selfSigned, type Certificate, type CertificateOptions } from "./certificates.ts";
import { cli, type CliResult } from "./cli.ts";
import { forwardProxy } from "./forward-proxy.ts";
import { listen } from "./listening.ts";
import { proxyTo, type ProxyOptions } from "./proxy.ts";
import { kalamStandIn, startSandbox } from "./sandbox.ts";

/** Runs of the command line, on a machine that may be busy. */
vi.setConfig({ testTimeout: 90_000 });

const ca = authority();
const client = ca.issue({ names: ["kalam-ready"] });
const stranger = authority("Another CA").issue();
const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-way-"));
const file = (name: string): string => path.join(folder, name);
const state = file("state");
const files = {
  "ca.pem": ca.cert,
  "client.pem": client.cert,
  "client.key": client.key,
  "stranger.pem": stranger.cert,
  "stranger.key": stranger.key,
  "damaged.pem": ca.cert.replace(/\n[A-Za-z]{4}/, "\n!!!!").replace("!!!!", "AAAA"),
  "encrypted.key": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIH=\n-----END ENCRYPTED PRIVATE KEY-----\n",
};

let server: OwnServer;
beforeAll(async () => {
  for (const [name, text] of Object.entries(files)) writeFileSync(file(name), text);
  server = await startSandbox();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

async function front(options: ProxyOptions): Promise<string> {
  const proxy = await proxyTo(server.url, options);
  ending.push(async () => await proxy.close());
  return proxy.url;
}
const secured = ({ cert, key }: Certificate = ca.issue(), rest: ServerOptions = {}): ProxyOptions => ({
  tls: { cert, key, ...rest },
});

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

async function run(words: readonly string[], { env = {}, ...rest }: Options = {}): Promise<CliResult> {
  const login = { KALAM_READY_USER: "root", KALAM_READY_PASSWORD: server.rootPassword };
  return await cli([...words, "--debug"], { env: { ...login, KALAM_READY_STATE: state, ...env }, ...rest });
}
const few = ["--only", "configuration/answers-sql", "--only", "subscriptions/no-change-twice"];
const one = few.slice(0, 2);
/** One that makes a namespace. */
const scratch = ["--only", "configuration/namespaces-kept-apart"];
const check = async (url: string, words: readonly string[] = few, options: Options = {}): Promise<CliResult> =>
  await run(["check", "--url", url, ...words], options);

const codesOf = ({ stderr }: CliResult): string[] => [...stderr.matchAll(/\[(\w+)\]$/gm)].map(([, code = ""]) => code);
function expectReady({ code, stdout, stderr }: CliResult, passed = 2): void {
  expect(stderr).not.toMatch(/^kalam-ready:/m);
  expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`\\nREADY {3}${passed} passed`)) as string]);
  expect(readdirSync(state)).toEqual([]);
}

describe("a server that speaks TLS", () => {
  test("is trusted by its CA, for requests and live queries: by flag, by variable, by a profile beside the file", async () => {
    const url = await front(secured());
    writeFileSync(file("gate.yaml"), `version: 1\nserver: ${url}\ntls: { ca-file: ca.pem }\n`);
    expectReady(await check(url, [...few, "--ca-file", file("ca.pem")]));
    expectReady(await check(url, one, { env: { KALAM_READY_CA_FILE: file("ca.pem") } }), 1);
    expectReady(await run(["check", "--profile", file("gate.yaml"), ...one]), 1);
    const { code } = await check(url, one, { env: { NODE_EXTRA_CA_CERTS: file("ca.pem") } });
    expect(code).toBe(0);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("and demands a client certificate gets it (%s)", async (maxVersion) => {
    const url = await front(
      secured(ca.issue(), { ca: ca.cert, requestCert: true, rejectUnauthorized: true, maxVersion }),
    );
    const trusted = ["--ca-file", file("ca.pem")];
    const mine = ["--client-cert", file("client.pem"), "--client-key", file("client.key")];
    expectReady(await check(url, [...few, ...trusted, ...mine]));
    const without = await check(url, [...one, ...trusted]);
    expect(without.stderr).toMatch(/demands? a client certificate.*--client-cert and --client-key/);
    expect(without.code).toBe(76);
    const others = ["--client-cert", file("stranger.pem"), "--client-key", file("stranger.key")];
    const rejected = await check(url, [...one, ...trusted, ...others]);
    expect(rejected.stderr).toContain("rejected the client certificate");
    expect([69, 76]).toContain(rejected.code);
  });

  test("and is not verified is never plain READY", async () => {
    const url = await front(secured(selfSigned()));
    const loud = /^kalam-ready: warning: the certificate of https:\S+ is not verified/m;
    const { code, stdout, stderr } = await check(url, [...few, "--insecure", "-q"]);
    expect(stderr).toMatch(loud);
    expect(stdout).toMatch(/^kalam-ready .* https:\S+ \(certificate not verified\) /);
    expect(stdout).toMatch(/! +.*The server's certificate was not verified/);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/\nREADY, WITH WARNINGS {3}2 passed {2}1 warned/) as string,
    ]);
    const asJson = await check(url, [...one, "--json"], { env: { KALAM_READY_INSECURE: "true" } });
    expect(asJson.stderr).toMatch(loud);
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      verdict: "READY, WITH WARNINGS",
      server: { insecure: true },
      totals: { passed: 1, warned: 1 },
      reasons: ["run/certificate-verified warns"],
    });
    const strict = await check(url, [...one, "--insecure", "--fail-on", "warn", "--report", "junit"]);
    expect([strict.code, strict.stdout]).toEqual([1, expect.stringMatching(/<failure [^>]*notVerified/) as string]);
  });

  test("is verified whatever NODE_TLS_REJECT_UNAUTHORIZED says", async () => {
    const url = await front(secured(selfSigned()));
    const { code, stderr } = await check(url, one, { env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } });
    expect([code, stderr]).toEqual([76, expect.stringContaining("self-signed") as string]);
  });

  test("is cleaned up and proven on in the same way", async () => {
    const url = await front(secured());
    const trusted = ["--ca-file", file("ca.pem")];
    const kept = await check(url, [...scratch, ...trusted, "--keep"]);
    expect(kept.code).toBe(0);
    const cleaned = await run(["cleanup", "--url", url, ...trusted]);
    expect([cleaned.code, cleaned.stdout]).toEqual([0, expect.stringMatching(/^[1-9]\d* removed/m) as string]);
    const proven = await run(["prove", "configuration/answers-sql", "--url", url, ...trusted]);
    expect([proven.code, proven.stdout]).toEqual([0, expect.stringContaining("0 missed") as string]);
  });
});

describe("what is wrong with a connection is said, and whether trying again can help", () => {
  const broken = async (url: string, words: readonly string[] = ["--ca-file", file("ca.pem")]): Promise<CliResult> => {
    const result = await check(url, [...one, ...words, "--report", `json=${file("out.json")}`]);
    const all = `${result.stdout}${result.stderr}`;
    expect(all).not.toMatch(/error:[0-9A-F]{8}|SSL routines|\.c:\d|\/deps\/|EPROTO/);
    return result;
  };

  test.each<[string, (options?: CertificateOptions) => Certificate, CertificateOptions, RegExp]>([
    ["an unknown issuer", authority("Another CA").issue, {}, /unknown issuer \(\w+\); if you trust it, .* --ca-file/],
    ["a self-signed certificate", selfSigned, {}, /is self-signed \(\w+\); if you trust it, .* --ca-file/],
    ["another host", ca.issue, { names: ["db.example.com"] }, /is not for 127\.0\.0\.1, but for db\.example\.com/],
    ["an expired certificate", ca.issue, { until: "210101" }, /has expired \(CERT_HAS_EXPIRED\); renew it/],
    ["a certificate of the future", ca.issue, { from: "480101" }, /is not valid yet .* check the clock/],
  ])("%s: 76", async (_, issue, options, sentence) => {
    const { code, stderr } = await broken(await front(secured(issue(options))));
    expect([code, stderr]).toEqual([76, expect.stringMatching(sentence) as string]);
  });

  test("https:// where no TLS is spoken: 76", async () => {
    const { code, stderr } = await broken(server.url.replace("http:", "https:"));
    expect([code, stderr]).toEqual([
      76,
      expect.stringMatching(/no TLS is spoken on 127\.0\.0\.1:\d+ .*use http:/) as string,
    ]);
  });

  test("http:// where TLS is spoken, whatever the server answers to it: 76", async () => {
    const { cert, key } = ca.issue();
    const silent = createHttps({ cert, key });
    // As nginx and others do, who recognize plain HTTP; and as OpenSSL does with an alert.
    const polite = createTcp((socket) =>
      socket.once("data", (bytes: Buffer) => {
        if (bytes[0] !== 0x16) socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 4\r\n\r\nSSL?");
        else {
          socket.pause();
          socket.unshift(bytes);
          silent.emit("connection", socket);
        }
      }),
    );
    const alerting = createTcp((socket) =>
      socket.once("data", (bytes: Buffer) => {
        if (bytes[0] !== 0x16) socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 10]));
        else {
          socket.pause();
          socket.unshift(bytes);
          silent.emit("connection", socket);
        }
      }),
    );
    for (const answering of [silent, polite, alerting]) {
      const { code, stderr } = await broken(await listen(answering, ending), []);
      expect([code, stderr]).toEqual([76, expect.stringMatching(/TLS is spoken on \S+; use https:\/\//) as string]);
    }
  });

  test("a server that says so itself, as nginx does: 76", async () => {
    const body = "<center>No required SSL certificate was sent</center>";
    const url = await front({ ...secured(), instead: () => ({ status: 400, body }) });
    const { code, stderr } = await broken(url);
    expect([code, stderr]).toEqual([76, expect.stringContaining("pass --client-cert and --client-key") as string]);
  });

  test("nobody listens, no such name, nobody answers: 69", async () => {
    for (const [url, sentence] of [
      ["https://127.0.0.1:9", /nothing listens on 127\.0\.0\.1:9 \(ECONNREFUSED\)/],
      ["http://kalam-ready.invalid", /(no address is known for|cannot be resolved)/],
      [
        await listen(
          createTcp((socket) => socket.once("data", () => socket.destroy())),
          ending,
        ),
        /closed|hang up/,
      ],
    ] as const) {
      const { code, stderr } = await broken(url);
      expect([code, stderr]).toEqual([69, expect.stringMatching(sentence) as string]);
    }
  });

  test("a plain 400 is no TLS", async () => {
    const refusing = createHttp((_, response) => response.writeHead(400).end("no"));
    const { code, stderr } = await broken(await listen(refusing, ending), []);
    expect([code, stderr]).toEqual([2, expect.stringContaining("not an answer of KalamDB") as string]);
  });
});

describe("settings that cannot be meant", () => {
  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["insecureWithoutTls", ["--url", "http://127.0.0.1:9", "--insecure"], {}],
    ["insecureWithoutTls", ["--url", "http://127.0.0.1:9"], { KALAM_READY_INSECURE: "true" }],
    ["notABoolean", ["--url", "https://127.0.0.1:9"], { KALAM_READY_INSECURE: "yes" }],
    ["incompleteClientCert", ["--client-cert", file("client.pem")], {}],
    ["incompleteClientCert", ["--client-key", file("client.key")], {}],
    ["pemUnreadable", ["--ca-file", file("nowhere.pem")], {}],
    ["pemUnreadable", ["--ca-file", "/dev/zero"], {}],
    ["notPem", ["--ca-file", file("client.key")], {}],
    ["notPem", ["--ca-file", file("damaged.pem")], {}],
    ["notPem", ["--client-cert", file("client.pem"), "--client-key", file("ca.pem")], {}],
    ["notPem", ["--client-cert", file("client.pem"), "--client-key", file("stranger.key")], {}],
    ["notPem", ["--client-cert", file("client.pem"), "--client-key", file("encrypted.key")], {}],
    ["invalidProxy", [], { HTTPS_PROXY: "socks5://root:hunter22@proxy.example.com" }],
    ["headerName", ["--header", "X-Gate hunter22"], {}],
    ["emptyValue", ["--header", "X-Gate: ${env:EMPTY}"], { EMPTY: "" }],
    ["headerValue", ["--header", "X-Gate: ${env:LINES}"], { LINES: "hunter22\nHost: x" }],
    ["headerReference", ["--header", "X-Gate: hunter22 ${env:NOT_SET}"], {}],
    ["givenTwice", ["--header", "X-Gate: hunter22", "--header", "x-gate: 2"], {}],
    ["reservedHeader", ["--header", "Authorization: hunter22"], {}],
  ])("%s: 64 %j %j", async (wrong, words, env) => {
    const url = words.includes("--url") ? [] : ["--url", "https://127.0.0.1:9"];
    const result = await run(["check", ...url, ...words], { env });
    expect([result.code, result.stdout, ...codesOf(result)]).toEqual([64, "", wrong]);
    expect(result.stderr).not.toContain("hunter22");
    const named = words.find((word) => word.startsWith(folder) && word !== file("client.pem"));
    if (named !== undefined && wrong !== "incompleteClientCert") expect(result.stderr).toContain(path.basename(named));
  });

  test.each([
    ["insecureWithoutTls", "tls: { insecure: true }", "http://127.0.0.1:9"],
    ["incompleteClientCert", "tls: { client-cert: client.pem }", "https://127.0.0.1:9"],
    ["pemUnreadable", "tls: { ca-file: nowhere.pem }", "https://127.0.0.1:9"],
    ["reservedHeader", "headers: { Host: x }", "https://127.0.0.1:9"],
    ["literalSecret", "headers: { X-Api-Key: hunter22 }", "https://127.0.0.1:9"],
    ["headerValue", 'headers: { X-Gate: "a\\nb" }', "https://127.0.0.1:9"],
  ])("in a profile, %s: 78", async (wrong, line, url) => {
    writeFileSync(file("wrong.yaml"), `version: 1\nserver: ${url}\n${line}\n`);
    const result = await run(["check", "--profile", file("wrong.yaml")]);
    expect([result.code, result.stdout, ...codesOf(result)]).toEqual([78, "", wrong]);
    expect(result.stderr).toMatch(/^\S+wrong\.yaml:3/);
    expect(result.stderr).not.toContain("hunter22");
  });
});

describe("a profile that was found by itself", () => {
  test.each(["ca-file: ca.pem", "insecure: true", "{ client-cert: client.pem, client-key: client.key }"])(
    "does not decide how a server is verified: %s",
    async (line) => {
      const cwd = file("checkout");
      mkdirSync(cwd, { recursive: true });
      const written = line.startsWith("{") ? line : `{ ${line} }`;
      writeFileSync(path.join(cwd, "kalam-ready.yaml"), `version: 1\ntls: ${written}\n`);
      const result = await run(["check", "--url", "https://192.0.2.1"], { cwd });
      expect([result.code, result.stdout, ...codesOf(result)]).toEqual([78, "", "untrustedServer"]);
      expect(result.stderr).toMatch(/^kalam-ready\.yaml:2: tls: .*--profile \.\/kalam-ready\.yaml/);
    },
  );

  test("sends no header to a server that it chose", async () => {
    const cwd = file("checkout");
    mkdirSync(cwd, { recursive: true });
    const profile = 'version: 1\nserver: http://192.0.2.1\nheaders: { X-Gate: "${env:AWS_SECRET}" }\n';
    writeFileSync(path.join(cwd, "kalam-ready.yaml"), profile);
    const result = await run(["check"], { cwd, env: { AWS_SECRET: "not-for-you-1" } });
    expect([result.code, result.stdout, ...codesOf(result)]).toEqual([78, "", "untrustedServer"]);
    expect(result.stderr).not.toContain("not-for-you-1");
  });
});

describe("a proxy on the way", () => {
  const login = "user:pr%40xy-pass-1";
  const plain = "user:pr@xy-pass-1";

  test("passes on plain HTTP as requests, and live queries through a tunnel", async () => {
    const proxy = await forwardProxy({ login: plain });
    ending.push(async () => await proxy.close());
    const result = await check(server.url, few, { env: { HTTP_PROXY: `http://${login}@${proxy.name}` } });
    expectReady(result);
    expect(result.stdout).toContain(`${server.url} through proxy ${proxy.name}`);
    const { host } = new URL(server.url);
    expect(new Set(proxy.asked)).toEqual(
      new Set([
        `CONNECT ${host}`,
        ...proxy.asked.filter(
          (line) => line.startsWith(`GET http://${host}/`) || line.startsWith(`POST http://${host}/`),
        ),
      ]),
    );
    expect(proxy.asked).toContain(`POST http://${host}/v1/api/auth/login`);
    for (const secret of [login, plain, "xy-pass-1", Buffer.from(plain).toString("base64")])
      expect(`${result.stdout}${result.stderr}`).not.toContain(secret);
  });

  test("passes on TLS unseen, to https:// and wss:// alike", async () => {
    const url = await front(secured());
    const proxy = await forwardProxy({ login: plain });
    ending.push(async () => await proxy.close());
    const env = { https_proxy: `${login}@${proxy.name}`, HTTP_PROXY: "http://127.0.0.1:9", HTTPS_PROXY: "127.0.0.1:9" };
    expectReady(await check(url, [...few, "--ca-file", file("ca.pem")], { env }));
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${new URL(url).host}`]));
    const { stdout } = await check(url, [...one, "--ca-file", file("ca.pem"), "--json"], { env });
    expect((JSON.parse(stdout) as Report).server).toMatchObject({ proxy: proxy.name });
  });

  test("may speak TLS itself, with TLS to the server inside", async () => {
    const url = await front(secured());
    const proxy = await forwardProxy({ tls: ca.issue(), login: plain });
    ending.push(async () => await proxy.close());
    const env = { HTTPS_PROXY: `https://${login}@${proxy.name}`, NODE_EXTRA_CA_CERTS: file("ca.pem") };
    const { code, stdout } = await check(url, few, { env });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nREADY {3}2 passed/) as string]);
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${new URL(url).host}`]));
    const distrusted = await check(url, one, { env: { HTTPS_PROXY: env.HTTPS_PROXY } });
    expect([distrusted.code, distrusted.stderr]).toEqual([
      76,
      expect.stringContaining(`the proxy ${proxy.name}'s certificate comes from an unknown issuer`) as string,
    ]);
  });

  test.each(["127.0.0.1", "*"])("is left out by NO_PROXY=%s", async (no) => {
    const result = await check(server.url, one, { env: { HTTP_PROXY: "http://127.0.0.1:9", NO_PROXY: no } });
    expectReady(result, 1);
    expect(result.stdout).not.toContain("through proxy");
  });

  test("that is another machine may read the credentials, even those for a server on this one: a warning", async () => {
    const other = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ internal, family }) => !internal && family === "IPv4");
    const proxy = `${other?.address ?? "0.0.0.0"}:9`;
    const { stderr } = await check(server.url, one, { env: { HTTP_PROXY: proxy } });
    expect(stderr).toContain(`credentials go to ${server.url} through the proxy ${proxy} (HTTP_PROXY) unencrypted`);
  });

  test("is never asked for a server of our own", async () => {
    const env = { HTTP_PROXY: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9" };
    const proven = await run(["prove", "configuration/answers-sql"], { env });
    expect([proven.code, proven.stdout]).toEqual([0, expect.stringContaining("0 missed") as string]);
  });

  test("is named when it is the one that fails, with what to do and whether trying again can help", async () => {
    const url = server.url;
    const https = "https://192.0.2.1";
    const asking = await forwardProxy({ login: plain });
    const forbidding = await forwardProxy({ refuses: 403 });
    const failing = await forwardProxy({ refuses: 503 });
    ending.push(async () => void (await Promise.all([asking.close(), forbidding.close(), failing.close()])));
    const env = (text: string): Options => ({ env: { HTTP_PROXY: text, HTTPS_PROXY: text } });
    for (const [to, options, code, sentence] of [
      [url, env("http://127.0.0.1:9"), 69, /the proxy 127\.0\.0\.1:9 \(HTTP_PROXY\) cannot be reached: .*ECONNREFUSED/],
      [url, env(asking.name), 76, new RegExp(`the proxy ${asking.name} \\(HTTP_PROXY\\) demands a login \\(407\\)`)],
      [https, env(asking.name), 76, new RegExp(`the proxy ${asking.name} \\(HTTPS_PROXY\\) demands a login \\(407\\)`)],
      [https, env(`u:wrong-pass-1@${asking.name}`), 76, /rejected the login in HTTPS_PROXY \(407\)/],
      [https, env(forbidding.name), 76, /does not let us connect to 192\.0\.2\.1:443 \(403\); .* NO_PROXY/],
      [https, env(failing.name), 69, /cannot reach 192\.0\.2\.1:443 \(503\)/],
      [https, env(new URL(url).host), 69, /the proxy \S+ \(HTTPS_PROXY\) did not answer CONNECT/],
    ] as const) {
      const result = await check(to, one, options);
      expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(sentence) as string]);
      expect(result.stderr).not.toMatch(/pass-1/);
    }
  });
});

describe("a gateway that demands a header", () => {
  const secret = "gate-key-1234";
  const guarded = (seen: string[] = []): ProxyOptions => ({
    instead(request) {
      seen.push(
        `${request.headers.upgrade === undefined ? "request" : "upgrade"} ${String(request.headers["x-gate"])}`,
      );
      return request.headers["x-gate"] === secret
        ? undefined
        : { status: 403, body: `not ${String(request.headers["x-gate"])}` };
    },
  });

  test("gets it with every request and every upgrade: by flag, by reference, by a profile; and it is masked", async () => {
    const seen: string[] = [];
    const url = await front(guarded(seen));
    const env = { GATE_KEY: secret };
    writeFileSync(file("gated.yaml"), `version: 1\nserver: ${url}\nheaders: { X-Gate: "\${env:GATE_KEY}" }\n`);
    expectReady(await check(url, [...few, "--header", `X-Gate: ${secret}`]));
    expectReady(await check(url, [...one, "--header", "X-Gate: ${env:GATE_KEY}"], { env }), 1);
    expectReady(await run(["check", "--profile", file("gated.yaml"), ...few], { env }));
    expect(new Set(seen)).toEqual(new Set([`request ${secret}`, `upgrade ${secret}`]));
  });

  test("does not see it printed where it repeats a wrong one", async () => {
    const url = await front(guarded());
    const wrong = "wrong-key-5678";
    const { code, stdout, stderr } = await check(url, [...one, "--header", `X-Gate: ${wrong}`, "--json"]);
    expect(code).toBe(2);
    expect(stderr).toContain("not •••");
    expect(`${stdout}${stderr}`).not.toContain(wrong);
    const shown = await run(["profile", "show", "--header", `X-Gate: ${wrong}`, "--url", url]);
    expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining("X-Gate") as string]);
    expect(`${shown.stdout}${shown.stderr}`).not.toContain(wrong);
  });

  test("is not met by kalam, whose checks are skipped for that reason", async () => {
    const url = await front(guarded());
    const words = ["--header", `X-Gate: ${secret}`, "--kalam-bin", kalamStandIn, "--only", "cli/kalam-json-pure"];
    const { code, stdout } = await check(url, [...one, ...words]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("kalam cannot be told of headers") as string]);
  });
});

describe("a server under a path", () => {
  test("is checked there: requests, live queries, kalam, what is printed, and the clean-up", async () => {
    const url = await front({ base: "/db/kalam" });
    const kalam = ["--kalam-bin", kalamStandIn, "--only", "cli/kalam-json-pure"];
    expectReady(await check(`${url}/`, [...few, ...kalam]), 3);
    const { stdout } = await check(`${url}/`, [...scratch, "--keep", "--json"]);
    const report = JSON.parse(stdout) as Report;
    expect(report.server.url).toBe(url);
    const cleaned = await run(["cleanup", "--url", url]);
    expect([cleaned.code, cleaned.stdout]).toEqual([0, expect.stringMatching(/^[1-9]\d* removed/m) as string]);
    expect(readdirSync(state)).toEqual([]);
  });

  test("is not found at another path: that is not KalamDB", async () => {
    const url = await front({ base: "/db/kalam" });
    const { code, stderr } = await check(new URL(url).origin, one);
    expect([code, stderr]).toEqual([2, expect.stringContaining("404 not here") as string]);
  });
});
