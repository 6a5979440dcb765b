/**
 * Tokens that end during a run are renewed by logging in again, so that an expired token is never mistaken for a refusal.
 * Only for tokens that we got or were given; what a check sends as its own header is not touched.
 */
import type { Json } from "../wire/json.ts";
import type { Expiry, KeepsValid } from "./expiry.ts";
import { claimsOf, type LoginOutcome } from "./login.ts";
import type { Redactor } from "./redaction.ts";

export interface RenewalParts {
  /** What senders read; the tokens are put here. */
  readonly tokens: Map<string, string>;
  readonly redactor: Redactor;
  readonly logIn: (user: string, password: string) => Promise<LoginOutcome>;
}

interface Kept {
  readonly token: string;
  readonly password: string | undefined;
  /** On the process's monotonic clock; Infinity if the token does not say. */
  readonly endsAt: number;
  readonly marginMs: number;
  /** Got after the server had called the one before it expired, and not accepted yet: the server may call all of them so. */
  doubtful: boolean;
  /** The server was started again since, and may no longer know the token. */
  old: boolean;
}

/** The longest time before its end that a token is renewed. */
const marginMsMax = 60_000;
/** A login without an answer may have been a wrong password to the server, and five of those lock the account. */
const failuresMax = 3;

export class Renewal implements KeepsValid {
  readonly #parts: RenewalParts;
  readonly #kept = new Map<string, Kept>();
  /** One login at a time for each account; its other requests wait for it. */
  readonly #renewing = new Map<string, Promise<boolean>>();
  readonly #failures = new Map<string, number>();

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  /** Takes over a token. Without a password it cannot be renewed. */
  keep(user: string, token: string, password?: string): void {
    this.#keep(user, token, password, false);
  }

  async prepare(user: string): Promise<void> {
    const kept = this.#kept.get(user);
    if (kept !== undefined && performance.now() >= kept.endsAt - kept.marginMs) await this.#renew(user, kept, false);
  }

  isOver(user: string): boolean {
    const kept = this.#kept.get(user);
    return kept !== undefined && performance.now() >= kept.endsAt;
  }

  async afterRefusal(user: string, token: string, called: boolean): Promise<Expiry> {
    const kept = this.#kept.get(user);
    if (kept === undefined) return "refused";
    if (kept.token !== token) return "again";
    const over = performance.now() >= kept.endsAt;
    if (!over && !kept.old && (!called || kept.doubtful)) return "refused";
    return (await this.#renew(user, kept, true)) ? "again" : "expired";
  }

  restarted(): void {
    for (const kept of this.#kept.values()) kept.old = true;
  }

  accepted(user: string, token: string): void {
    const kept = this.#kept.get(user);
    if (kept?.token !== token) return;
    kept.doubtful = false;
    kept.old = false;
  }

  #keep(user: string, token: string, password: string | undefined, doubtful: boolean): void {
    this.#parts.redactor.add(token);
    this.#parts.tokens.set(user, token);
    const { exp, iat } = claimsOf(token);
    // A token that we have just got ends after its whole life, whatever the server's clock says.
    const lifeMs = password !== undefined && isNumber(iat) ? secondsMs(exp, iat) : secondsMs(exp, Date.now() / 1000);
    // Renewing a token that was never valid would end in a login for every request.
    const [endsAt, marginMs] =
      password !== undefined && lifeMs <= 0
        ? [Infinity, 0]
        : [performance.now() + lifeMs, Math.min(marginMsMax, lifeMs / 4)];
    this.#kept.set(user, { token, password, endsAt, marginMs, doubtful, old: false });
  }

  async #renew(user: string, kept: Kept, doubtful: boolean): Promise<boolean> {
    const { password } = kept;
    if (password === undefined || (this.#failures.get(user) ?? 0) >= failuresMax) return false;
    const underway = this.#renewing.get(user);
    if (underway !== undefined) return await underway;
    const renewing = this.#logInAgain(user, password, doubtful);
    this.#renewing.set(user, renewing);
    try {
      return await renewing;
    } finally {
      this.#renewing.delete(user);
    }
  }

  async #logInAgain(user: string, password: string, doubtful: boolean): Promise<boolean> {
    const outcome = await this.#parts.logIn(user, password);
    if (outcome.kind === "in") {
      this.#failures.delete(user);
      this.#keep(user, outcome.token, password, doubtful);
      return true;
    }
    // A refused password is never sent again.
    this.#failures.set(user, outcome.kind === "denied" ? failuresMax : (this.#failures.get(user) ?? 0) + 1);
    return false;
  }
}

function isNumber(value: Json | undefined): value is number {
  return typeof value === "number";
}

/** The milliseconds between two times in seconds; Infinity if the first is missing. */
function secondsMs(until: Json | undefined, from: number): number {
  return isNumber(until) ? (until - from) * 1000 : Infinity;
}
