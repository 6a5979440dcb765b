/** Logging in. A password is never retried: five wrong ones lock an account for 15 minutes. */
import { truncated } from "../formats/printable.ts";
import { isRecord, type Json, parseExact } from "../wire/json.ts";
import { plausibleToken } from "./redaction.ts";
import type { Reply, Role, Sender } from "../server/sender.ts";

export interface LoggedIn {
  readonly kind: "in";
  readonly token: string;
  readonly user: string;
  readonly role: Role;
  readonly field: LoginField;
}

export type LoginOutcome =
  | LoggedIn
  /** The server refused the login. */
  | { readonly kind: "denied"; readonly sentence: string }
  /** The login was not answered, or not in a known form. */
  | { readonly kind: "unclear"; readonly sentence: string };

export const notSetUp =
  "the server has not been set up: POST /v1/api/auth/setup, or KALAMDB_ROOT_PASSWORD at its first start";
const loginPath = "/v1/api/auth/login";

/** The name of the user field in a login request: `username` up to 0.4.2-rc2. */
export type LoginField = "user" | "username";

export async function logIn(sender: Sender, user: string, password: string, field?: LoginField): Promise<LoginOutcome> {
  const reply = await tryField(sender, field ?? "user", user, password);
  // An unknown field is refused before the password is checked, so the second request is not a second attempt.
  const unknownField =
    reply.kind === "answered" && reply.status === 400 && /unknown field|missing field/.test(reply.text);
  if (field === undefined && unknownField)
    return outcome(await tryField(sender, "username", user, password), user, "username");
  return outcome(reply, user, field ?? "user");
}

async function tryField(sender: Sender, field: LoginField, user: string, password: string): Promise<Reply> {
  return await sender.request(null, {
    method: "POST",
    path: loginPath,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ [field]: user, password }),
  });
}

function outcome(reply: Reply, user: string, field: LoginField): LoginOutcome {
  if (reply.kind === "broken") {
    return reply.because === "rate"
      ? {
          kind: "denied",
          sentence: `the login of ${user} was refused: too many logins from this address (${reply.detail})`,
        }
      : { kind: "unclear", sentence: `the login of ${user} was not answered: ${reply.detail}` };
  }
  const { json, status } = reply;
  if (status === 200 && isRecord(json) && typeof json["access_token"] === "string") {
    if (!plausibleToken(json["access_token"]))
      return { kind: "unclear", sentence: `the login of ${user} was answered with something that is not a token` };
    const about = json["user"];
    const role = roleOf(isRecord(about) ? about["role"] : undefined) ?? roleOf(claimsOf(json["access_token"])["role"]);
    if (role === undefined) return { kind: "unclear", sentence: `the login of ${user} was answered without a role` };
    return { kind: "in", token: json["access_token"], user, role, field };
  }
  const words = isRecord(json) ? `${word(json["error"])} ${word(json["message"])}`.trim() : truncated(reply.text, 120);
  if (status === 428) return { kind: "denied", sentence: notSetUp };
  if (isRefusal(reply)) {
    const advice = /locked/.test(words)
      ? "the account is locked after too many wrong passwords: wait, or use another account"
      : "it will not be retried: five wrong passwords lock the account";
    return { kind: "denied", sentence: `the login of ${user} was refused (${status} ${words}); ${advice}` };
  }
  const location = reply.headers["location"] === undefined ? "" : ` (a redirect to ${reply.headers["location"]})`;
  return {
    kind: "unclear",
    sentence: `POST ${loginPath} as ${user} returned ${`${status} ${words}`.trim()}${location}; that is not an answer of KalamDB`,
  };
}

/** A refusal in KalamDB's form. Any web server answers 401 or 403 to strangers; only KalamDB says so with a code. */
export function isRefusal(reply: Reply): boolean {
  if (reply.kind === "broken" || (reply.status !== 401 && reply.status !== 403)) return false;
  const error = isRecord(reply.json) ? reply.json["error"] : undefined;
  return typeof error === "string" || isRecord(error);
}

/** The claims of a JWT, unverified; empty if it is not one. */
export function claimsOf(token: string): Readonly<Record<string, Json>> {
  try {
    const claims = parseExact(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    return isRecord(claims) ? claims : {};
  } catch {
    return {};
  }
}

export function roleOf(value: Json | undefined): Role | undefined {
  return value === "user" || value === "service" || value === "dba" || value === "system" ? value : undefined;
}

function word(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
