import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isRecord } from "../../../src/wire/json.ts";
import type { Reply, Target } from "../../../src/server/target.ts";

const path = "/v1/api/auth/status";
/** An address that no host has (RFC 5737). */
const remoteAddress = "203.0.113.9";

/** `pending`: anyone who gets this answer may set the server up. `closed`: to the sender of this request. */
type Setup = {
  readonly kind: "done" | "pending" | "closed" | "unsure";
  readonly outcome: string;
  readonly exchange: number;
};

export const setupClosed = defineCheck({
  id: "configuration/setup-closed",
  title: "The server is set up, and its setup is closed to remote clients",
  failureTitle: "The server's setup is pending or open to remote clients",
  description: `Sends GET ${path} twice: as it is, and as a proxy on the server's host would for a remote client (X-Forwarded-For: ${remoteAddress}). The first must not say that setup is needed, the second must be refused. The setup itself is never called.`,
  blindTo: "Whether POST /v1/api/auth/setup follows what the status says.",
  risk: "Whoever reaches the server first chooses the password of root.",
  remedy: "Set KALAMDB_ROOT_PASSWORD for the server's first start, or call POST /v1/api/auth/setup on its host now.",
  covers: [],
  touches: "nothing",
  login: "none",
  level: "block",
  estimateMs: 50,
  estimateRequests: 2,
  findings: {
    pending: {
      say: (d: { outcome: string }) => `GET ${path} says that the server still needs its setup: ${d.outcome}`,
    },
    openToRemote: {
      say: (d: { from: string; outcome: string }) => `GET ${path} answers a client at ${d.from}: ${d.outcome}`,
      level: "warn",
      risk: "If the server loses its data folder, whoever reaches it first chooses the password of root.",
      remedy: "Remove allow_remote_setup from the server's settings.",
    },
  },
  async observe(target) {
    return { own: await ask(target), forRemote: await ask(target, remoteAddress) };
  },
  judge({ own, forRemote }, { found }) {
    const pending = [own, forRemote].find(({ kind }) => kind === "pending");
    if (pending !== undefined) found.pending({ outcome: pending.outcome }, { sent: pending });
    if (forRemote.kind === "done" || forRemote.kind === "pending")
      found.openToRemote({ from: remoteAddress, outcome: forRemote.outcome }, { sent: forRemote });
    if (own.kind === "unsure") return unknown(`GET ${path} got ${own.outcome}`);
    if (forRemote.kind === "unsure") return unknown(`GET ${path} for a remote client got ${forRemote.outcome}`);
    const state = own.kind === "done" ? "set up" : "setup is closed to us";
    return pass(`${state} (${own.outcome}); for a remote client ${forRemote.outcome}`);
  },
});

async function ask(target: Target, from?: string): Promise<Setup> {
  const headers = from === undefined ? {} : { headers: { "x-forwarded-for": from } };
  return setupOf(await target.request(null, { method: "GET", path, ...headers }));
}

function setupOf(reply: Reply): Setup {
  const { exchange } = reply;
  if (reply.kind === "broken") return { kind: "unsure", outcome: reply.detail, exchange };
  const { status, json } = reply;
  const needed = isRecord(json) ? json["needs_setup"] : undefined;
  if (status === 428) return { kind: "pending", outcome: "428", exchange };
  if (status === 200 && typeof needed === "boolean")
    return { kind: needed ? "pending" : "done", outcome: `200 needs_setup ${needed}`, exchange };
  // Also 404 and 405: an older server has no setup, and a proxy may keep it from everyone.
  if (status >= 400 && status < 500 && status !== 429) return { kind: "closed", outcome: `${status}`, exchange };
  return { kind: "unsure", outcome: `${status}`, exchange };
}
