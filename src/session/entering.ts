/** Whether a KalamDB answers at the address, and whether it lets us in. */
import { truncated } from "../formats/printable.ts";
import { outcomeOf } from "../server/answer.ts";
import type { Account, Reply, Sender } from "../server/sender.ts";
import { cellText, isRecord } from "../wire/json.ts";
import { claimsOf, isRefusal, logIn, notSetUp, roleOf, type LoggedIn, type LoginOutcome } from "./login.ts";

export type Credentials =
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string }
  /** Nobody logs in: only what needs no login can be checked. */
  | { readonly kind: "none" };

/** Why there is no session. Each kind has its own exit code. */
export type NoSession =
  | { readonly kind: "unreachable"; readonly sentence: string }
  /** As unreachable, but trying again cannot help. */
  | { readonly kind: "cannotConnect"; readonly sentence: string }
  | { readonly kind: "denied"; readonly sentence: string }
  | { readonly kind: "notKalamDb"; readonly sentence: string };

/** What `GET /v1/api/auth/status` shows before the login. */
interface Status {
  readonly kind: "status";
  /** `first`: nothing else is answered before it. */
  readonly needsSetup: boolean | "first";
  /** The endpoint is closed, as it should be to everyone but the server's own host: the server sees us as remote. */
  readonly remote: boolean;
}

export type Entered = (LoggedIn | { readonly kind: "outside" }) & Pick<Status, "remote">;

const statusPath = "/v1/api/auth/status";

/** `useToken` is called with a token before its first use. */
export async function enter(
  sender: Sender,
  credentials: Credentials,
  useToken: (user: string, token: string) => void,
): Promise<Entered | NoSession> {
  const status = readStatus(await sender.request(null, { method: "GET", path: statusPath }));
  if (status.kind !== "status") return status;
  if (credentials.kind === "none") return await stayOutside(sender, status);
  if (status.needsSetup === "first") return { kind: "denied", sentence: notSetUp };
  const outcome =
    credentials.kind === "password"
      ? await logIn(sender, credentials.user, credentials.password)
      : await enterWithToken(sender, credentials.token, useToken);
  if (outcome.kind === "in") return { ...outcome, remote: status.remote };
  if (status.needsSetup) return { kind: "denied", sentence: notSetUp };
  return { kind: outcome.kind === "denied" ? "denied" : "notKalamDb", sentence: outcome.sentence };
}

/** Why the server cannot be a KalamDB that is ready for us, if this answer shows it; else the login decides. */
function readStatus(reply: Reply): Status | NoSession {
  if (reply.kind === "broken") {
    if (reply.because === "rate") return { kind: "denied", sentence: `GET ${statusPath} was refused: ${reply.detail}` };
    if (reply.because === "unreachable" && reply.permanent === true)
      return { kind: "cannotConnect", sentence: reply.detail };
    if (reply.because === "unreachable" || reply.because === "timeout" || reply.because === "reset") {
      return { kind: "unreachable", sentence: reply.detail };
    }
    return { kind: "notKalamDb", sentence: `the server does not speak valid HTTP: ${reply.detail}` };
  }
  const { status, json } = reply;
  const said = `${status} ${truncated(reply.text.replace(/\s+/g, " "), 120)}`.trim();
  if (isRecord(json) && (json["error"] === "IP_BANNED" || json["error"] === "TOO_MANY_CONNECTIONS"))
    return { kind: "denied", sentence: `GET ${statusPath} was refused: ${said}` };
  if (status === 200 && isRecord(json) && typeof json["needs_setup"] === "boolean")
    return { kind: "status", needsSetup: json["needs_setup"], remote: false };
  if (status === 428) return { kind: "status", needsSetup: "first", remote: false };
  // Closed to remote clients, or older than this endpoint, or not passed on by a proxy: a client would still log in.
  if (status >= 400 && status < 500)
    return { kind: "status", needsSetup: false, remote: status === 401 || status === 403 };
  // A proxy in front of a server that is down or starting.
  if (status >= 502 && status <= 504)
    return { kind: "unreachable", sentence: `no server answers at this address: ${said}` };
  const location = reply.headers["location"];
  const what = location === undefined ? said : `${status} a redirect to ${location}`;
  return {
    kind: "notKalamDb",
    sentence: `the web server at this address is not KalamDB: GET ${statusPath} returned ${what}`,
  };
}

/** Without a login, the refusal of a query shows whether this is a KalamDB. */
async function stayOutside(sender: Sender, { remote }: Status): Promise<Entered | NoSession> {
  const answer = await sender.sql(null, "SELECT 1 AS one");
  const isKalamDb = answer.kind === "ok" || (answer.kind === "refused" && answer.cause === "login");
  if (isKalamDb) return { kind: "outside", remote };
  const sentence = `POST /v1/api/sql without a token returned ${outcomeOf(answer)}`;
  if (answer.kind === "unsure" && answer.because === "rate") return { kind: "denied", sentence };
  return { kind: "notKalamDb", sentence: `${sentence}; that is not an answer of KalamDB` };
}

async function enterWithToken(
  sender: Sender,
  token: string,
  useToken: (user: string, token: string) => void,
): Promise<LoginOutcome> {
  const claims = claimsOf(token);
  const user = cellText(claims["sub"]) || "token";
  const claimed = roleOf(claims["role"]);
  const account: Account = { name: user, role: claimed ?? "user" };
  useToken(user, token);
  const reply = await sender.request(account, { method: "GET", path: "/v1/api/auth/me" });
  if (reply.kind === "broken")
    return { kind: "unclear", sentence: `GET /v1/api/auth/me was not answered: ${reply.detail}` };
  const said = `${reply.status} ${truncated(reply.text, 120)}`.trim();
  if (reply.status === 428) return { kind: "denied", sentence: notSetUp };
  if (isRefusal(reply)) return { kind: "denied", sentence: `the token was refused: ${said}` };
  if (reply.status >= 500) return { kind: "unclear", sentence: `GET /v1/api/auth/me returned ${said}` };
  const about = isRecord(reply.json) ? reply.json["user"] : undefined;
  const told = roleOf(isRecord(about) ? about["role"] : undefined);
  if (told !== undefined) return { kind: "in", token, user, role: told, field: "user" };
  // Without an answer of KalamDB's so far, only SQL can show what this server is.
  const answer = await sender.sql(account, "SELECT 1 AS one");
  if (answer.kind === "refused" && answer.cause === "login")
    return { kind: "denied", sentence: `the token was refused: ${outcomeOf(answer)}` };
  if (answer.kind === "unsure")
    return { kind: "unclear", sentence: `GET /v1/api/auth/me returned ${said}, and SELECT 1: ${outcomeOf(answer)}` };
  if (claimed === undefined)
    return { kind: "unclear", sentence: `GET /v1/api/auth/me returned ${said}, without a role` };
  return { kind: "in", token, user, role: claimed, field: "user" };
}
