/**
 * A run's connection to one server: the login, what the server is, and everything that the checks of a run share. It has
 * no faults: checks get a target made from it, and the runner's own set-up and clean-up use it directly.
 */
import { Accounts } from "./accounts.ts";
import { onlyRow, rowsOf } from "../server/answer.ts";
import { cellText, isRecord } from "../wire/json.ts";
import { truncated } from "../formats/printable.ts";
import type { Ledger } from "./ledger.ts";
import { claimsOf, logIn, roleOf, type LoginField, type LoginOutcome } from "./login.ts";
import { halfOf, Pacer } from "./pacing.ts";
import type { Recording } from "./recording.ts";
import type { Redactor } from "./redaction.ts";
import { prefixOf } from "./scratch.ts";
import { makeSender, type Account, type Reply, type Sender, type SenderParts } from "../server/sender.ts";
import type { Wire } from "../wire/wire.ts";

export type Credentials =
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string };

/** What the server reports about itself; never guessed. */
export interface Capabilities {
  /** Undefined if no endpoint and no view shows it. */
  readonly version: string | undefined;
  readonly loginField: LoginField;
  /** `system.settings`; empty if the login may not read it. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface Session {
  readonly run: string;
  readonly url: string;
  /** The parts for further senders of this session. */
  readonly parts: SenderParts;
  /** Sends without faults, for the runner's own set-up and clean-up. */
  readonly sender: Sender;
  readonly login: Account;
  readonly capabilities: Capabilities;
  readonly accounts: Accounts;
  readonly ledger: Ledger;
  /** The next name for a scratch namespace; never reused, not even after it was dropped. */
  readonly nextName: () => string;
  /** Live connections opened so far; each has its own lane in the pacer. */
  readonly sockets: { opened: number };
  /** Rate limit refusals so far; `banned` once the server has banned our address. */
  readonly rate: { refusals: number; banned: boolean };
}

/** Why there is no session. Each kind has its own exit code. */
export type NoSession =
  | { readonly kind: "unreachable"; readonly sentence: string }
  | { readonly kind: "denied"; readonly sentence: string }
  | { readonly kind: "notKalamDb"; readonly sentence: string };

export interface SessionParts {
  readonly run: string;
  readonly url: string;
  readonly wire: Wire;
  readonly credentials: Credentials;
  readonly redactor: Redactor;
  readonly recording: Recording;
  /** Called only after the login: without one there is nothing to clean up. */
  readonly openLedger: () => Ledger;
  readonly timeoutMs: number;
  /** The user's own limit for the whole run. */
  readonly maxPerSecond?: number;
}

export async function openSession(parts: SessionParts): Promise<Session | NoSession> {
  const { run, url, wire, credentials, redactor, recording, timeoutMs } = parts;
  const tokens = new Map<string, string>();
  const pacer = new Pacer();
  const rate = { refusals: 0, banned: false };
  const senderParts: SenderParts = {
    wire,
    tokens,
    pacer,
    recording,
    timeoutMs,
    onRate(code) {
      rate.refusals += 1;
      if (code === "IP_BANNED") rate.banned = true;
    },
  };
  const sender = makeSender(senderParts);
  if (parts.maxPerSecond !== undefined) {
    // No second may exceed this limit, so there is no burst on top of it.
    pacer.setPace("run", { perSecond: Math.max(0.5, parts.maxPerSecond - 1), burst: 1 });
  }
  setPaces(pacer, url, {});

  const status = await sender.request(null, { method: "GET", path: "/v1/api/auth/status" });
  const noSession = whyNoSession(status);
  if (noSession !== undefined) return noSession;

  const entered =
    credentials.kind === "password"
      ? await logIn(sender, credentials.user, credentials.password)
      : await enterWithToken(sender, tokens, credentials.token);
  if (entered.kind === "denied") return entered;
  if (entered.kind === "unclear") return { kind: "notKalamDb", sentence: entered.sentence };
  redactor.add(entered.token);
  tokens.set(entered.user, entered.token);
  const login: Account = { name: entered.user, role: entered.role };

  const capabilities = await askCapabilities(sender, login, entered.field);
  setPaces(pacer, url, capabilities.settings);
  const ledger = parts.openLedger();
  const accounts = new Accounts({
    sender,
    login,
    loginField: entered.field,
    tokens,
    redactor,
    ledger,
    prefix: prefixOf(run),
  });
  let names = 0;
  const nextName = (): string => {
    names += 1;
    return `${prefixOf(run)}_${names}`;
  };
  const sockets = { opened: 0 };
  return { run, url, nextName, sockets, parts: senderParts, sender, login, capabilities, accounts, ledger, rate };
}

