/**
 * The run's own accounts, created when first needed and lent to one observation at a time: the server's limits are per
 * account, so two observations with one account would exceed them together.
 */
import { randomBytes } from "node:crypto";
import { outcomeOf } from "../server/answer.ts";
import type { Ledger } from "./ledger.ts";
import { logIn, type LoginField } from "./login.ts";
import type { Redactor } from "./redaction.ts";
import type { Renewal } from "./renewal.ts";
import { whileWanted, type Account, type Role, type Sender } from "../server/sender.ts";

export type OwnRole = Exclude<Role, "system">;

export interface AccountsParts {
  /** Sends as the login of the run, without faults. */
  readonly sender: Sender;
  /** Null: nobody logged in, so none can be created. */
  readonly login: Account | null;
  readonly loginField: LoginField;
  readonly passwordLogin: boolean;
  /** Keeps the token of a new account, and renews it when it ends. */
  readonly renewal: Pick<Renewal, "keep">;
  readonly redactor: Redactor;
  readonly ledger: Ledger;
  /** `kr_<run>` */
  readonly prefix: string;
}

/** Why the run has no accounts of its own where the server lets nobody log in with a password. */
export const noPasswordLogin =
  "this server has password login switched off (auth.local.enabled is false): checks that need accounts of their own are unknown";

/** The set-up of an observation failed. The message is the sentence of its row. */
export class SetupError extends Error {}

export class Accounts {
  readonly #parts: AccountsParts;
  readonly #free: Account[] = [];
  readonly #passwords = new Map<string, string>();
  readonly #lent = new Map<object, Map<string, Promise<Account>>>();
  #made = 0;

  constructor(parts: AccountsParts) {
    this.#parts = parts;
  }

  /** An account for this holder only; the same label returns the same account until it is released. */
  async lend(holder: object, role: OwnRole, label: string, wanted?: AbortSignal): Promise<Account> {
    const lent = this.#lent.get(holder) ?? new Map<string, Promise<Account>>();
    this.#lent.set(holder, lent);
    const key = `${role} ${label}`;
    const known = lent.get(key);
    if (known !== undefined) return await known;
    const at = this.#free.findIndex((account) => account.role === role);
    const account =
      at === -1 ? this.fresh(role, undefined, wanted) : Promise.resolve(this.#free.splice(at, 1)[0] as Account);
    lent.set(key, account);
    return await account;
  }

  /** The password of one of these accounts, for checks that log in. Undefined for any other. */
  password(account: Account): string | undefined {
    return this.#passwords.get(account.name);
  }

  /** Takes back the accounts lent to the holder. */
  async release(holder: object): Promise<void> {
    const lent = this.#lent.get(holder);
    this.#lent.delete(holder);
    const handed = lent === undefined ? [] : [...lent.values()];
    for (const account of await Promise.allSettled(handed)) {
      if (account.status === "fulfilled") this.#free.push(account.value);
    }
  }

  /**
   * A new account that is never lent again, for checks that change or drop it. Its name is never reused, because a
   * dropped name stays taken. With `after`, the name starts with the whole name of that account. Throws SetupError,
   * and the reason of `wanted` if that is aborted before it was sent.
   */
  async fresh(role: OwnRole, after?: Account, wanted?: AbortSignal): Promise<Account> {
    const sender = wanted === undefined ? this.#parts.sender : whileWanted(this.#parts.sender, wanted);
    const { login, renewal, redactor, ledger, prefix, loginField } = this.#parts;
    if (login === null) throw new SetupError("an account for the checks can only be created with a login");
    if (!this.#parts.passwordLogin) throw new SetupError(noPasswordLogin);
    this.#made += 1;
    const name = `${after?.name ?? `${prefix}_${role}`}_${this.#made}`;
    const password = newPassword();
    redactor.add(password);
    this.#passwords.set(name, password);
    ledger.enter({ kind: "account", name });
    const created = await sender.sql(login, `CREATE USER '${name}' WITH PASSWORD '${password}' ROLE ${role}`);
    if (created.kind !== "ok")
      throw new SetupError(`an account for the checks could not be created: ${outcomeOf(created)}`);
    const entered = await logIn(sender, name, password, loginField);
    if (entered.kind !== "in") throw new SetupError(`an account for the checks could not log in: ${entered.sentence}`);
    renewal.keep(name, entered.token, password);
    return { name, role };
  }
}

/** Upper and lower case letters, digits and a sign, for any password policy; no quotes, so that SQL needs no escaping. */
function newPassword(): string {
  return `Kr1-${randomBytes(18).toString("base64url")}`;
}
