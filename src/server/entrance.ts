/**
 * Whether a server lets live connections in at all. Where it refuses every one, a single check says so: the others are told
 * at once instead of each waiting for its own refusal.
 */

/** The check that judges it. */
const judgedBy = "subscriptions/live-queries-work";

/** Why no connection was tried. */
export const refusedToAll = `no live connection works on this server; see ${judgedBy}`;

/** Failures without a single success, after which it is taken as closed to everybody. */
const failuresMin = 3;
/** A closed entrance is tried again this long after the last attempt: a server may have been starting. */
const tryAgainMs = 10_000;

export class Entrance {
  #worked = false;
  #failures = 0;
  #triedAt = 0;

  /** Whether an attempt would only be one more refusal. False now and then, for the one who then tries. */
  isClosed(now = performance.now()): boolean {
    if (this.#worked || this.#failures < failuresMin) return false;
    if (now - this.#triedAt < tryAgainMs) return true;
    this.#triedAt = now;
    return false;
  }

  /** The outcome of a usual login on the usual path. */
  note(worked: boolean, now = performance.now()): void {
    this.#triedAt = now;
    if (worked) this.#worked = true;
    else this.#failures += 1;
  }
}