/** Why the server cannot be a KalamDB that is ready for us; undefined if it may be one. */
function whyNoSession(status: Reply): NoSession | undefined {
  if (status.kind === "broken") {
    if (status.because === "unreachable" || status.because === "timeout" || status.because === "reset") {
      return { kind: "unreachable", sentence: status.detail };
    }
    return { kind: "notKalamDb", sentence: `the server does not speak valid HTTP: ${status.detail}` };
  }
  if (status.status === 200 && isRecord(status.json) && typeof status.json["needs_setup"] === "boolean")
    return undefined;
  // A server without this endpoint answers an empty 404; a proxy in front of one that is down or starting, 502 to 504.
  if (status.status === 404 && status.text === "") return undefined;
  if (status.status === 401 || status.status === 403 || status.status === 429) {
    return {
      kind: "denied",
      sentence: `GET /v1/api/auth/status was refused: ${status.status} ${truncated(status.text, 120)}`.trim(),
    };
  }
  if (status.status >= 502 && status.status <= 504) {
    return {
      kind: "unreachable",
      sentence: `no server answers at this address: ${status.status} ${truncated(status.text, 120)}`.trim(),
    };
  }
  const location = status.headers["location"];
  const what = location === undefined ? truncated(status.text.replace(/\s+/g, " "), 80) : `a redirect to ${location}`;
  return {
    kind: "notKalamDb",
    sentence: `the web server at this address is not KalamDB: GET /v1/api/auth/status returned ${status.status} ${what}`,
  };
}

async function enterWithToken(sender: Sender, tokens: Map<string, string>, token: string): Promise<LoginOutcome> {
  const user = cellText(claimsOf(token)["sub"]) || "token";
  tokens.set(user, token);
  const reply = await sender.request({ name: user, role: "user" }, { method: "GET", path: "/v1/api/auth/me" });
  if (reply.kind === "broken")
    return { kind: "unclear", sentence: `GET /v1/api/auth/me was not answered: ${reply.detail}` };
  if (reply.status === 401 || reply.status === 403) {
    return { kind: "denied", sentence: `the token was refused: ${reply.status} ${truncated(reply.text, 120)}` };
  }
  if (reply.status >= 500) {
    return {
      kind: "unclear",
      sentence: `GET /v1/api/auth/me returned ${reply.status} ${truncated(reply.text, 120)}`,
    };
  }
  const about = isRecord(reply.json) ? reply.json["user"] : undefined;
  const role = roleOf(isRecord(about) ? about["role"] : undefined) ?? roleOf(claimsOf(token)["role"]);
  if (role === undefined)
    return { kind: "unclear", sentence: `GET /v1/api/auth/me returned ${reply.status} without a role` };
  return { kind: "in", token, user, role, field: "user" };
}

async function askCapabilities(sender: Sender, login: Account, loginField: LoginField): Promise<Capabilities> {
  const [health, settings, stats] = await Promise.all([
    sender.request(null, { method: "GET", path: "/health" }),
    sender.sql(login, "SELECT name, value FROM system.settings LIMIT 1000"),
    sender.sql(login, "SELECT metric_value AS version FROM system.stats WHERE metric_name = 'server_version' LIMIT 1"),
  ]);
  // /health is closed to remote clients, and a plain user may not read the views.
  const told = isRecord(health.json) ? health.json["version"] : undefined;
  const version = typeof told === "string" ? told : onlyRow(stats)?.["version"];
  const rows = rowsOf(settings) ?? [];
  return {
    version: typeof version === "string" ? version : undefined,
    loginField,
    settings: Object.fromEntries(rows.map((row) => [cellText(row["name"]), cellText(row["value"])])),
  };
}

/** Half of each of the server's limits, or of the defaults if they cannot be read. Loopback has no limit by address. */
function setPaces(pacer: Pacer, url: string, settings: Readonly<Record<string, string>>): void {
  const limit = (name: string, fallback: number): number => {
    const value = Number(settings[`rate_limit.${name}`]);
    return Number.isFinite(value) && value > 0 ? value : fallback;
  };
  pacer.setPace("account", halfOf(limit("max_queries_per_sec", 100)));
  pacer.setPace("message", halfOf(limit("max_messages_per_sec", 50)));
  pacer.setPace("login", halfOf(limit("max_auth_requests_per_ip_per_sec", 20)));
  if (!isLoopback(url)) pacer.setPace("address", halfOf(limit("max_requests_per_ip_per_sec", 200)));
}

export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
