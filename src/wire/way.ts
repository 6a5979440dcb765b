/** How a server is reached: its address, what is sent along with every request, TLS, and a proxy in between. */
import type { SecureContext } from "node:tls";

export interface Way {
  /** Sent with every request and every upgrade, by name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The trusted CAs and the client certificate. Absent: Node's CAs, no client certificate. */
  readonly context?: SecureContext;
  /** There is a client certificate in the context. */
  readonly hasClientCertificate?: boolean;
  /** The server's certificate is not verified. */
  readonly insecure: boolean;
  readonly proxy?: Proxy;
}

export interface Proxy {
  readonly host: string;
  readonly port: number;
  /** Reached over TLS itself. */
  readonly secure: boolean;
  /** `Proxy-Authorization`. */
  readonly authorization?: string;
  /** `host:port`, without credentials. */
  readonly name: string;
  /** The variable that it came from. */
  readonly variable: string;
}

export const directWay: Way = { headers: {}, insecure: false };

export interface Destination {
  readonly origin: string;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** `host:port`, as a URL has it. */
  readonly name: string;
  readonly secure: boolean;
  /** The path in front of every path of the server; without a slash at its end, so mostly empty. */
  readonly base: string;
}

/** Of an absolute URL, http or https. */
export function destinationOf(url: string): Destination {
  const { origin, protocol, hostname, port, pathname } = new URL(url);
  const secure = protocol === "https:";
  const number = port === "" ? (secure ? 443 : 80) : Number(port);
  return {
    origin,
    host: bare(hostname),
    port: number,
    name: `${hostname}:${number}`,
    secure,
    base: pathname.replace(/\/+$/, ""),
  };
}

/** A host name of a URL without the brackets of an IPv6 address. */
export function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
