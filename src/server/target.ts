/** The server as checks see it. */
import type { AnotherStart, Control, Lifecycle, OwnControl } from "../wire/control.ts";
import type { Contradiction } from "../session/contradictions.ts";
import { refusedToAll } from "./entrance.ts";
import { startOther, type NoOtherServer, type OtherServer } from "./other-server.ts";
import { keeper, tooMuchKept } from "./kept.ts";
import { makeKalam, type RunKalam } from "./kalam.ts";
import { expiredSentence, makeSender, triesMax, type Account, type Sender, type SenderParts } from "./sender.ts";
import { withoutTokens } from "./recorded.ts";
import type { OwnRole } from "../session/accounts.ts";
import type { Dialect } from "./dialect.ts";
import { makePostgres, type TargetPostgres } from "./postgres.ts";
import { livePath, openLive, type Live, type LiveOptions, type NoLive, type Noted } from "./live.ts";
import { restMs, sleep } from "../session/pacing.ts";
import type { Capabilities, Session } from "../session/session.ts";
import { pingEveryMs } from "./pings.ts";
import type { Wire } from "../wire/wire.ts";

export type { Account, Reply } from "./sender.ts";
export type { OwnRole } from "../session/accounts.ts";
export type { Capabilities } from "../session/session.ts";
export { listed, onlyRow, outcomeOf, rowsOf, saidOf, isCleanRefusal, type Answer, type Said } from "./answer.ts";
export { known, valueOf, whyNotKnown, type Dialect, type Values } from "./dialect.ts";
export { truncated } from "../formats/printable.ts";
export { cellText, integerText } from "../wire/json.ts";
export { kalamText, type KalamOptions, type KalamSaid, type RunKalam } from "./kalam.ts";
export { versionOf, type Change, type Frame, type Row, type SubscribeOptions, type Subscription } from "./feed.ts";
export { refusalText, type PostgresSaid } from "./postgres.ts";
export type { NoOtherServer, OtherServer } from "./other-server.ts";
export type { Live, LiveOptions, NoLive } from "./live.ts";

export interface Target extends Sender {
  /** The address of the server. */
  readonly url: string;
  /**
   * The login of the run; checks that touch nothing have no other account. Null if nobody logged in, which only checks
   * with `login: "none"` see.
   */
  readonly login: Account | null;
  readonly capabilities: Capabilities;
  readonly dialect: Dialect;
  /** One of the run's own accounts, for this observation only; the same label returns the same one. */
  account(role: OwnRole, label?: string): Promise<Account>;
  /**
   * An account that is never used again, for checks that change or drop it. With `after`, its name starts with the whole
   * name of that account: a server that compares only prefixes would confuse the two.
   */
  fresh(role: OwnRole, after?: Account): Promise<Account>;
  /** The password of one of the run's own accounts. Throws for any other: checks never get the user's credentials. */
  password(account: Account): string;
  /** A live connection, logged in as the account; `null`: without a token. Ends with the target. */
  live(as: Account | null, options?: LiveOptions): Promise<Live | NoLive>;
  /** The server's process, if it can be controlled. */
  readonly control?: Control;
  /** Starts another server beside the one under check, where `control.own.others` is there. */
  readonly another?: (start: AnotherStart) => Promise<OtherServer | NoOtherServer>;
  /** The `kalam` command line, if there is one, for the run's own accounts. Throws for any other. */
  readonly kalam?: RunKalam;
  /** The PostgreSQL port, if there is one. */
  readonly postgres?: TargetPostgres;
}

/** Makes an act that is refused once the observation is over. */
type WhileAlive = <Args extends readonly unknown[], T>(
  act: (...args: Args) => Promise<T>,
) => (...args: Args) => Promise<T>;

/** The control until the signal is aborted: a check that timed out must not stop or start a server. */
function abortable(control: Control, signal: AbortSignal): Control {
  const { own, lifecycle } = control;
  const whileAlive = <Args extends readonly unknown[], T>(act: (...args: Args) => Promise<T>) => {
    return async (...args: Args): Promise<T> => {
      signal.throwIfAborted();
      return await act(...args);
    };
  };
  return {
    ...control,
    ...(own === undefined ? {} : { own: abortableOwn(own, whileAlive) }),
    ...(lifecycle === undefined ? {} : { lifecycle: abortableLifecycle(lifecycle, whileAlive) }),
  };
}

function abortableOwn(own: OwnControl, whileAlive: WhileAlive): OwnControl {
  const { others } = own;
  const trial = whileAlive(own.trial);
  if (others === undefined) return { ...own, trial };
  return { ...own, trial, others: { ...others, start: whileAlive(others.start) } };
}

function withControl(
  control: Control | undefined,
  parts: SenderParts & { readonly signal: AbortSignal },
): Pick<Target, "control" | "another"> {
  if (control === undefined) return {};
  const { signal } = parts;
  const known = abortable(control, signal);
  const { others } = known.own ?? {};
  if (others === undefined) return { control: known };
  const another: Target["another"] = async (start) =>
    await startOther(others, parts, start, async (ms) => await sleep(ms, signal));
  return { control: known, another };
}

function abortableLifecycle(lifecycle: Lifecycle, whileAlive: WhileAlive): Lifecycle {
  const { kill, stop, start, pausing } = lifecycle;
  return {
    ...lifecycle,
    kill: whileAlive(kill),
    stop: whileAlive(stop),
    start: whileAlive(start),
    ...(pausing === undefined
      ? {}
      : { pausing: { pause: whileAlive(pausing.pause), resume: whileAlive(pausing.resume) } }),
  };
}

