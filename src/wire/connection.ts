/** Connections to a server, for HTTP and WebSocket alike: TCP, through a proxy if there is one, and TLS. */
import { request } from "node:http";
import net from "node:net";
import tls from "node:tls";
import { ConnectError, handshakeError, networkError, tlsError, type Peer } from "./cause.ts";
import type { Destination, Proxy, Way } from "./way.ts";

const connectMs = 10_000;
const probeMs = 3_000;

export interface ConnectOptions {
  /** Through a proxy, ask for a tunnel to the server; otherwise the connection ends at the proxy. */
  readonly tunnel: boolean;
  readonly withinMs?: number;
  /** Called with the TCP connection at once: it can be reset, which a TLS socket cannot. */
  readonly onRaw?: (raw: net.Socket) => void;
  /** Called when the server ends the connection for a reason of TLS after the handshake, as TLS 1.3 rejects clients. */
  readonly onRejected?: (why: ConnectError) => void;
}

/** A connection on which HTTP can be spoken. Throws ConnectError. */
export async function openConnection(to: Destination, way: Way, options: ConnectOptions): Promise<net.Socket> {
  const { proxy } = way;
  const { withinMs = connectMs } = options;
  const first = proxy ?? to;
  const raw = net.connect({ host: first.host, port: first.port });
  options.onRaw?.(raw);
  // Whoever uses the connection has a listener of its own; between two of them an error must not end the process.
  raw
    .on("error", () => {})
    .setNoDelay(true)
    .setKeepAlive(true, 60_000);
  const late = new ConnectError(`no connection to ${first.name} within ${withinMs / 1000} s`, { permanent: false });
  const timer = setTimeout(() => raw.destroy(late), withinMs);
  try {
    await connected(raw).catch((error: unknown) => {
      throw proxy === undefined ? networkError(error, to.name) : throughProxy(networkError(error, proxy.name), proxy);
    });
    const leg = proxy?.secure === true ? await secured(raw, {}, peerOf(proxy)) : raw;
    const toServer = proxy === undefined || !options.tunnel ? leg : await tunnel(leg, to, proxy);
    if (!to.secure) return toServer;
    const { context, insecure } = way;
    const trust = { ...(context === undefined ? {} : { secureContext: context }), rejectUnauthorized: !insecure };
    const peer = serverPeer(to, way);
    const stream = await secured(toServer, trust, peer);
    return stream.on("error", (error) => {
      const why = tlsError(error, peer);
      if (why !== undefined) options.onRejected?.(why);
    });
  } catch (error) {
    raw.destroy();
    // What was waiting may have seen only that the connection ended.
    throw raw.errored === late ? late : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the server speaks TLS on this port, whatever its certificate. */
export async function speaksTls(to: Destination, way: Way): Promise<boolean> {
  const secure = { ...to, secure: true };
  try {
    const stream = await openConnection(secure, { ...way, insecure: true }, { tunnel: true, withinMs: probeMs });
    stream.destroy();
    return true;
  } catch {
    return false;
  }
}

export function serverPeer({ host, name }: Destination, { hasClientCertificate = false }: Way): Peer {
  return { who: "the server", host, name, isServer: true, hasClientCertificate };
}

function peerOf({ host, name }: Proxy): Peer {
  return { who: `the proxy ${name}`, host, name, isServer: false, hasClientCertificate: false };
}

function throughProxy({ message, permanent }: ConnectError, { name, variable }: Proxy): ConnectError {
  return new ConnectError(`the proxy ${name} (${variable}) cannot be reached: ${message}`, { permanent });
}

async function connected(raw: net.Socket): Promise<void> {
  await happened(raw, "connect");
}

async function secured(socket: net.Socket, trust: tls.ConnectionOptions, peer: Peer): Promise<net.Socket> {
  // `host` is what the certificate must be for; a server name must not be an address.
  const { host } = peer;
  const servername = net.isIP(host) === 0 ? host : "";
  // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off unnoticed.
  const options = { rejectUnauthorized: true, ...trust, socket, host, servername, ALPNProtocols: ["http/1.1"] };
  const stream = tls.connect(options);
  stream.on("error", () => {});
  try {
    await happened(stream, "secureConnect");
  } catch (error) {
    throw handshakeError(error, peer);
  }
  return stream;
}

/** Throws an error where it ends before that. */
async function happened(stream: net.Socket, event: "connect" | "secureConnect"): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error): void => {
      stream.off(event, good).off("error", done).off("close", closed);
      if (error === undefined) resolve();
      else reject(error);
    };
    const good = (): void => done();
    const closed = (): void => done(new Error("the connection was closed"));
    stream.once(event, good).once("error", done).once("close", closed);
  });
}

/** Asks the proxy for a connection to the server. */
async function tunnel(leg: net.Socket, to: Destination, proxy: Proxy): Promise<net.Socket> {
  const { authorization } = proxy;
  const asking = request({
    method: "CONNECT",
    path: to.name,
    headers: { host: to.name, ...(authorization === undefined ? {} : { "proxy-authorization": authorization }) },
    createConnection: () => leg,
  });
  const status = await new Promise<number>((resolve, reject) => {
    asking.on("error", reject);
    asking.on("connect", (response, _, head) => {
      if (head.length > 0) leg.unshift(head);
      resolve(response.statusCode ?? 0);
    });
    asking.end();
  }).catch((error: unknown) => {
    if (error instanceof ConnectError) throw error;
    const sentence = `the proxy ${proxy.name} (${proxy.variable}) did not answer CONNECT ${to.name} as an HTTP proxy does`;
    throw new ConnectError(sentence, { permanent: false });
  });
  if (status >= 200 && status < 300) return leg;
  throw refusedByProxy(status, to, proxy);
}

/** What a proxy's own answer means. */
export function refusedByProxy(status: number, to: Destination, proxy: Proxy): ConnectError {
  const { name, variable, authorization } = proxy;
  const who = `the proxy ${name} (${variable})`;
  if (status === 407) {
    const sentence =
      authorization === undefined
        ? `${who} demands a login (407); put it in ${variable}, as in http://user:password@${name}`
        : `${who} rejected the login in ${variable} (407)`;
    return new ConnectError(sentence, { permanent: true });
  }
  if (status >= 500) return new ConnectError(`${who} cannot reach ${to.name} (${status})`, { permanent: false });
  const advice = `allow it there, or list ${to.host} in NO_PROXY to connect directly`;
  return new ConnectError(`${who} does not let us connect to ${to.name} (${status}); ${advice}`, { permanent: true });
}
