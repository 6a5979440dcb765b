import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
import { closeText } from "../../../src/server/live.ts";
import type { LiveOptions, Target } from "../../../src/server/target.ts";

interface Case {
  readonly name: string;
  /** Null: no token at all. */
  readonly token: string | null;
  readonly login: LiveOptions["login"];
  readonly subscribe: boolean;
}

/** Has the form of a token, and is signed by nobody. */
const forged = [{ alg: "HS256", typ: "JWT" }, { sub: "root", iss: "kalamdb", role: "system", exp: 4_102_444_800 }, "no"]
  .map((part) => Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url"))
  .join(".");

/** One line a case; none of them may get anything, and none may stay. */
export const cases: readonly Case[] = [
  { name: "no login", token: null, login: "none", subscribe: false },
  { name: "subscribe first", token: null, login: "none", subscribe: true },
  { name: "garbage for a token", token: "garbage", login: "message", subscribe: true },
  { name: "forged token", token: forged, login: "message", subscribe: true },
  { name: "garbage in the header", token: "garbage", login: "header", subscribe: true },
  { name: "forged token in the header", token: forged, login: "header", subscribe: true },
];

type Tried = {
  readonly case: string;
  readonly opened: boolean;
  /** Of frames that give something away: types, in order. */
  readonly given: readonly string[];
  /** Types of all frames. */
  readonly frames: readonly string[];
  readonly closed: string | null;
  readonly code: number | null;
  readonly closedMs: number | null;
};

/** A foreign origin: what the HTTP side says of it, and whether a socket opens with it. */
type Origin = { readonly allowedOverHttp: boolean | null; readonly opened: boolean; readonly status: number | null };

const foreignOrigin = "https://kalam-ready.invalid";
const closeWithinMs = 12_000;
/** All that a server may say to somebody it does not know. */
const harmless = new Set(["auth_error", "error", "pong"]);

type Seen = {
  /** How a proper login went. */
  readonly loggedIn: string;
  readonly tried: readonly Tried[];
  readonly origin: Origin;
};

const findings = {
  noTimeout: {
    say: (d: { case: string; waitedMs: number }) => `${d.case}: the connection was still open after ${d.waitedMs} ms`,
  },
  dataBeforeLogin: { say: (d: { case: string; frames: readonly string[] }) => `${d.case}: got ${d.frames.join(", ")}` },
  unclearEnd: {
    say: (d: { case: string; closed: string }) =>
      `${d.case}: the connection ended with ${d.closed}, which is not how a client hears that it may not stay`,
    level: "warn",
  },
  foreignOrigin: {
    say: (d: { origin: string }) =>
      `a page of ${d.origin} may open a live connection, and may not send the same server an HTTP request`,
  },
} as const;

export const handshakeGuarded = defineCheck({
  id: "subscriptions/handshake-guarded",
  title: "A live connection gives nothing without a login, and ends",
  failureTitle: "A live connection without a login gets data or stays",
  description: `Opens ${cases.length} live connections without a proper login: with none, with a subscription first, with garbage and with a forged token, as a message and in the header. None may be told anything but an error, and each must be closed, with a code that says why. Where the server restricts origins over HTTP, a foreign one must not open a socket either. A proper login shows that the way is open.`,
  blindTo: "Tokens that were good once: expired, of dropped users, refresh tokens are for the security category.",
  risk: "Anybody on the network reads along, or holds connections until none are left for others.",
  remedy: "Put a proxy in front that demands a login, and limits connections by address.",
  covers: [],
  touches: "nothing",
  level: "block",
  limits: { closedMsMax: 10_000 },
  estimateMs: 8_000,
  estimateRequests: cases.length + 3,
  findings,
  async observe(target): Promise<Seen> {
    const control = await target.live(target.login);
    const loggedIn = "why" in control ? control.why : control.login.kind;
    const [tried, origin] = await Promise.all([
      Promise.all(cases.map(async (one) => await tryCase(target, one))),
      tryOrigin(target),
    ]);
    if (!("why" in control)) control.close();
    return { loggedIn, tried, origin };
  },
  judge({ loggedIn, tried, origin }, { limits: { closedMsMax } }) {
    const found: FoundOf<typeof findings>[] = [];
    for (const { case: name, given, closedMs, opened, closed, code } of tried) {
      if (given.length > 0) found.push({ name: "dataBeforeLogin", case: name, data: { case: name, frames: given } });
      if (opened && (closedMs === null || closedMs > closedMsMax))
        found.push({ name: "noTimeout", case: name, data: { case: name, waitedMs: closedMs ?? closeWithinMs } });
      if (code !== null && !isCleanRefusal(code))
        found.push({ name: "unclearEnd", case: name, data: { case: name, closed: closed ?? String(code) } });
    }
    if (origin.allowedOverHttp === false && origin.opened)
      found.push({ name: "foreignOrigin", data: { origin: foreignOrigin } });
    if (found.length > 0) return fail(...found);
    if (loggedIn !== "in") return unknown(`even a proper login did not get in: ${loggedIn}`);
    const silent = tried.filter(({ opened }) => opened).length;
    if (tried.length < cases.length || silent < openedMin)
      return unknown(`only ${silent} of ${cases.length} connections came far enough to be judged`);
    const slowest = Math.max(...tried.map(({ closedMs }) => closedMs ?? 0));
    const codes = [...new Set(tried.map(({ closed }) => closed ?? "refused"))].join(", ");
    return pass(
      `${tried.length} connections without a login: nothing told, closed within ${slowest} ms (${codes}); ${originText(origin)}`,
    );
  },
});

/** A server may refuse some at the upgrade already; that with no login at all must come in to be timed. */
const openedMin = 1;

/** Against the rules or the protocol, or a code of the server's own. After 1000, 1006 or 1011 a client comes again at once. */
function isCleanRefusal(code: number): boolean {
  return [1002, 1003, 1008].includes(code) || (code >= 3000 && code <= 4999);
}

async function tryCase(target: Target, { name, token, login, subscribe }: Case): Promise<Tried> {
  const live = await target.live(null, {
    pings: false,
    ...(login === undefined ? {} : { login }),
    ...(token === null ? {} : { token }),
  });
  if ("why" in live)
    return { case: name, opened: false, given: [], frames: [], closed: live.why, code: null, closedMs: null };
  // From when it was open, or, of one that tried to log in, from when that was answered or the end had come.
  const openAt = performance.now();
  if (subscribe)
    live.send({
      type: "subscribe",
      subscription: { id: "early", sql: "SELECT * FROM system.namespaces", options: { last_rows: 1 } },
    });
  const close = await live.untilClosed(closeWithinMs);
  const frames = live.frames.map(({ type }) => type);
  live.reset();
  return {
    case: name,
    opened: true,
    given: frames.filter((type) => !harmless.has(type)),
    frames: frames.slice(0, 5),
    closed: close === undefined ? null : closeText(close).replace("the connection was closed with ", ""),
    code: close?.code ?? null,
    closedMs: close === undefined ? null : Math.max(0, Math.round(close.at - openAt)),
  };
}

const notServed: ReadonlySet<number> = new Set([404, 405, 501]);

/** Whether a foreign page may use the HTTP side is asked by a preflight, as a browser would. */
async function tryOrigin(target: Target): Promise<Origin> {
  const preflight = await target.request(null, {
    method: "OPTIONS",
    path: "/v1/api/sql",
    headers: { origin: foreignOrigin, "access-control-request-method": "POST" },
  });
  const live = await target.live(target.login, { headers: { origin: foreignOrigin } });
  if (!("why" in live)) live.close();
  return {
    allowedOverHttp: preflight.kind === "answered" ? allowedBy(preflight) : null,
    opened: !("why" in live) && live.login.kind === "in",
    status: "why" in live ? (live.status ?? null) : null,
  };
}

/** Null where the server does not answer preflights at all: that is no word about origins. */
function allowedBy({ status, headers }: { status: number; headers: Readonly<Record<string, string>> }): boolean | null {
  const allowed = headers["access-control-allow-origin"];
  if (allowed === undefined && notServed.has(status)) return null;
  return allowed === "*" || allowed === foreignOrigin;
}

function originText({ allowedOverHttp, opened, status }: Origin): string {
  if (allowedOverHttp === null) return "whether origins are restricted was not told";
  if (allowedOverHttp) return "origins are not restricted";
  return opened ? "" : `a foreign origin is refused with ${status ?? "no status"}`;
}
