/**
 * Load whose schedule does not wait for the server (open loop), and how long each request took from the moment when it was due: a
 * server that stalls delays what is due meanwhile, too, and a client that waits for it would leave that out (coordinated omission;
 * Tene, "How NOT to Measure Latency", 2015). What is our own delay is kept apart.
 */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/** Milliseconds. */
export type Delays = {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
};

export interface Shot<T> {
  readonly answer: T;
  readonly dueAt: number;
  /** From when it was due until its answer was complete, without what our own pacing held it back. */
  readonly delayMs: number;
}

export interface Shots<T> {
  readonly shots: readonly Shot<T>[];
  /** Due, and never sent because `inFlightMax` requests were under way until the end. */
  readonly unsent: number;
  readonly inFlight: number;
  /** How late our own timers began requests, 99 of 100 at most; what the server held up is not in it. */
  readonly ownLateMs: number;
  /** The longest that our own pacing held one back. */
  readonly heldMs: number;
}

export interface Schedule {
  readonly perSecond: number;
  readonly forMs: number;
  readonly inFlightMax: number;
}

interface Answered {
  readonly sentAt: number;
  readonly doneAt: number;
}

/** `send` gets a lane, from 0 to `inFlightMax`, that has no other request under way. `wait` sleeps; it rejects when the run ends. */
export async function openLoop<T extends Answered>(
  { perSecond, forMs, inFlightMax }: Schedule,
  send: (lane: number) => Promise<T>,
  wait: (ms: number) => Promise<void>,
): Promise<Shots<T>> {
  const everyMs = 1_000 / perSecond;
  const total = Math.max(1, Math.floor(forMs / everyMs));
  const firstAt = performance.now();
  const free = Array.from({ length: inFlightMax }, (_, lane) => inFlightMax - 1 - lane);
  const [lateness, shots, underWay] = [createHistogram(), [] as Shot<T>[], [] as Promise<void>[]];
  let [next, inFlight, most, heldMs] = [0, 0, 0, 0];
  // When there was a lane again after there was none.
  let openedAt = firstAt;
  let isOver = false;
  const begin = (lane: number, number: number): void => {
    const dueAt = firstAt + number * everyMs;
    const readyAt = performance.now();
    // Behind others that the server holds up, being late is its delay.
    record(lateness, readyAt - Math.max(dueAt, openedAt));
    const exchange = async (): Promise<void> => {
      const answer = await send(lane);
      const held = Math.max(0, answer.sentAt - readyAt);
      heldMs = Math.max(heldMs, held);
      shots.push({ answer, dueAt, delayMs: answer.doneAt - dueAt - held });
      if (free.length === 0) openedAt = performance.now();
      free.push(lane);
      inFlight -= 1;
      fill();
    };
    underWay.push(exchange());
    inFlight += 1;
    most = Math.max(most, inFlight);
  };
  /** Begins everything that is due and has a lane. */
  function fill(): void {
    const now = performance.now();
    if (isOver || now > firstAt + forMs) return;
    while (next < total && firstAt + next * everyMs <= now) {
      const lane = free.pop();
      if (lane === undefined) return;
      begin(lane, next);
      next += 1;
    }
  }
  while (next < total && performance.now() <= firstAt + forMs) {
    fill();
    const dueInMs = firstAt + next * everyMs - performance.now();
    // Where it is due and has no lane, the next answer begins it.
    await wait(Math.max(1, Math.ceil(dueInMs > 0 ? dueInMs : everyMs)));
  }
  isOver = true;
  await Promise.all(underWay);
  return {
    shots,
    unsent: total - next,
    inFlight: most,
    ownLateMs: Math.round(lateness.percentile(99) / 1_000),
    heldMs,
  };
}

/** Undefined of none. */
export function delaysOf(ms: readonly number[]): Delays | undefined {
  if (ms.length === 0) return undefined;
  const histogram = createHistogram();
  for (const one of ms) record(histogram, one);
  const at = (share: number): number => Math.round(histogram.percentile(share) / 100) / 10;
  return { count: histogram.count, p50: at(50), p95: at(95), p99: at(99), max: Math.round(histogram.max / 100) / 10 };
}

/** In microseconds: it takes whole numbers from 1 on. */
function record(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * 1_000)));
}
