/**
 * Rate limiting for the whole run: all checks together stay below half of the server's own limits. Each lane (an
 * account, the address, the logins) is a leaky bucket; a request waits for all of its lanes.
 */

export interface Pace {
  /** Requests per second, on average. */
  readonly perSecond: number;
  /** Requests that may be sent at once after a pause. At most `perSecond + burst` are sent in any second. */
  readonly burst: number;
}

interface Lane {
  readonly pace: Pace;
  /** When the bucket will be empty: the theoretical arrival time of the generic cell rate algorithm. */
  dryAt: number;
  /** Nothing else leaves on it: see `hold`. */
  held: boolean;
}

interface Turn {
  readonly lanes: readonly string[];
  /** It leaves only with one of the places. */
  readonly place: boolean;
  leave(): void;
}

/** For servers that send no Retry-After: limits are per second, so a second and a half is enough. */
export const restMs = 1_500;
/** The longest rest, whatever Retry-After says. */
const restMsMax = 30_000;
/** The longest that a timer can be set for. */
const timerMsMax = 2 ** 31 - 1;

export class Pacer {
  readonly #lanes = new Map<string, Lane>();
  readonly #paces = new Map<string, Pace>();
  /** Requests that wait, in the order of the calls. */
  readonly #waiting = new Set<Turn>();
  #timer: NodeJS.Timeout | undefined;
  #restsEndAt = Infinity;
  #places: number;

  /**
   * `places`: how many requests may be under way at once. They must have a connection each: one that waited for a connection
   * after its turn would be sent together with others.
   */
  constructor(places = Infinity) {
    this.#places = places;
  }

  /** Sets the pace for a kind of lane: `account`, `address`, `login`, `run`. Without one, lanes of that kind are unlimited. */
  setPace(kind: string, pace: Pace): void {
    this.#paces.set(kind, pace);
    for (const name of this.#lanes.keys()) if (kindOf(name) === kind) this.#lanes.delete(name);
    this.#release();
  }

  /**
   * Waits until every lane (`account:alice`, `address`) is open at once: a request that waits for one lane uses nothing
   * of the others meanwhile. In the same lanes, turns are in the order of the calls. Rejects when the signal is aborted.
   * With `place` it also waits for one of the places, which the caller gives back with `placeFree`.
   */
  async turn(lanes: readonly string[], signal?: AbortSignal, { place = false } = {}): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        this.#waiting.delete(turn);
        this.#release();
        reject(signal?.reason as Error);
      };
      const turn: Turn = {
        lanes,
        place,
        leave() {
          signal?.removeEventListener("abort", stop);
          resolve();
        },
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.#waiting.add(turn);
      this.#release();
    });
  }

  placeFree(): void {
    this.#places += 1;
    this.#release();
  }

  /**
   * Reserves a lane for that many requests which somebody else sends, at times that are not known, until the returned function
   * is called: whatever they are, no second has more of them and of ours than the pace allows. Undefined if they alone are too many.
   */
  async hold(name: string, requests: number, signal?: AbortSignal): Promise<(() => void) | undefined> {
    const pace = this.#paces.get(kindOf(name));
    if (pace === undefined) return () => undefined;
    if (requests > pace.perSecond + pace.burst) return undefined;
    await this.turn([name], signal);
    const lane = this.#lane(name);
    if (lane === undefined) return () => undefined;
    const shareMs = requests * (1000 / pace.perSecond);
    lane.held = true;
    const end = (): void => {
      lane.held = false;
      lane.dryAt = Math.max(lane.dryAt, performance.now() + shareMs + burstMs(pace));
      this.#release();
    };
    try {
      await sleep(shareMs, signal);
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  /**
   * Sends nothing on this lane for this long, waiting requests included: what a 429 asks for. Returns the milliseconds
   * that it will be.
   */
  rest(name: string, ms: number = restMs): number {
    const bounded = Math.min(ms, restMsMax, Math.max(restMs, this.#restsEndAt - performance.now()));
    const lane = this.#lane(name);
    if (lane !== undefined) lane.dryAt = Math.max(lane.dryAt, performance.now() + bounded + burstMs(lane.pace));
    return bounded;
  }

  /**
   * From then on no rest is longer than it is without a Retry-After; one that has begun is shortened. A run must end
   * within its budget, and its clean-up soon.
   */
  endRests(at: number): void {
    this.#restsEndAt = at;
    const latest = Math.max(at, performance.now() + restMs);
    for (const lane of this.#lanes.values()) lane.dryAt = Math.min(lane.dryAt, latest + burstMs(lane.pace));
    this.#release();
  }

  /** Resolves every request whose lanes are all open, and sets a timer for the next one. */
  #release(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    let next = Infinity;
    for (const turn of this.#waiting) {
      const lanes = turn.lanes.flatMap((name) => this.#lane(name) ?? []);
      if ((turn.place && this.#places < 1) || lanes.some(({ held }) => held)) continue;
      const openAt = Math.max(now, ...lanes.map((lane) => lane.dryAt - burstMs(lane.pace)));
      // Sums of fractions may be off by a rounding error.
      if (openAt > now + 0.001) {
        next = Math.min(next, openAt);
        continue;
      }
      for (const lane of lanes) lane.dryAt = Math.max(lane.dryAt, now) + 1000 / lane.pace.perSecond;
      this.#waiting.delete(turn);
      if (turn.place) this.#places -= 1;
      turn.leave();
    }
    if (next < Infinity) this.#timer = setTimeout(() => this.#release(), Math.min(Math.ceil(next - now), timerMsMax));
  }

  #lane(name: string): Lane | undefined {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const pace = this.#paces.get(kindOf(name));
    if (pace === undefined) return undefined;
    const lane: Lane = { pace, dryAt: 0, held: false };
    this.#lanes.set(name, lane);
    return lane;
  }
}

/** How far ahead of the average a lane may be. */
function burstMs({ perSecond, burst }: Pace): number {
  return (burst - 1) * (1000 / perSecond);
}

/** Half of a limit per second, a fifth of it as a burst: no second exceeds half of the limit. */
export function halfOf(limitPerSecond: number): Pace {
  const half = Math.max(1, limitPerSecond / 2);
  const burst = Math.max(1, Math.floor(half / 5));
  return { perSecond: Math.max(0.5, half - burst), burst };
}

/**
 * No second exceeds this limit, so there is no burst on top of it. A tenth below it, because a request may be sent a moment
 * after its turn.
 */
export function below(limitPerSecond: number): Pace {
  return { perSecond: Math.max(0.5, Math.min(limitPerSecond - 1, 0.9 * limitPerSecond)), burst: 1 };
}

/** Rejects with the signal's reason if it is aborted meanwhile. */
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