/** Answers of fewer bytes are not counted: they are too few to fill the memory, and most are dropped at once. */
const countedMin = 256 * 1024;
/** A body is kept as text and as JSON. */
const copies = 3;

function countBodies(wire: Wire, keep: (bytes: number) => boolean): Wire {
  return {
    ...wire,
    async exchange(request) {
      const answer = await wire.exchange(request);
      if (answer.kind === "broken" || answer.body.byteLength < countedMin) return answer;
      if (keep(copies * answer.body.byteLength)) return answer;
      const { status, sentAt, doneAt } = answer;
      return { kind: "broken", because: "tooLarge", detail: tooMuchKept, status, sentAt, doneAt };
    },
  };
}

/** Records a message sent on a socket. Its outcome, if there is one, is recorded under the same number. */
function noteMessage({ parts: { recording } }: Session, as: Account | null, message: string): Noted {
  const number = recording.next();
  const sentAt = performance.now();
  const who = as === null ? {} : { as: as.name };
  const text = withoutTokens(message);
  const answered = (outcome: string): void =>
    recording.note({
      number,
      method: "SEND",
      path: livePath,
      text,
      ...who,
      outcome,
      sentAt,
      doneAt: performance.now(),
    });
  answered("");
  return { number, answered };
}

/** A connection that any client would open: one that fails otherwise shows nothing about the others. */
function isUsual(as: Account | null, { login, path, headers, token }: LiveOptions): boolean {
  const plain = path === undefined || path.split("?", 1)[0] === livePath;
  return as !== null && login !== "none" && plain && headers === undefined && token === undefined;
}

export interface TargetParts {
  readonly wire: Wire;
  readonly signal: AbortSignal;
  readonly holder: object;
  /** Called for an account with each answer to it, and each live connection that it has opened. */
  readonly onUse?: (as: Account) => void;
}

/** Refused for its rate alone: at the upgrade, or at the login on it. */
function isLimited(live: Live | NoLive): boolean {
  return "kind" in live ? live.status === 429 : live.login.kind === "denied" && live.login.rate === true;
}

/**
 * A target for one observation: unusable once the signal is aborted, sends over this wire (the session's, or one with a
 * fault), and borrows accounts for the holder.
 */
export function makeTarget(session: Session, { wire, signal, holder, onUse }: TargetParts): Target {
  const keep = keeper(signal);
  const parts = {
    ...session.parts,
    wire: countBodies(wire, keep),
    signal,
    onContradiction: (contradiction: Contradiction) => session.contradictions.note(holder, contradiction),
  };
  const sender = makeSender(parts);
  const use = (as: Account | null): void => {
    if (as !== null) onUse?.(as);
  };
  const { postgres: found } = session;
  const password = (account: Account): string => {
    const known = session.accounts.password(account);
    if (known === undefined) throw new Error(`${account.name} is not one of the run's own accounts`);
    return known;
  };
  return {
    async sql(as, text, options) {
      const answer = await sender.sql(as, text, options);
      if (answer.kind !== "unsure") use(as);
      return answer;
    },
    async request(as, request) {
      const reply = await sender.request(as, request);
      if (reply.kind === "answered") use(as);
      return reply;
    },
    url: session.url,
    login: session.login,
    capabilities: session.capabilities,
    dialect: session.learned.dialect,
    async account(role, label = "") {
      signal.throwIfAborted();
      return await session.accounts.lend(holder, role, label, signal);
    },
    async fresh(role, after) {
      signal.throwIfAborted();
      return await session.accounts.fresh(role, after, signal);
    },
    async live(as, options = {}) {
      const open = wire.socket;
      if (open === undefined) return { kind: "failed", why: "live connections are not available here", ours: true };
      session.sockets.opened += 1;
      const { pacer, renewal, tokens, onRate } = session.parts;
      const lane = `message:${session.sockets.opened}`;
      const own = options.token === undefined ? as : null;
      const { entrance } = session.sockets;
      const usual = isUsual(as, options);
      if (usual && options.insist !== true && entrance.isClosed())
        return { kind: "failed", why: refusedToAll, everywhere: true };
      for (let tries = 1; ; tries += 1) {
        if (own !== null) await renewal?.prepare(own.name);
        if (own !== null && renewal?.isOver(own.name) === true)
          return { kind: "failed", why: expiredSentence, ours: true };
        await pacer.turn(["run", "address"], signal);
        const live = await openLive(options, {
          open,
          keep,
          pingEveryMs: pingEveryMs(session.capabilities.settings),
          token: as === null ? undefined : tokens.get(as.name),
          signal,
          note: (text) => noteMessage(session, as, text),
          tooFast: (code) => {
            // A limit on messages is per connection; any other is per address.
            for (const name of code === "RATE_LIMIT_EXCEEDED" ? [lane] : [lane, "address"]) pacer.rest(name);
            onRate?.(code);
          },
          turn: async () => await pacer.turn([lane], signal),
        });
        const limited = isLimited(live);
        if (usual && !limited) entrance.note(!("kind" in live) && live.login.kind === "in");
        if (!("kind" in live) && live.login.kind === "in") use(as);
        if (!limited || options.expectRate === true || tries === triesMax) return live;
        if (!("kind" in live)) {
          live.close();
          pacer.rest("login");
          onRate?.("login");
        }
        await sleep(restMs, signal);
      }
    },
    password,
    ...withControl(wire.control, parts),
    ...(wire.postgres === undefined || found?.kind !== "there"
      ? {}
      : { postgres: makePostgres(found, wire.postgres, parts, password) }),
    ...(wire.kalam === undefined ? {} : { kalam: makeKalam(wire.kalam, parts, password) }),
  };
}
