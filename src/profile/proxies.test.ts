import { expect, test } from "vitest";
import { chooseProxy } from "./proxies.ts";
import { UsageError } from "./usage.ts";

const http = "http://db.example.com:8080";
const https = "https://db.example.com";
const chosen = (url: string, environment: Readonly<Record<string, string>>): string | undefined =>
  chooseProxy(url, environment, () => undefined)?.name;

test("the variable is that of the URL, in lower case first; an empty one is not set", () => {
  const both = { HTTP_PROXY: "http://plain:1", HTTPS_PROXY: "http://secure:2" };
  expect([chosen(http, both), chosen(https, both), chosen(https, {})]).toEqual(["plain:1", "secure:2", undefined]);
  expect(chosen(http, { HTTPS_PROXY: "http://secure:2" })).toBeUndefined();
  expect(chosen(http, { ...both, http_proxy: "lower:3" })).toBe("lower:3");
  expect(chosen(http, { ...both, http_proxy: "" })).toBe("plain:1");
});

test("a proxy has a port by its scheme, brackets around IPv6, and a login that is masked in each form", () => {
  const secrets: string[] = [];
  const hide = (secret: string): void => void secrets.push(secret);
  expect(chosen(http, { http_proxy: "proxy" })).toBe("proxy:80");
  expect(chooseProxy(http, { http_proxy: "https://[::1]" }, hide)).toMatchObject({
    host: "::1",
    port: 443,
    secure: true,
    name: "[::1]:443",
  });
  const proxy = chooseProxy(http, { HTTP_PROXY: "http://us%3Aer:p%40ss@proxy:3128/" }, hide);
  const login = Buffer.from("us:er:p@ss").toString("base64");
  expect(proxy).toEqual({
    host: "proxy",
    port: 3128,
    secure: false,
    name: "proxy:3128",
    variable: "HTTP_PROXY",
    authorization: `Basic ${login}`,
  });
  expect(secrets).toEqual(["p@ss", "p%40ss", login]);
});

test.each(["socks5://u:hunter22@proxy", "http://u:hunter22@proxy:99999", "http://", "ftp://proxy", "http://[x"])(
  "%s is none, and is not repeated",
  (text) => {
    const choosing = (): unknown => chosen(http, { HTTP_PROXY: text });
    expect(choosing).toThrow(UsageError);
    expect(choosing).toThrow(/^HTTP_PROXY: expected the URL of an HTTP proxy/);
    expect(choosing).not.toThrow(/hunter22/);
  },
);

test.each<[string, string, boolean]>([
  [https, "", false],
  [https, "*", true],
  [https, "other.com, example.com", true],
  [https, ".example.com", true],
  [https, "*.example.com", true],
  [https, "DB.EXAMPLE.COM other.com", true],
  [https, "b.example.com", false],
  [https, "xample.com", false],
  [https, "com.", false],
  [https, "db.example.com:443", true],
  [https, "db.example.com:8080", false],
  [http, "db.example.com:8080", true],
  ["http://127.0.0.1:8080", "localhost", false],
  ["http://127.0.0.1:8080", "127.0.0.1", true],
  ["http://127.0.0.1:8080", "127.0.0.0/8", true],
  ["http://10.1.2.3", "10.0.0.0/16", false],
  ["http://10.1.2.3", "10.0.0.0/33", false],
  ["http://10.1.2.3", "10.0.0.0/x", false],
  ["http://[::1]:8080", "::1", true],
  ["http://[::1]:8080", "[::1]:8080", true],
  ["http://[::1]:8080", "[::1]:9", false],
  ["http://[fd00::5]", "fd00::/8", true],
  ["http://127.0.0.1", "::/0", false],
])("%s with NO_PROXY=%j goes directly: %s", (url, except, directly) => {
  const environment = { http_proxy: "p:1", https_proxy: "p:1", NO_PROXY: except };
  expect(chosen(url, environment) === undefined).toBe(directly);
});
