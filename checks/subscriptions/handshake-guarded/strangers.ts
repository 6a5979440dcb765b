/** Live connections without a valid login: what each of them received, and how it was closed. */
import { closeText } from "../../../src/server/socket-login.ts";
import type { LiveOptions, Target } from "../../../src/server/target.ts";
import { forgedToken } from "../../vocabulary/forged-tokens.ts";

interface Case {
  readonly name: string;
  /** Absent: no token at all. */
  readonly token?: string;
  readonly login: NonNullable<LiveOptions["login"]>;
  readonly subscribe: boolean;
}

/** One line a case; none may receive anything, and none may stay open. */
export const cases: readonly Case[] = [
  { name: "no login", login: "none", subscribe: false },
  { name: "subscribe first", login: "none", subscribe: true },
  { name: "garbage for a token", token: "garbage", login: "message", subscribe: true },
  { name: "forged token", token: forgedToken, login: "message", subscribe: true },
  { name: "garbage in the header", token: "garbage", login: "header", subscribe: true },
  { name: "forged token in the header", token: forgedToken, login: "header", subscribe: true },
];

export type Tried = {
  readonly case: string;
  readonly opened: boolean;
  /** With which status the upgrade was refused; null where it was not, or nothing was said. */
  readonly refused: number | null;
  /** Types of the frames that a stranger must not get, in order. */
  readonly given: readonly string[];
  /** Types of all frames. */
  readonly frames: readonly string[];
  readonly closed: string | null;
  readonly code: number | null;
  readonly closedMs: number | null;
};

export const closeWithinMs = 12_000;
/** The only frames a client without a login may get. */
const harmless = new Set(["auth_error", "error", "pong"]);

export async function tryCase(target: Target, { name, token, login, subscribe }: Case): Promise<Tried> {
  const live = await target.live(null, { pings: false, login, ...(token === undefined ? {} : { token }) });
  if ("why" in live)
    return {
      case: name,
      opened: false,
      refused: live.status ?? null,
      given: [],
      frames: [],
      closed: live.why,
      code: null,
      closedMs: null,
    };
  // Counts from when it was open or, after a login attempt, from its answer or the close.
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
    refused: null,
    given: frames.filter((type) => !harmless.has(type)),
    frames: frames.slice(0, 5),
    closed: close === undefined ? null : closeText(close).replace("the connection was closed with ", ""),
    code: close?.code ?? null,
    closedMs: close === undefined ? null : Math.max(0, Math.round(close.at - openAt)),
  };
}

/**
 * Closed for breaking the rules or the protocol, or with a code of the server's own. After 1000, 1006 or 1011 a client
 * reconnects immediately.
 */
export function isClearClose(code: number): boolean {
  return [1002, 1003, 1008].includes(code) || (code >= 3000 && code <= 4999);
}
