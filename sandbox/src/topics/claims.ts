/** A range of offsets that was delivered and is not acknowledged yet; `to` is excluded. */
interface Claim {
  readonly from: number;
  readonly to: number;
  readonly expiresAt: number;
}

/**
 * What a group of consumers has of one partition. A message is delivered to one consumer at a time: again only when it was
 * not acknowledged in time. Offsets are numbers: a sandbox never has 2^53 messages.
 */
export class Claims {
  #next: number;
  #pending: readonly Claim[] = [];

  constructor(next: number) {
    this.#next = next;
  }

  /** Claims messages: `fetch` returns at most so many from that offset, in order. Claims that expired by `now` end. */
  take<Message extends { readonly offset: number }>(
    limit: number,
    { now, lastsMs }: { readonly now: number; readonly lastsMs: number },
    fetch: (from: number, limit: number) => readonly Message[],
  ): readonly Message[] {
    const expired = this.#pending.filter(({ expiresAt }) => expiresAt <= now);
    this.#pending = this.#pending.filter((claim) => !expired.includes(claim));
    this.#next = Math.min(this.#next, ...expired.map(({ from }) => from));
    for (const { from, to } of this.#pending.toSorted((one, other) => one.from - other.from))
      if (from <= this.#next) this.#next = Math.max(this.#next, to);
    const free = Math.min(...this.#pending.map(({ from }) => from).filter((from) => from > this.#next)) - this.#next;
    const messages = fetch(this.#next, Math.min(limit, free));
    const last = messages.at(-1);
    if (last === undefined) return messages;
    this.#pending = [...this.#pending, { from: this.#next, to: last.offset + 1, expiresAt: now + lastsMs }];
    this.#next = last.offset + 1;
    return messages;
  }

  acknowledge(upTo: number): void {
    this.#pending = this.#pending.filter(({ to }) => to > upTo + 1);
    this.#next = Math.max(this.#next, upTo + 1);
  }
}
