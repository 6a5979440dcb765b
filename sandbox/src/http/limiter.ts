/** A token bucket per key: `perSecond` tokens a second, and a burst of as many. */
export class Limiter {
  readonly #perSecond: number;
  readonly #keysMax: number;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  constructor(perSecond: number, keysMax: number) {
    this.#perSecond = perSecond;
    this.#keysMax = keysMax;
  }

  /** Takes one token, if there is one. */
  allows(key: string, nowMs: number): boolean {
    const known = this.#buckets.get(key) ?? { left: this.#perSecond, at: nowMs };
    const left = Math.min(this.#perSecond, known.left + ((nowMs - known.at) / 1000) * this.#perSecond);
    const allowed = left >= 1;
    // Deleted and set again, so that the first key is the least recently used.
    this.#buckets.delete(key);
    this.#buckets.set(key, { left: allowed ? left - 1 : left, at: nowMs });
    const oldest = this.#buckets.keys().next();
    if (this.#buckets.size > this.#keysMax && oldest.done !== true) this.#buckets.delete(oldest.value);
    return allowed;
  }
}
