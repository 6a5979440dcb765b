/** So many per second for each key, with a burst of one second's worth. */
export class Limiter {
  readonly #perSecond: number;
  readonly #mostKeys: number;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  constructor(perSecond: number, mostKeys: number) {
    this.#perSecond = perSecond;
    this.#mostKeys = mostKeys;
  }

  /** Whether one more is allowed now. */
  allows(key: string, nowMs: number): boolean {
    const known = this.#buckets.get(key) ?? { left: this.#perSecond, at: nowMs };
    const left = Math.min(this.#perSecond, known.left + ((nowMs - known.at) / 1000) * this.#perSecond);
    const allowed = left >= 1;
    // Taken out and put back, so that the first key is the one not seen for longest.
    this.#buckets.delete(key);
    this.#buckets.set(key, { left: allowed ? left - 1 : left, at: nowMs });
    const oldest = this.#buckets.keys().next();
    if (this.#buckets.size > this.#mostKeys && oldest.done !== true) this.#buckets.delete(oldest.value);
    return allowed;
  }
}
