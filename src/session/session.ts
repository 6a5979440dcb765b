/**
 * A run's connection to one server: the login, what the server is, and everything that the checks of a run share. It has
 * no faults: checks get a target made from it, and the runner's own set-up and clean-up use it directly.
 */
import { Accounts } from "./accounts.ts";
import { Contradictions } from "./contradictions.ts";
import { Entrance } from "../server/entrance.ts";
import { learn, signsOfSettings, type Learned } from "../server/dialect.ts";
import type { FoundPostgres } from "../server/postgres.ts";
import { enter, type Credentials, type NoSession } from "./entering.ts";
import { onlyRow, rowsOf } from "../server/answer.ts";
import { cellText, isRecord } from "../wire/json.ts";
import type { Ledger } from "./ledger.ts";
import { logIn, type LoginField } from "./login.ts";
import { below, halfOf, Pacer } from "./pacing.ts";
import type { Recording } from "./recording.ts";
import type { Redactor } from "./redaction.ts";
import { Renewal } from "./renewal.ts";
import { prefixOf } from "./scratch.ts";
import { makeSender, type Account, type Reply, type Sender, type SenderParts } from "../server/sender.ts";
import type { Wire } from "../wire/wire.ts";

/** What the server reports about itself; never guessed. */
export interface Capabilities {
  /** Undefined if no endpoint and no view shows it. */
  readonly version: string | undefined;
  readonly loginField: LoginField;
  /** `system.settings`; empty if the login may not read it. */
  readonly settings: Readonly<Record<string, string>>;
  /** False where the settings say that nobody may log in with a password. */
  readonly passwordLogin: boolean;
}

export interface Session {
  readonly run: string;
  readonly url: string;
  /** The server is on another machine, or takes us for a client on another one: a published port, a tunnel, a proxy. */
  readonly remote: boolean;
  /** The parts for further senders of this session. */
  readonly parts: SenderParts;
  /** Sends without faults, for the runner's own set-up and clean-up. */
  readonly sender: Sender;
  /** Null: nobody logged in, so nothing is created. */
  readonly login: Account | null;
  readonly capabilities: Capabilities;
  /** Where versions differ: from the version alone until the server was asked (`askDialect`). */
  learned: Learned;
  /** Absent until it was looked for (`findPostgres`). */
  postgres?: FoundPostgres;
  readonly accounts: Accounts;
  readonly ledger: Ledger;
  /** The next name for a scratch namespace; never reused, not even after it was dropped. */
  readonly nextName: () => string;
  /** Live connections opened so far; each has its own lane in the pacer. And whether any gets in. */
  readonly sockets: { opened: number; readonly entrance: Entrance };
  /** Answers that disagree with themselves: those to checks by the holder of the target. */
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
  /** How many the wire has for requests that do not ask for one of their own. */
  readonly connections?: number;
  /** No rest that the server asks for may outlast this. */
  readonly budgetMs?: number;
  /** The user's own limit for the whole run. */
  readonly maxPerSecond?: number;
}

export async function openSession(parts: SessionParts): Promise<Session | NoSession> {
  const { run, url, wire, credentials, redactor, recording, timeoutMs } = parts;
  const tokens = new Map<string, string>();
  const pacer = new Pacer(parts.connections);
  if (parts.budgetMs !== undefined) pacer.endRests(performance.now() + parts.budgetMs);
  const rate = { refusals: 0, banned: false };
  const contradictions = new Contradictions();
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
    onContradiction: (contradiction) => contradictions.note(contradictions.ofTheRun, contradiction),
  };
  const sender = makeSender(senderParts);
  if (parts.maxPerSecond !== undefined) {
    pacer.setPace("run", below(parts.maxPerSecond));
  }
  setPaces(pacer, !isLoopback(url), {});

  const entered = await enter(sender, credentials, (user, token) => renewal.keep(user, token));
  if (entered.kind !== "in" && entered.kind !== "outside") return entered;
  if (entered.kind === "in" && credentials.kind === "password") {
    field = entered.field;
    renewal.keep(entered.user, entered.token, credentials.password);
  }
  const login: Account | null = entered.kind === "in" ? { name: entered.user, role: entered.role } : null;
  const loginField = entered.kind === "in" ? entered.field : "user";
  // A port published on loopback or a tunnel: the server still limits us like any remote client.
  const remote = entered.remote || !isLoopback(url);

  const capabilities = await askCapabilities(sender, login, loginField);
  setPaces(pacer, remote, capabilities.settings);
  const ledger = parts.openLedger();
  const accounts = new Accounts({
    sender,
    login,
    loginField,
    passwordLogin: capabilities.passwordLogin,
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
  const sockets = { opened: 0, entrance: new Entrance() };
  return {
    run,
    url,
    remote,
    nextName,
    sockets,
    parts: senderParts,
    sender,
    login,
    capabilities,
    learned: learn(capabilities.version, signsOfSettings(capabilities.settings)),
    accounts,
    ledger,
    contradictions,
    rate,
  };
}

async function askCapabilities(sender: Sender, login: Account | null, loginField: LoginField): Promise<Capabilities> {
  const askHealth = async (): Promise<Reply> => await sender.request(null, { method: "GET", path: "/health" });
  if (login === null) return { version: versionIn(await askHealth()), loginField, settings: {}, passwordLogin: true };
  const [health, settings, stats] = await Promise.all([
    askHealth(),
    sender.sql(login, "SELECT name, value FROM system.settings LIMIT 1000"),
    sender.sql(login, "SELECT metric_value AS version FROM system.stats WHERE metric_name = 'server_version' LIMIT 1"),
  ]);
  // /health is closed to remote clients, and a plain user may not read the views.
  const version = versionIn(health) ?? onlyRow(stats)?.["version"];
  const rows = rowsOf(settings) ?? [];
  const values = Object.fromEntries(rows.map((row) => [cellText(row["name"]), cellText(row["value"])]));
  return {
    version: typeof version === "string" ? version : undefined,
    loginField,
    settings: values,
    passwordLogin: values["auth.local.enabled"] !== "false",
  };
}

function versionIn({ json }: Reply): string | undefined {
  const told = isRecord(json) ? json["version"] : undefined;
  return typeof told === "string" ? told : undefined;
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
