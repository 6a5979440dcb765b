/** The server as checks see it. */
import type { Control } from "../wire/control.ts";
import { keeper, tooMuchKept } from "./kept.ts";
import { makeKalam, type RunKalam } from "./kalam.ts";
import {
  expiredSentence,
  makeSender,
  triesMax,
  withoutTokens,
  type Account,
  type Sender,
  type SenderParts,
} from "./sender.ts";
import type { OwnRole } from "../session/accounts.ts";
import { livePath, openLive, type Live, type LiveOptions, type NoLive, type Noted } from "./live.ts";
import { restMs, sleep } from "../session/pacing.ts";
import type { Capabilities, Session } from "../session/session.ts";
import { pingEveryMs } from "./pings.ts";
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
  /** The address of the server. */
  readonly url: string;
  /** The login of the run; checks that touch nothing have no other account. */
  readonly login: Account;
  readonly capabilities: Capabilities;
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
  /** The `kalam` command line, if there is one, for the run's own accounts. Throws for any other. */
  readonly kalam?: RunKalam;
}

/** The control until the signal is aborted: a check that timed out must not start another server. */
function abortable(control: Control, signal: AbortSignal): Control {
  return {
    ...control,
    async trial(settings, withinMs) {
      signal.throwIfAborted();
      return await control.trial(settings, withinMs);
    },
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

/**
 * A target for one observation: unusable once the signal is aborted, sends over this wire (the session's, or one with a
 * fault), and borrows accounts for the holder.
 */
export function makeTarget(
  session: Session,
  { wire, signal, holder }: { wire: Wire; signal: AbortSignal; holder: object },
): Target {
  const keep = keeper(signal);
  const parts: SenderParts = {
    ...session.parts,
    wire: countBodies(wire, keep),
    signal,
    onContradiction: (contradiction) => session.contradictions.note(holder, contradiction),
  };
  const sender = makeSender(parts);
  const password = (account: Account): string => {
    const known = session.accounts.password(account);
    if (known === undefined) throw new Error(`${account.name} is not one of the run's own accounts`);
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
      if (open === undefined) return { kind: "failed", why: "live connections are not available here" };
      session.sockets.opened += 1;
      const { pacer, renewal, tokens, onRate } = session.parts;
      const lane = `message:${session.sockets.opened}`;
      const own = options.token === undefined ? as : null;
      for (let tries = 1; ; tries += 1) {
        if (own !== null) await renewal?.prepare(own.name);
        if (own !== null && renewal?.isOver(own.name) === true) return { kind: "failed", why: expiredSentence };
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
        const limited = "kind" in live && live.status === 429;
        if (!limited || options.expectRate === true || tries === triesMax) return live;
        await sleep(restMs, signal);
      }
    },
    password,
    ...(wire.control === undefined ? {} : { control: abortable(wire.control, signal) }),
    ...(wire.kalam === undefined ? {} : { kalam: makeKalam(wire.kalam, parts, password) }),
  };
}
