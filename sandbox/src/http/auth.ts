import { isLoopback } from "../settings-file.ts";
import type { Profile } from "../sql/accounts.ts";
import { json, parseJson, plain, problemWithBody, type ApiRequest, type Context, type Reply } from "./exchange.ts";
import { sign, verify, type Claims } from "./jwt.ts";

const dayS = 24 * 60 * 60;
const lifetimeS = { access: dayS, refresh: 7 * dayS };

type Handler = (request: ApiRequest, context: Context) => Promise<Reply>;

/** The routes below `/v1/api/auth/`. */
export const authRoutes: Readonly<Record<string, Handler>> = {
  "GET status": status,
  "POST setup": setup,
  "POST login": logIn,
  "POST refresh": refresh,
  "GET me": me,
  "POST logout": async () => ({
    ...json(200, { message: "Logged out successfully" }),
    cookies: ["kalamdb_auth", "kalamdb_refresh"].map((name) => cookie(name, "", 0)),
  }),
};

const unauthorized = (message: string): Reply => json(401, { error: "unauthorized", message });

const invalidToken = (token: string, problem: string): Reply =>
  unauthorized(`JWT validation failed: ${token.includes(".") ? problem : "Invalid JWT header: InvalidToken"}`);

async function status({ address }: ApiRequest, { database }: Context): Promise<Reply> {
  if (!isLoopback(address)) return json(403, { error: "forbidden", message: "Setup is for this host only" });
  const needed = await database.ask("needsSetup", null);
  const message = needed
    ? "Server requires initial setup. Call POST /v1/api/auth/setup with user, password, root_password, and optional email."
    : "Server is configured and ready.";
  return json(200, { needs_setup: needed, message });
}

async function setup(request: ApiRequest, { database }: Context): Promise<Reply> {
  if (!isLoopback(request.address)) return json(403, { error: "forbidden", message: "Setup is for this host only" });
  const body = await readFields(
    request,
    ["user", "username", "password", "root_password", "email"],
    ["password", "root_password"],
  );
  if ("reply" in body) return body.reply;
  const { fields } = body;
  const user = fields["user"] ?? "";
  const answer = await database.ask("setup", {
    user,
    password: fields["password"] ?? "",
    rootPassword: fields["root_password"] ?? "",
    email: fields["email"] ?? null,
  });
  switch (answer.kind) {
    case "already":
      return json(409, {
        error: "already_configured",
        message: "Server has already been configured. Root password is set.",
      });
    case "weak":
      return json(400, { error: "weak_password", message: answer.message });
    case "refused":
      return json(400, { error: "bad_request", message: answer.message });
    case "done":
      break;
  }
  return json(200, {
    user: answer.profile,
    message: `Server setup complete. Root password configured and DBA user '${user}' created. Please login to continue.`,
  });
}

async function logIn(request: ApiRequest, context: Context): Promise<Reply> {
  const body = await readFields(request, ["user", "username", "password"], ["password"]);
  if ("reply" in body) return body.reply;
  const { fields } = body;
  const answer = await context.database.ask("login", {
    user: fields["user"] ?? "",
    password: fields["password"] ?? "",
    address: request.address,
  });
  switch (answer.kind) {
    case "unset":
      return json(428, {
        error: "setup_required",
        message: "Server requires initial setup. Root password is not configured.",
      });
    case "locked":
      return json(401, { error: "account_locked", message: `${answer.minutes} minute(s)` });
    case "wrong":
      return unauthorized("Invalid credentials");
    case "in":
      break;
  }
  return tokens(answer.profile, context);
}

async function refresh(request: ApiRequest, context: Context): Promise<Reply> {
  const token = bearer(request) ?? cookieNamed("kalamdb_refresh", request);
  if (token === undefined) return unauthorized("No refresh token found");
  const claims = verify(token, context.secret, Date.now() / 1000);
  if (typeof claims === "string") return invalidToken(token, claims);
  if (claims.token_type !== "refresh") return unauthorized("Refresh endpoint requires a refresh token");
  const profile = await context.database.ask("profile", { user: claims.sub });
  return profile === undefined ? unauthorized("Invalid credentials") : tokens(profile, context);
}

