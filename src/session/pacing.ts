/**
 * One pace for the whole run, so that it stays a good guest: at most half of the server's own limits, over all checks
 * together. Each lane (an account, the address, the logins) is a leaky bucket; a request waits for all of its lanes.
 */

export interface Pace {
  /** Requests a second, on average. */
  readonly perSecond: number;
  /** Requests that may leave at once after a rest. In any one second at most `perSecond + burst` leave. */
  readonly burst: number;
}

interface Lane {
  readonly pace: Pace;
  /** When the bucket will have run dry: the theoretical arrival time of the generic cell rate algorithm. */
  dryAt: number;
}

interface Turn {
  readonly lanes: readonly string[];
  leave(): void;
}

/** The longest that a timer can be set for. */
const timerMsMax = 2 ** 31 - 1;

export class Pacer {
  readonly #lanes = new Map<string, Lane>();
  readonly #paces = new Map<string, Pace>();
  /** Who waits, in the order of the calls. */
  readonly #waiting = new Set<Turn>();
  #timer: NodeJS.Timeout | undefined;

  /** Sets the pace of a kind of lane: `account`, `address`, `login`, `run`. Without one, a lane of that kind is free. */
  setPace(kind: string, pace: Pace): void {
    this.#paces.set(kind, pace);
    for (const name of this.#lanes.keys()) if (kindOf(name) === kind) this.#lanes.delete(name);
    this.#letGo();
  }

  /**
   * Waits for a turn in every lane (`account:alice`, `address`) at once: who waits for one of them uses up nothing of
   * the others meanwhile. Turns in the same lanes are taken in the order of the calls.
   * Rejects when the signal is aborted.
   */
  async turn(lanes: readonly string[], signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        this.#waiting.delete(turn);
        this.#letGo();
        reject(signal?.reason as Error);
      };
      const turn: Turn = {
        lanes,
        leave() {
          signal?.removeEventListener("abort", stop);
          resolve();
        },
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.#waiting.add(turn);
      this.#letGo();
    });
  }

  /** Nothing leaves on this lane for so long, not even who waits already: what a 429 asks for. */
  rest(name: string, ms: number): void {
    const lane = this.#lane(name);
    if (lane === undefined) return;
    lane.dryAt = Math.max(lane.dryAt, performance.now() + ms + burstMs(lane.pace));
  }

  /** Lets everybody leave whose lanes are all open, and comes back when the next one's will be. */
  #letGo(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    let next = Infinity;
    for (const turn of this.#waiting) {
      const lanes = turn.lanes.flatMap((name) => this.#lane(name) ?? []);
      const openAt = Math.max(now, ...lanes.map((lane) => lane.dryAt - burstMs(lane.pace)));
      // A thousandth of a millisecond is what adding up fractions may be off.
      if (openAt > now + 0.001) {
        next = Math.min(next, openAt);
        continue;
      }
      for (const lane of lanes) lane.dryAt = Math.max(lane.dryAt, now) + 1000 / lane.pace.perSecond;
      this.#waiting.delete(turn);
      turn.leave();
    }
    if (next < Infinity) this.#timer = setTimeout(() => this.#letGo(), Math.min(Math.ceil(next - now), timerMsMax));
  }

  #lane(name: string): Lane | undefined {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const pace = this.#paces.get(kindOf(name));
    if (pace === undefined) return undefined;
    const lane: Lane = { pace, dryAt: 0 };
    this.#lanes.set(name, lane);
    return lane;
  }
}

/** How far ahead of the average a lane may run. */
function burstMs({ perSecond, burst }: Pace): number {
  return (burst - 1) * (1000 / perSecond);
}

/** Half of a limit a second, a fifth of that as a burst: even in its fullest second a lane keeps to half. */
export function halfOf(limitPerSecond: number): Pace {
  const half = Math.max(1, limitPerSecond / 2);
  const burst = Math.max(1, Math.floor(half / 5));
  return { perSecond: Math.max(0.5, half - burst), burst };
}

/** Rejects with the signal's reason when it is aborted meanwhile. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

function kindOf(name: string): string {
  return name.split(":", 1)[0] ?? name;
}
