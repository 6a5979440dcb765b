/** What `SUBSCRIBE TO` over HTTP tells a client: where to connect, and what to send there. Tried, not believed. */
import { isRecord } from "../../src/wire/json.ts";
import { cellText, rowsOf, saidOf, type Account, type Said, type Target } from "../../src/server/target.ts";
import { connect } from "../vocabulary/following.ts";
import { openingOf, openingText, type Opening } from "../vocabulary/opening.ts";

export type Told = {
  readonly said: Said;
  /** As the server wrote it; empty where it told none. */
  readonly address: string;
  readonly sql: string;
  /** Where we ourselves reach the server. */
  readonly ours: string;
  /** A subscription at the told path of our server; null where the address is no path of ours to try. */
  readonly tried: { readonly why: string | null; readonly opening: Opening | null } | null;
};

/** Sends the HTTP form and reads what it tells; nothing is tried yet. */
export async function askOverHttp(target: Target, as: Account, statement: string, namespace?: string): Promise<Told> {
  const answer = await target.sql(as, statement, namespace === undefined ? {} : { namespace });
  const { ws_url: address, subscription } = rowsOf(answer)?.[0] ?? {};
  const sql = isRecord(subscription) ? cellText(subscription["sql"]) : "";
  return { said: saidOf(answer), address: cellText(address), sql, ours: target.url, tried: null };
}

export async function tryAddress(target: Target, as: Account, told: Told): Promise<Told> {
  const address = parsed(told.address);
  if (address === undefined || told.sql === "" || placeFault(address, told.ours) !== undefined) return told;
  // Only the path is taken from the server: whom we connect to is not for it to say.
  const live = await connect(target, as, { path: `${address.pathname}${address.search}` });
  if ("why" in live) return { ...told, tried: { why: live.why, opening: null } };
  const subscription = await live.subscribe(told.sql);
  const opening = openingOf(await subscription.begin(), subscription);
  live.close();
  return { ...told, tried: { why: null, opening } };
}

/** Why a client that does as it was told gets nothing; undefined where it does, or where that cannot be tried from here. */
export function addressFault({ address, ours, tried }: Told): string | undefined {
  const told = parsed(address);
  if (told === undefined) return "it is no address of a WebSocket";
  const place = placeFault(told, ours);
  if (place !== undefined) return place === elsewhere ? undefined : place;
  if (tried === null) return "no statement was told with it";
  if (tried.why !== null) return tried.why;
  return tried.opening?.kind === "refused" ? `its statement is refused: ${openingText(tried.opening)}` : undefined;
}

export function isElsewhere({ address, ours }: Told): boolean {
  const told = parsed(address);
  return told !== undefined && placeFault(told, ours) === elsewhere;
}

const elsewhere = "it is another host";
const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** What is wrong with the place, before anybody connects. */
function placeFault(told: URL, ours: string): string | undefined {
  const own = new URL(ours);
  if (loopback.test(told.hostname) && !loopback.test(own.hostname)) return "it points at the client's own machine";
  if (told.hostname !== own.hostname && !loopback.test(told.hostname)) return elsewhere;
  if (portOf(told) !== portOf(own)) return `it is another port than ${portOf(own)}, where this server listens`;
  if ((told.protocol === "wss:") !== (own.protocol === "https:")) return `it is not ${own.protocol}, as this server is`;
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
