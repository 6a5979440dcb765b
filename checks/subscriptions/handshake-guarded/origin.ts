/** A web page of a foreign origin: what the HTTP side allows it, and whether it may open a live connection. */
import { askedTwice, isPassing } from "../../vocabulary/second-look.ts";
import type { Account, Reply, Target } from "../../../src/server/target.ts";

export const foreignOrigin = "https://kalam-ready.invalid";

export type Origin = {
  readonly allowedOverHttp: boolean | null | "unanswered";
  readonly opened: boolean;
  readonly status: number | null;
};

const notServed: ReadonlySet<number> = new Set([404, 405, 501]);

/** Asks the HTTP side with a preflight, as a browser would. */
export async function tryOrigin(target: Target, login: Account): Promise<Origin> {
  const ask = async (): Promise<Reply> =>
    await target.request(null, {
      method: "OPTIONS",
      path: "/v1/api/sql",
      headers: { origin: foreignOrigin, "access-control-request-method": "POST" },
    });
  const isLost = (reply: Reply): boolean => reply.kind === "broken" || isPassing(reply.status);
  const { last: preflight } = await askedTwice(ask, isLost);
  const live = await target.live(login, { headers: { origin: foreignOrigin } });
  if (!("why" in live)) live.close();
  return {
    allowedOverHttp: isLost(preflight) || preflight.kind === "broken" ? "unanswered" : allowedBy(preflight),
    opened: !("why" in live) && live.login.kind === "in",
    status: "why" in live ? (live.status ?? null) : null,
  };
}

/** Null where the server does not answer preflights at all, which says nothing about origins. */
function allowedBy({ status, headers }: { status: number; headers: Readonly<Record<string, string>> }): boolean | null {
  const allowed = headers["access-control-allow-origin"];
  if (allowed === undefined && (notServed.has(status) || status >= 500)) return null;
  return allowed === "*" || allowed === foreignOrigin;
}

/** For the sentence of a pass. */
export function originText({ allowedOverHttp, status }: Origin): string {
  if (allowedOverHttp === null) return "the server does not say whether origins are restricted";
  return allowedOverHttp === true
    ? "origins are not restricted"
    : `a foreign origin is refused with ${status ?? "no status"}`;
}
