/**
 * A run's connection to one server: the login, what the server is, and everything that the checks of a run share. It has
 * no faults: checks get a target made from it, and the runner's own set-up and clean-up use it directly.
 */
import { Accounts } from "./accounts.ts";
import { Contradictions } from "./contradictions.ts";
import { enter, type Credentials, type NoSession } from "./entering.ts";
import { onlyRow, rowsOf } from "../server/answer.ts";
import { cellText, isRecord } from "../wire/json.ts";
import type { Ledger } from "./ledger.ts";
import { logIn, type LoginField } from "./login.ts";
import { halfOf, Pacer } from "./pacing.ts";
import type { Recording } from "./recording.ts";
import type { Redactor } from "./redaction.ts";
import { Renewal } from "./renewal.ts";
import { prefixOf } from "./scratch.ts";
import { makeSender, type Account, type Sender, type SenderParts } from "../server/sender.ts";
import type { Wire } from "../wire/wire.ts";

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
  /** Answers to checks that disagree with themselves, by the holder of the target. */
  readonly contradictions: Contradictions;
  /** Rate limit refusals so far; `banned` once the server has banned our address. */
  readonly rate: { refusals: number; banned: boolean };
}

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
  /** No rest that the server asks for may outlast this. */
  readonly budgetMs?: number;
  /** The user's own limit for the whole run. */
  readonly maxPerSecond?: number;
}

export async function openSession(parts: SessionParts): Promise<Session | NoSession> {
  const { run, url, wire, credentials, redactor, recording, timeoutMs } = parts;
  const tokens = new Map<string, string>();
  const pacer = new Pacer();
  if (parts.budgetMs !== undefined) pacer.endRests(performance.now() + parts.budgetMs);
  const rate = { refusals: 0, banned: false };
  let field: LoginField | undefined;
  const renewal = new Renewal({
    tokens,
    redactor,
    logIn: async (user, password) => await logIn(sender, user, password, field),
  });
  const senderParts: SenderParts = {
    wire,
    tokens,
    renewal,
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
  setPaces(pacer, !isLoopback(url), {});

  const entered = await enter(sender, credentials, (user, token) => renewal.keep(user, token));
  if (entered.kind !== "in") return entered;
  if (credentials.kind === "password") {
    field = entered.field;
    renewal.keep(entered.user, entered.token, credentials.password);
  }
  const login: Account = { name: entered.user, role: entered.role };
  // A port published on loopback or a tunnel: the server still limits us like any remote client.
  const remote = entered.remote || !isLoopback(url);

  const capabilities = await askCapabilities(sender, login, entered.field);
  setPaces(pacer, remote, capabilities.settings);
  const ledger = parts.openLedger();
  const accounts = new Accounts({
    sender,
    login,
    loginField: entered.field,
    renewal,
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
  const contradictions = new Contradictions();
  return {
    run,
    url,
    nextName,
    sockets,
    parts: senderParts,
    sender,
    login,
    capabilities,
    accounts,
    ledger,
    contradictions,
    rate,
  };
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

/** Half of each of the server's limits, or of the defaults if they cannot be read. Only remote clients have a limit by address. */
function setPaces(pacer: Pacer, remote: boolean, settings: Readonly<Record<string, string>>): void {
  const limit = (name: string, fallback: number): number => {
    const value = Number(settings[`rate_limit.${name}`]);
    return Number.isFinite(value) && value > 0 ? value : fallback;
  };
  pacer.setPace("account", halfOf(limit("max_queries_per_sec", 100)));
  pacer.setPace("message", halfOf(limit("max_messages_per_sec", 50)));
  pacer.setPace("login", halfOf(limit("max_auth_requests_per_ip_per_sec", 20)));
  if (remote) pacer.setPace("address", halfOf(limit("max_requests_per_ip_per_sec", 200)));
}

export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
