/** What `SUBSCRIBE TO` over HTTP returns: an address to connect to and a statement to send there. Both are tried. */
import { isRecord } from "../../src/wire/json.ts";
import { cellText, rowsOf, saidOf, type Account, type Said, type Target } from "../../src/server/target.ts";
import { connect } from "./following.ts";
import { openingText, tryToSubscribe, type Opening } from "./opening.ts";

export type Told = {
  readonly said: Said;
  /** As the server wrote it; empty where it gave none. */
  readonly address: string;
  readonly sql: string;
  /** Where we ourselves reach the server. */
  readonly ours: string;
  /** A subscription at the returned path, on the server that we reach; null for an address on another host. */
  readonly tried: { readonly why: string | null; readonly opening: Opening | null } | null;
};

/** Sends the HTTP form and reads what it returns; nothing is tried yet. */
export async function askOverHttp(target: Target, as: Account, statement: string, namespace?: string): Promise<Told> {
  const answer = await target.sql(as, statement, namespace === undefined ? {} : { namespace });
  const { ws_url: address, subscription } = rowsOf(answer)?.[0] ?? {};
  const sql = isRecord(subscription) ? cellText(subscription["sql"]) : "";
  return { said: saidOf(answer), address: cellText(address), sql, ours: target.url, tried: null };
}

/** Only the path is taken from the server: it must not choose the host we connect to. */
export async function tryAddress(target: Target, as: Account, told: Told): Promise<Told> {
  const address = parsed(told.address);
  if (address === undefined || told.sql === "" || isElsewhere(told)) return told;
  const open = async (): ReturnType<typeof connect> =>
    await connect(target, as, { path: `${address.pathname}${address.search}` });
  let live = await open();
  // A connection may fail by chance.
  if ("why" in live) live = await open();
  if ("why" in live) return { ...told, tried: { why: live.why, opening: null } };
  const { opening } = await tryToSubscribe(live, told.sql);
  live.close();
  return { ...told, tried: { why: null, opening } };
}

/**
 * Why a client that uses the address gets nothing, wherever it reaches the server; undefined if it works. Another host or
 * port only shows that something is in between: see `placeOf`.
 */
export function addressFault(told: Told): string | undefined {
  if (!isAddress(told.address)) return "it is not the address of a WebSocket";
  if (isElsewhere(told)) return undefined;
  if (told.sql === "") return "no statement came with it";
  // Behind a base path, what the server calls its path need not be the client's.
  return new URL(told.ours).pathname === "/" ? pathFault(told) : undefined;
}

/** Why the path or the statement gets nothing on the server that we reach; undefined if both work, or were not tried. */
export function pathFault({ tried }: Told): string | undefined {
  if (tried === null) return undefined;
  if (tried.why !== null) return tried.why;
  return tried.opening?.kind === "refused" ? `its statement is refused: ${openingText(tried.opening)}` : undefined;
}

/** Whether a live connection could be opened there at all. */
export function isAddress(address: string): boolean {
  return parsed(address) !== undefined;
}

/** Another host than ours: it cannot be tried from here, and may be the right one for clients. */
export function isElsewhere({ address, ours }: Told): boolean {
  const given = parsed(address);
  return given !== undefined && given.hostname !== new URL(ours).hostname && !isLoopback(given.hostname);
}

/** How the place that was returned differs from the one where we reach the server. */
export interface Place {
  readonly told: string;
  readonly reached: string;
}

/** Undefined where host, port and protocol are the same, and for an address on another host. */
export function placeOf(one: Told): Place | undefined {
  const given = parsed(one.address);
  if (given === undefined || isElsewhere(one)) return undefined;
  const own = new URL(one.ours);
  const differences: (readonly [told: string, reached: string])[] = [];
  if (isLoopback(given.hostname) && !isLoopback(own.hostname))
    differences.push([`the client's own machine, ${given.hostname}`, own.hostname]);
  if (portOf(given) !== portOf(own)) differences.push([`port ${portOf(given)}`, `port ${portOf(own)}`]);
  if (isSecure(given) !== isSecure(own)) differences.push([given.protocol, own.protocol]);
  if (differences.length === 0) return undefined;
  const [told, reached] = [0, 1].map((side) => differences.map((pair) => pair[side]).join(", "));
  return { told: told ?? "", reached: reached ?? "" };
}

/** A server that listens on every address may return the wildcard, which leads a client to its own machine. */
function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0|\[::\])$/.test(hostname);
}

function isSecure({ protocol }: URL): boolean {
  return protocol === "https:" || protocol === "wss:";
}

function portOf(url: URL): string {
  return url.port === "" ? (isSecure(url) ? "443" : "80") : url.port;
}

function parsed(address: string): URL | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  return url.protocol === "ws:" || url.protocol === "wss:" ? url : undefined;
}
