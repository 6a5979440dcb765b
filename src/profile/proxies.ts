/**
 * The proxy to a server, from the variables that curl reads: `https_proxy` or `http_proxy` by the server's URL, unless
 * `no_proxy` lists the server; each in lower case or, if that is not set, in upper case.
 */
import net from "node:net";
import { bare, destinationOf, type Destination, type Proxy } from "../wire/way.ts";
import { UsageError } from "./usage.ts";

/** `hide` is called with every secret in the URL of the proxy. Throws UsageError. */
export function chooseProxy(
  url: string,
  environment: NodeJS.ProcessEnv,
  hide: (secret: string) => void,
): Proxy | undefined {
  const to = destinationOf(url);
  const [variable, text] = firstSet(environment, to.secure ? "https_proxy" : "http_proxy");
  if (text === undefined) return undefined;
  const [, except = ""] = firstSet(environment, "no_proxy");
  return isExcepted(to, except) ? undefined : readProxy(variable, text, hide);
}

function firstSet(environment: NodeJS.ProcessEnv, name: string): readonly [string, string | undefined] {
  for (const one of [name, name.toUpperCase()]) {
    const value = environment[one]?.trim();
    if (value !== undefined && value !== "") return [one, value];
  }
  return [name, undefined];
}

function readProxy(variable: string, text: string, hide: (secret: string) => void): Proxy {
  // As curl does: without a scheme it is an HTTP proxy.
  const written = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.hostname === "") {
    // The text itself is not repeated: it may hold a password.
    const message = `${variable}: expected the URL of an HTTP proxy, such as http://proxy.example.com:3128`;
    throw new UsageError("invalidProxy", message, { setting: variable });
  }
  const secure = url.protocol === "https:";
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const address = { host: bare(url.hostname), port, secure, name: `${url.hostname}:${port}`, variable };
  if (url.username === "" && url.password === "") return address;
  const [user, password] = [decoded(url.username), decoded(url.password)];
  const login = Buffer.from(`${user}:${password}`).toString("base64");
  for (const secret of [password, url.password, login]) hide(secret);
  return { ...address, authorization: `Basic ${login}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * `*`, or names and addresses separated by commas or blanks: a name stands for its subdomains, too, and may have a port; an
 * address may be a network such as `10.0.0.0/8`.
 */
function isExcepted(to: Destination, list: string): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== "" && (entry === "*" || covers(entry, to)));
}

function covers(entry: string, { host, port }: Destination): boolean {
  const [, name = "", only] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? [undefined, entry, undefined];
  if (only !== undefined && Number(only) !== port) return false;
  const pattern = bare(name).replace(/^\*?\./, "");
  const family = net.isIP(host);
  if (family === 0) return host === pattern || host.endsWith(`.${pattern}`);
  const [network = "", bits] = pattern.split("/");
  if (net.isIP(network) !== family) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const covered = new net.BlockList();
  const length = bits === undefined ? (family === 4 ? 32 : 128) : Number(bits);
  if (!Number.isInteger(length) || length < 0 || length > (family === 4 ? 32 : 128)) return false;
  covered.addSubnet(network, length, type);
  return covered.check(host, type);
}
