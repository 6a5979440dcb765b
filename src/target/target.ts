/** The server as checks see it. */
import type { Control } from "../control/control.ts";
import { makeKalam, type RunKalam } from "./kalam.ts";
import { makeSender, type Account, type Sender } from "./sender.ts";
import type { OwnRole } from "./accounts.ts";
import type { Capabilities, Session } from "./session.ts";
import type { Wire } from "./wire.ts";

export type { Account, Reply } from "./sender.ts";
export type { OwnRole } from "./accounts.ts";
export type { Capabilities } from "./session.ts";
export { listed, onlyRow, outcomeOf, rowsOf, saidOf, saysNo, type Answer, type Said } from "./answer.ts";
export { cellText, integerText } from "./json.ts";
export { kalamText, type KalamOptions, type KalamSaid, type RunKalam } from "./kalam.ts";

export interface Target extends Sender {
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
  /** The server's process, where it can be reached. */
  readonly control?: Control;
  /** The `kalam` command line, where there is one, as one of the run's own accounts. Throws for any other. */
  readonly kalam?: RunKalam;
}

/** The process, out of reach once the signal is aborted: a check that timed out must not start another server. */
function mortal(control: Control, signal: AbortSignal): Control {
  return {
    ...control,
    async trial(settings, withinMs) {
      signal.throwIfAborted();
      return await control.trial(settings, withinMs);
    },
  };
}

/**
 * A target for one observation: dies with the signal, sends over this wire (the session's, or one with a fault in it),
 * and borrows accounts in the name of the holder.
 */
export function makeTarget(session: Session, options: { wire: Wire; signal: AbortSignal; holder: object }): Target {
  const { wire, signal, holder } = options;
  const parts = { ...session.parts, wire, signal };
  const sender = makeSender(parts);
  const password = (account: Account): string => {
    const known = session.accounts.password(account);
    if (known === undefined) throw new Error(`${account.name} is no account of the run's own`);
    return known;
  };
  return {
    ...sender,
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
    password,
    ...(wire.control === undefined ? {} : { control: mortal(wire.control, signal) }),
    ...(wire.kalam === undefined ? {} : { kalam: makeKalam(wire.kalam, parts, password) }),
  };
}
