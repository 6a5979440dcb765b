import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Reply } from "../../../src/server/target.ts";
import { forgedToken, unsignedToken } from "../../vocabulary/forged-tokens.ts";

interface Endpoint {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Nothing is changed by it, should the server accept it: it names only what does not exist. */
  readonly body?: object;
}

const sql: Endpoint = { method: "POST", path: "/v1/api/sql", body: { sql: "SELECT 1 AS entered" } };
const endpoints: readonly Endpoint[] = [
  sql,
  { method: "GET", path: "/v1/api/auth/me" },
  { method: "POST", path: "/v1/api/auth/refresh" },
  { method: "POST", path: "/v1/api/topics/consume", body: { topic_id: "kr_none.none", group_id: "kr_none" } },
  {
    method: "POST",
    path: "/v1/api/topics/ack",
    body: { topic_id: "kr_none.none", group_id: "kr_none", partition_id: 0, upto_offset: 0 },
  },
  { method: "GET", path: "/v1/files/kr_none/none/none/none" },
  { method: "GET", path: "/v1/exports/kr_none/none" },
];

const keys: Readonly<Record<string, string | undefined>> = {
  "no token": undefined,
  "garbage for a token": "garbage",
  "a forged token": forgedToken,
  "an unsigned token": unsignedToken,
};
const total = endpoints.length * Object.keys(keys).length;

type Tried = {
  readonly endpoint: string;
  readonly key: string;
  /** Null if no status line came. */
  readonly status: number | null;
  /** Why there is no answer; empty if there is one. */
  readonly broke: string;
  readonly exchange: number;
};

export const loginRequired = defineCheck({
  id: "validation/login-required",
  title: "Requests without a valid login are rejected",
  failureTitle: "A request without a valid login is accepted",
  description: `Sends a request to each of ${endpoints.length} endpoints that need a login (${endpoints.map(({ method, path }) => `${method} ${path}`).join(", ")}) with ${Object.keys(keys).join(", ")}. None may be accepted, and SQL must be refused with 401 or 403. Endpoints that a server does not have are left out.`,
  blindTo:
    "Tokens that were once valid: expired ones, those of dropped users and refresh tokens are for the security category. For live connections see subscriptions/handshake-guarded.",
  risk: "Anyone on the network reads and changes all data.",
  remedy: "Take the server off the network, and put a proxy in front that requires a login.",
  covers: [],
  touches: "nothing",
  login: "none",
  level: "block",
  estimateMs: 800,
  estimateRequests: total,
  findings: {
    accepted: {
      say: (d: { endpoint: string; key: string; status: number }) =>
        `${d.endpoint} with ${d.key} was accepted with status ${d.status}`,
    },
  },
  async observe(target) {
    const tried: Tried[] = [];
    for (const { method, path, body } of endpoints) {
      for (const [key, token] of Object.entries(keys)) {
        const headers = {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        };
        const content = body === undefined ? {} : { body: JSON.stringify(body) };
        tried.push(read(`${method} ${path}`, key, await target.request(null, { method, path, headers, ...content })));
      }
    }
    return { tried };
  },
  judge({ tried }, { found }) {
    for (const { endpoint, key, status, exchange } of tried)
      if (status !== null && status >= 200 && status < 300)
        found.accepted({ endpoint, key, status }, { case: `${endpoint}, ${key}`, sent: [exchange] });
    const unclear = tried.find((one) => isUnclear(one));
    if (unclear !== undefined)
      return unknown(`${unclear.endpoint} with ${unclear.key}: ${unclear.status ?? unclear.broke}`);
    if (tried.length < total) return unknown(`only ${tried.length} of ${total} requests were sent`);
    const refused = tried.filter(isRefused);
    const other = tried.find((one) => one.endpoint === `${sql.method} ${sql.path}` && !isRefused(one));
    if (other !== undefined) return unknown(`${other.endpoint} with ${other.key}: ${other.status}`);
    const served = new Set(refused.map(({ endpoint }) => endpoint)).size;
    return pass(
      `${refused.length} of ${refused.length} requests to ${served} endpoints refused, with ${statuses(refused)}`,
    );
  },
});

function read(endpoint: string, key: string, reply: Reply): Tried {
  const broke = reply.kind === "broken" ? reply.detail : "";
  return { endpoint, key, status: reply.status ?? null, broke, exchange: reply.exchange };
}

/** 428: the server has not been set up, so there is no login at all. */
function isRefused({ status }: Tried): boolean {
  return status === 401 || status === 403 || status === 428;
}

/** Not an answer to this request. Any other status from 400 to 499 means that the endpoint is not there, or older. */
function isUnclear({ status, broke }: Tried): boolean {
  return broke !== "" || status === null || status === 429 || status >= 500 || (status >= 300 && status < 400);
}

function statuses(some: readonly Tried[]): string {
  return [...new Set(some.map(({ status }) => status))].join(", ");
}
