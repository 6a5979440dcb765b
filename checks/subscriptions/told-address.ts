/** What `SUBSCRIBE TO` over HTTP returns: an address to connect to and a statement to send there. Both are tried. */
import { isRecord } from "../../src/wire/json.ts";
import { cellText, rowsOf, saidOf, type Account, type Said, type Target } from "../../src/server/target.ts";
import { connect } from "../vocabulary/following.ts";
import { openingText, tryToSubscribe, type Opening } from "../vocabulary/opening.ts";

export type Told = {
  readonly said: Said;
  /** As the server wrote it; empty where it gave none. */
  readonly address: string;
  readonly sql: string;
  /** Where we ourselves reach the server. */
  readonly ours: string;
  /** A subscription at the returned path, on our server; null where the address cannot be tried from here. */
  readonly tried: { readonly why: string | null; readonly opening: Opening | null } | null;
};

/** Sends the HTTP form and reads what it returns; nothing is tried yet. */
export async function askOverHttp(target: Target, as: Account, statement: string, namespace?: string): Promise<Told> {
  const answer = await target.sql(as, statement, namespace === undefined ? {} : { namespace });
  const { ws_url: address, subscription } = rowsOf(answer)?.[0] ?? {};
  const sql = isRecord(subscription) ? cellText(subscription["sql"]) : "";
  return { said: saidOf(answer), address: cellText(address), sql, ours: target.url, tried: null };
}

export async function tryAddress(target: Target, as: Account, told: Told): Promise<Told> {
  const address = parsed(told.address);
  if (address === undefined || told.sql === "" || placeFault(address, told.ours) !== undefined) return told;
  // Only the path is taken from the server: it must not choose the host we connect to.
  const live = await connect(target, as, { path: `${address.pathname}${address.search}` });
  if ("why" in live) return { ...told, tried: { why: live.why, opening: null } };
  const { opening } = await tryToSubscribe(live, told.sql);
  live.close();
  return { ...told, tried: { why: null, opening } };
}

/** Why a client that uses the address as given gets nothing; undefined if it works, or cannot be tried from here. */
export function addressFault({ address, ours, tried }: Told): string | undefined {
  const given = parsed(address);
  if (given === undefined) return "it is no address of a WebSocket";
  const place = placeFault(given, ours);
  if (place !== undefined) return place === elsewhere ? undefined : place;
  if (tried === null) return "no statement came with it";
  if (tried.why !== null) return tried.why;
  return tried.opening?.kind === "refused" ? `its statement is refused: ${openingText(tried.opening)}` : undefined;
}

export function isElsewhere({ address, ours }: Told): boolean {
  const given = parsed(address);
  return given !== undefined && placeFault(given, ours) === elsewhere;
}

const elsewhere = "it is another host";
const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** What is wrong with host, port or protocol, before connecting. */
function placeFault(given: URL, ours: string): string | undefined {
  const own = new URL(ours);
  if (loopback.test(given.hostname) && !loopback.test(own.hostname)) return "it points at the client's own machine";
  if (given.hostname !== own.hostname && !loopback.test(given.hostname)) return elsewhere;
  if (portOf(given) !== portOf(own)) return `it is another port than ${portOf(own)}, where this server listens`;
  if ((given.protocol === "wss:") !== (own.protocol === "https:"))
    return `it is not ${own.protocol}, unlike this server`;
  return undefined;
}

function portOf({ port, protocol }: URL): string {
  return port === "" ? (protocol === "https:" || protocol === "wss:" ? "443" : "80") : port;
}

function parsed(address: string): URL | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  return url.protocol === "ws:" || url.protocol === "wss:" ? url : undefined;
}
