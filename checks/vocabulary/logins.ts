/**
 * Login attempts with right and wrong passwords; the token stays out of the evidence. Five wrong passwords lock an
 * account, so use few.
 */
import type { Json } from "../../src/wire/json.ts";
import { cellText, type Target } from "../../src/server/target.ts";

export type LoginSaid = {
  /** `in`: a token was issued. `refused`: the server rejected the credentials. `unsure`: neither. */
  readonly kind: "in" | "refused" | "unsure";
  /** Null if there was no HTTP response. */
  readonly status: number | null;
  readonly outcome: string;
  readonly exchange: number;
};

export interface Login {
  readonly said: LoginSaid;
  /** For a header, never for evidence. Empty if none was issued. */
  readonly token: string;
}

export async function tryLogin(target: Target, name: string, password: string): Promise<Login> {
  const reply = await target.request(null, {
    method: "POST",
    path: "/v1/api/auth/login",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ [target.capabilities.loginField]: name, password }),
  });
  const { exchange } = reply;
  if (reply.kind === "broken")
    return { said: { kind: "unsure", status: null, outcome: reply.detail, exchange }, token: "" };
  const { status } = reply;
  const body = (typeof reply.json === "object" && reply.json !== null ? reply.json : {}) as { [name: string]: Json };
  const token = cellText(body["access_token"]);
  const outcome = `${status} ${cellText(body["error"])} ${cellText(body["message"])}`.trim();
  if (status === 200 && token !== "") return { said: { kind: "in", status, outcome: "200", exchange }, token };
  const refused = status === 401 || status === 403;
  return { said: { kind: refused ? "refused" : "unsure", status, outcome, exchange }, token: "" };
}