async function me(request: ApiRequest, { secret, database }: Context): Promise<Reply> {
  const token = bearer(request) ?? cookieNamed("kalamdb_auth", request);
  if (token === undefined) return unauthorized("No auth token found");
  const claims = verify(token, secret, Date.now() / 1000);
  if (typeof claims === "string") return invalidToken(token, claims);
  const profile = await database.ask("profile", { user: claims.sub });
  return profile === undefined
    ? unauthorized("Invalid credentials")
    : json(200, { user: profile, admin_ui_access: mayAdminister(profile) });
}

const mayAdminister = ({ role }: Profile): boolean => role === "dba" || role === "system";

function tokens(profile: Profile, { secret }: Context): Reply {
  const now = Math.floor(Date.now() / 1000);
  const make = (type: Claims["token_type"]): string =>
    sign(
      {
        sub: profile.id,
        iss: "kalamdb",
        exp: now + lifetimeS[type],
        iat: now,
        ...(profile.email === null ? {} : { email: profile.email }),
        role: profile.role,
        token_type: type,
      },
      secret,
    );
  const [access, again] = [make("access"), make("refresh")];
  const until = (type: Claims["token_type"]): string =>
    new Date((now + lifetimeS[type]) * 1000).toISOString().replace("Z", "+00:00");
  return {
    ...json(200, {
      user: profile,
      admin_ui_access: mayAdminister(profile),
      expires_at: until("access"),
      access_token: access,
      refresh_token: again,
      refresh_expires_at: until("refresh"),
    }),
    cookies: [
      cookie("kalamdb_auth", access, now + lifetimeS.access),
      cookie("kalamdb_refresh", again, now + lifetimeS.refresh),
    ],
  };
}

const cookie = (name: string, value: string, untilSeconds: number): string =>
  `${name}=${value}; HttpOnly; SameSite=Strict; Path=/; Expires=${new Date(untilSeconds * 1000).toUTCString()}`;

function cookieNamed(name: string, { headers }: ApiRequest): string | undefined {
  return headers.cookie
    ?.split(";")
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

export function bearer({ headers }: ApiRequest): string | undefined {
  return /^Bearer (.*)$/.exec(headers.authorization ?? "")?.[1];
}

type Fields = { readonly fields: Readonly<Record<string, string>> } | { readonly reply: Reply };

/** Reads a JSON body whose fields are all strings; `username` is the older name of `user`. */
async function readFields(request: ApiRequest, known: readonly string[], needed: readonly string[]): Promise<Fields> {
  const text = (await request.body()).toString();
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? ""))
    return { reply: plain(400, "Content type error") };
  const value = parseJson(text);
  const problem = problemWithBody(text, value, { known, strict: true, needed });
  if (problem !== undefined) return { reply: plain(400, problem) };
  const { username, ...others } = value as Readonly<Record<string, unknown>>;
  const at = `at line 1 column ${text.length}`;
  if (username !== undefined && others["user"] !== undefined)
    return { reply: plain(400, `Json deserialize error: duplicate field \`user\` ${at}`) };
  const all = { ...others, ...(username === undefined ? {} : { user: username }) } as Readonly<Record<string, unknown>>;
  if (all["user"] === undefined) return { reply: plain(400, `Json deserialize error: missing field \`user\` ${at}`) };
  const wrong = Object.entries(all).find(
    ([name, field]) => typeof field !== "string" && !(name === "email" && field === null),
  );
  if (wrong !== undefined)
    return {
      reply: plain(400, `Json deserialize error: invalid type: ${JSON.stringify(wrong[1])}, expected a string ${at}`),
    };
  const fields = Object.fromEntries(Object.entries(all).filter(([, field]) => field !== null)) as Readonly<
    Record<string, string>
  >;
  return { fields };
}
