/** The PostgreSQL port of a server: where it is, and how checks use it. */
import {
  nameOf,
  type PostgresLogin,
  type PostgresOutcome,
  type PostgresPlace,
  type PostgresRefusal,
  type PostgresResult,
} from "../wire/postgres/postgres.ts";
import { truncated } from "../formats/printable.ts";
import { isLoopback, type Session } from "../session/session.ts";
import { destinationOf } from "../wire/way.ts";
import type { Wire } from "../wire/wire.ts";
import { valueOf } from "./dialect.ts";
import type { Account, SenderParts } from "./sender.ts";

/** Where the user says that it is; `none`: it is not to be looked at. */
export type PostgresGiven = PostgresPlace | "none";

/** `named`: the user or the server's settings say that it is there; otherwise it is only where such a port usually is. */
export type FoundPostgres =
  | { readonly kind: "there"; readonly place: PostgresPlace; readonly named: boolean }
  | { readonly kind: "absent"; readonly why: string };

/** With which name and password to log in. */
export type PostgresAs =
  | { readonly account: Account }
  /** A password that opens nothing. */
  | { readonly user: string; readonly wrongPassword: string };

export interface PostgresOptions {
  /** Simple queries, of one statement each. */
  readonly queries?: readonly string[];
  /** Called while it is logged in, after the queries. */
  readonly meanwhile?: () => Promise<void>;
  /** Another address of this machine, at the same port. */
  readonly at?: string;
}

/** The outcome, with the number of its exchange for `sent` in findings. */
export type PostgresSaid = PostgresOutcome & { readonly exchange: number };

/** As checks see it. */
export interface TargetPostgres {
  /** `host:port`. */
  readonly name: string;
  readonly named: boolean;
  readonly isLoopback: boolean;
  /** Addresses of this machine that other machines may reach. */
  readonly ownAddresses: readonly string[];
  /** Throws for accounts that are not the run's own. */
  call(as: PostgresAs, options?: PostgresOptions): Promise<PostgresSaid>;
}

const callMs = 10_000;
/** Of a server of 0.8, unless its settings or the user say otherwise. */
const usualPort = 5432;

interface Looking {
  readonly given?: PostgresGiven | undefined;
  /** The server is reached through a proxy for HTTP. */
  readonly proxied?: boolean;
  readonly signal: AbortSignal;
}

/** Looks for the port and keeps what it found in the session. It sends no password. */
export async function findPostgres(session: Session, looking: Looking): Promise<void> {
  session.postgres = await whereItIs(session, looking);
}

async function whereItIs(
  { url, parts, learned, capabilities: { settings }, run }: Session,
  { given, proxied = false, signal }: Looking,
): Promise<FoundPostgres> {
  const { postgres } = parts.wire;
  const absent = (why: string): FoundPostgres => ({ kind: "absent", why });
  if (given === "none") return absent("it is not to be looked at (--postgres none)");
  if (postgres === undefined || valueOf(learned.dialect.postgresPort) !== true) return absent("this version has none");
  const enabled = settings["postgres_wire.enabled"];
  if (given === undefined && enabled === "false") return absent("it is switched off (postgres_wire.enabled is false)");
  if (given === undefined && proxied)
    return absent("the server is reached through a proxy; name the PostgreSQL port with --postgres");
  const place = given ?? {
    host: destinationOf(url).host,
    port: Number(settings["postgres_wire.port"] ?? usualPort),
  };
  const named = given !== undefined || enabled === "true";
  if (named) return { kind: "there", place, named };
  // A database of somebody else may listen there. It asks for its passwords in another way, and sees no password of ours.
  const login = { user: `kr_${run}_nobody`, password: "", isSecret: true };
  const outcome = await postgres.call({ at: place, login, queries: [], timeoutMs: callMs, signal });
  const why = whyNotKalamDb(outcome);
  if (why === undefined) return { kind: "there", place, named };
  const where = outcome.kind === "unreached" ? "" : `${nameOf(place)}: `;
  return absent(`${where}${why}; if it is elsewhere, name it with --postgres`);
}

/** Undefined if it may be KalamDB. */
function whyNotKalamDb(outcome: PostgresOutcome): string | undefined {
  if (outcome.kind !== "reached") return outcome.detail;
  const { asks, login } = outcome;
  if (asks === "clearText" || login.kind === "in" || login.kind === "broken") return undefined;
  return asks === null || asks === "nothing"
    ? "another PostgreSQL server refuses us there before it asks for a password"
    : "another PostgreSQL server listens there: it asks for passwords in another way than KalamDB";
}

export function makePostgres(
  { place, named }: Extract<FoundPostgres, { readonly kind: "there" }>,
  postgres: NonNullable<Wire["postgres"]>,
  parts: Pick<SenderParts, "pacer" | "recording" | "signal">,
  passwordOf: (account: Account) => string,
): TargetPostgres {
  const { pacer, recording, signal } = parts;
  return {
    name: nameOf(place),
    named,
    isLoopback: isLoopback(`http://${nameOf(place)}`),
    ownAddresses: postgres.ownAddresses,
    async call(as, { queries = [], meanwhile, at = place.host } = {}) {
      signal?.throwIfAborted();
      const login = loginOf(as, passwordOf);
      const number = recording.next();
      await pacer.turn(["run", "address", "login", `account:${login.user}`], signal);
      for (const _ of queries) await pacer.turn(["run", `account:${login.user}`], signal);
      const sentAt = performance.now();
      const outcome = await postgres.call({
        at: { host: at, port: place.port },
        login,
        queries,
        timeoutMs: callMs,
        ...(meanwhile === undefined ? {} : { meanwhile }),
        ...(signal === undefined ? {} : { signal }),
      });
      recording.note({
        number,
        method: "postgres",
        path: nameOf({ host: at, port: place.port }),
        as: login.user,
        text: queries.join("; "),
        outcome: postgresText(outcome),
        sentAt,
        doneAt: performance.now(),
      });
      signal?.throwIfAborted();
      return { ...outcome, exchange: number };
    },
  };
}

function loginOf(as: PostgresAs, passwordOf: (account: Account) => string): PostgresLogin {
  return "account" in as
    ? { user: as.account.name, password: passwordOf(as.account), isSecret: true }
    : { user: as.user, password: as.wrongPassword, isSecret: false };
}

/** The outcome in one line. */
export function postgresText(outcome: PostgresOutcome): string {
  if (outcome.kind !== "reached") return outcome.detail;
  const { tls, login, results } = outcome;
  const encrypted = { verified: "TLS", unverified: "TLS, not verified", none: "no TLS" }[tls];
  return [encrypted, loginText(login), ...results.map(resultText)].join("; ");
}

function loginText(login: Extract<PostgresOutcome, { readonly kind: "reached" }>["login"]): string {
  if (login.kind === "refused") return `login refused: ${refusalText(login)}`;
  if (login.kind === "broken") return `login: ${login.detail}`;
  return { in: "logged in", withheld: "the password was not sent" }[login.kind];
}

function resultText(result: PostgresResult): string {
  if (result.kind === "rows") return `${result.rows.length} rows`;
  return result.kind === "refused" ? refusalText(result) : result.detail;
}

export function refusalText({ code, message }: Pick<PostgresRefusal, "code" | "message">): string {
  return `${code} ${truncated(message, 200)}`.trim();
}
