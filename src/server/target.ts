/** The server as checks see it. */
import type { Control } from "../wire/control.ts";
import { makeKalam, type RunKalam } from "./kalam.ts";
import { makeSender, restMs, withoutTokens, type Account, type Sender } from "./sender.ts";
import type { OwnRole } from "../session/accounts.ts";
import { livePath, openLive, pingEveryMs, type Live, type LiveOptions, type NoLive, type Noted } from "./live.ts";
import type { Capabilities, Session } from "../session/session.ts";
import type { Wire } from "../wire/wire.ts";

export type { Account, Reply } from "./sender.ts";
export type { OwnRole } from "../session/accounts.ts";
export type { Capabilities } from "../session/session.ts";
export { listed, onlyRow, outcomeOf, rowsOf, saidOf, isCleanRefusal, type Answer, type Said } from "./answer.ts";
export { cellText, integerText } from "../wire/json.ts";
export { kalamText, type KalamOptions, type KalamSaid, type RunKalam } from "./kalam.ts";
export { versionOf, type Change, type Frame, type Row, type SubscribeOptions, type Subscription } from "./feed.ts";
export type { Live, LiveOptions, NoLive } from "./live.ts";

export interface Target extends Sender {
  /** Where the server is, as the run was told. */
  readonly url: string;
  /** Who the run was told to log in as. Checks that touch nothing have no other. */
  readonly login: Account;
  readonly capabilities: Capabilities;
  /** An account of the run's own, for this observation alone; the same label gives the same one. */
  account(role: OwnRole, label?: string): Promise<Account>;
  /**
   * An account that is never used again, for what uses it up. With `after`, its name begins with the whole name of that
   * one: a server that takes the beginning of a name for the name would mix the two up.
   */
  fresh(role: OwnRole, after?: Account): Promise<Account>;
  /** The password of one of the run's own accounts. Throws for any other: what the user gave us is not for checks. */
  password(account: Account): string;
  /** A live connection, logged in as the account; `null`: with no token of anybody's. Ends with the target. */
  live(as: Account | null, options?: LiveOptions): Promise<Live | NoLive>;
  /** The server's process, where it can be reached. */
  readonly control?: Control;
  /** The `kalam` command line, where there is one, as one of the run's own accounts. Throws for any other. */
  readonly kalam?: RunKalam;
}

/** The process, out of reach once the signal is aborted: a check that timed out must not start another server. */
function abortable(control: Control, signal: AbortSignal): Control {
  return {
    ...control,
    async trial(settings, withinMs) {
      signal.throwIfAborted();
      return await control.trial(settings, withinMs);
    },
  };
}

/** A message that left on a socket. What came of it, where something did, is noted under the same number. */
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

/**
 * A target for one observation: dies with the signal, sends over this wire (the session's, or one with a fault in it),
 * and borrows accounts in the name of the holder.
 */
export function makeTarget(
  session: Session,
  { wire, signal, holder }: { wire: Wire; signal: AbortSignal; holder: object },
): Target {
  const parts = { ...session.parts, wire, signal };
  const sender = makeSender(parts);
  const password = (account: Account): string => {
    const known = session.accounts.password(account);
    if (known === undefined) throw new Error(`${account.name} is no account of the run's own`);
    return known;
  };
  return {
    ...sender,
    url: session.url,
    login: session.login,
    capabilities: session.capabilities,
    async account(role, label = "") {
      signal.throwIfAborted();
      return await session.accounts.lend(holder, role, label);
    },
    async fresh(role, after) {
      signal.throwIfAborted();
      return await session.accounts.fresh(role, after);
    },
    async live(as, options = {}) {
      const open = wire.socket;
      if (open === undefined) return { kind: "failed", why: "this wire has no sockets" };
      session.sockets.opened += 1;
      const lane = `message:${session.sockets.opened}`;
      await session.parts.pacer.turn(["run", "address"], signal);
      return await openLive(options, {
        open,
        pingEveryMs: pingEveryMs(session.capabilities.settings),
        token: as === null ? undefined : session.parts.tokens.get(as.name),
        signal,
        note: (text) => noteMessage(session, as, text),
        tooFast: (code) => {
          // A limit on messages is the connection's own; any other is for where we come from.
          for (const name of code === "RATE_LIMIT_EXCEEDED" ? [lane] : [lane, "address"])
            session.parts.pacer.rest(name, restMs);
          session.parts.onRate?.(code);
        },
        turn: async () => await session.parts.pacer.turn([lane], signal),
      });
    },
    password,
    ...(wire.control === undefined ? {} : { control: abortable(wire.control, signal) }),
    ...(wire.kalam === undefined ? {} : { kalam: makeKalam(wire.kalam, parts, password) }),
  };
}
