/**
 * Time against a control. A server, a network or a machine that is slow altogether makes everything late, and shows nothing
 * about one thing; so a plain SELECT is timed beside what is awaited, over the same wire, and only what takes ten times as long
 * is late.
 */
import type { Account, Target } from "../../src/server/target.ts";

export type Pace = {
  /** How long the thing under test was awaited, in ms. */
  readonly waitedMs: number;
  /**
   * How long something of the same kind took at the same moment at most, in ms: a plain SELECT, where nothing else is said.
   * Null where nothing was measured, because the wait was over too soon to need it or because nothing could be sent.
   */
  readonly controlMs: number | null;
};

/** What is late takes at least this many times as long as its control. */
export const lateTimes = 10;
/** A wait that is over sooner needs no control. */
const startAfterMs = 400;
const everyMs = 250;
/** Beside a long wait the controls become rarer. */
const everyMsMax = 2_000;
/** No wait is extended beyond that. */
const waitMsMax = 60_000;

/** Whether it took so long that the pace of the server does not explain it. Without a control nothing is late. */
export function isLate({ waitedMs, controlMs }: Pace): boolean {
  return controlMs !== null && waitedMs >= lateTimes * controlMs;
}

/** For `unknown`: why the wait shows nothing. */
export function whySlow({ waitedMs, controlMs }: Pace): string {
  return controlMs === null
    ? `nothing was measured beside a wait of ${ms(waitedMs)}`
    : `the server was slow altogether: a plain SELECT took ${ms(controlMs)} beside a wait of ${ms(waitedMs)}`;
}

/** For findings: `41 times as long as a plain SELECT beside it (12 ms)`. */
export function paceText({ waitedMs, controlMs }: Pace): string {
  if (controlMs === null) return "with no control";
  const times = Math.round(waitedMs / Math.max(1, controlMs));
  return `${times.toLocaleString("en-US")} times as long as a plain SELECT beside it (${ms(controlMs)})`;
}

function ms(time: number): string {
  return `${Math.round(time).toLocaleString("en-US")} ms`;
}

/** The slowest of several; null of none. */
export function slowestControl(paces: readonly Pick<Pace, "controlMs">[]): number | null {
  const known = paces.flatMap(({ controlMs }) => controlMs ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

/** A control that measures until it is stopped. */
export interface Control {
  /** How long a wait must be, so that its end without success shows something. At least `floorMs`. */
  limitMs(floorMs: number): number;
  /** Measures at least once; returns when that is done. */
  once(): Promise<void>;
  stop(): Pace;
}

/**
 * Times plain SELECTs of the account from `afterMs` on, one after the other. An answer of any kind will do, and one that has
 * not come when it is stopped counts with the time it has taken so far.
 */
export function startControl(target: Pick<Target, "sql">, as: Account | null, afterMs: number = startAfterMs): Control {
  const startedAt = performance.now();
  let stopped = false;
  let slowestMs: number | null = null;
  let sentAt: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let nextMs = everyMs;
  const note = (tookMs: number): void => {
    slowestMs = Math.max(slowestMs ?? 0, Math.round(tookMs));
  };
  const look = async (): Promise<void> => {
    const answer = await target.sql(as, "SELECT 1 AS pace");
    note(answer.doneAt - answer.sentAt);
    sentAt = undefined;
    if (stopped) return;
    timer = setTimeout(begin, nextMs);
    nextMs = Math.min(everyMsMax, nextMs * 1.5);
  };
  const begin = (): void => {
    sentAt = performance.now();
    look().catch(() => {
      // The observation is over: there is nothing to measure beside it.
      sentAt = undefined;
    });
  };
  const current = (): number | null => {
    if (sentAt !== undefined) slowestMs = Math.max(slowestMs ?? 0, Math.round(performance.now() - sentAt));
    return slowestMs;
  };
  timer = setTimeout(begin, afterMs);
  return {
    async once() {
      if (current() !== null) return;
      const answer = await target.sql(as, "SELECT 1 AS pace");
      note(answer.doneAt - answer.sentAt);
    },
    limitMs: (floorMs) => Math.max(floorMs, Math.min(waitMsMax, lateTimes * (current() ?? 0))),
    stop() {
      stopped = true;
      clearTimeout(timer);
      return { waitedMs: Math.round(performance.now() - startedAt), controlMs: current() };
    },
  };
}

/** Does the work beside a control. */
export async function withPace<T>(
  target: Pick<Target, "sql">,
  as: Account | null,
  work: () => Promise<T>,
  afterMs?: number,
): Promise<{ readonly value: T; readonly pace: Pace }> {
  const control = startControl(target, as, afterMs);
  try {
    const value = await work();
    return { value, pace: control.stop() };
  } finally {
    control.stop();
  }
}

export interface Patience<T> {
  readonly wait: (withinMs: number) => Promise<T>;
  readonly done: (value: T) => boolean;
  /** Waited at least, in ms. */
  readonly floorMs: number;
  /** When the control begins, where most of the wait is no delay of the server. */
  readonly controlAfterMs?: number;
}

/**
 * Waits until it is done: at least `floorMs`, and ten times as long as a plain SELECT takes meanwhile. Returns what `wait`
 * returned last.
 */
export async function waitPatiently<T>(
  target: Pick<Target, "sql">,
  as: Account | null,
  { wait, done, floorMs, controlAfterMs = Math.min(startAfterMs, floorMs / 2) }: Patience<T>,
): Promise<{ readonly value: T; readonly pace: Pace }> {
  const startedAt = performance.now();
  const control = startControl(target, as, controlAfterMs);
  try {
    for (let leftMs = floorMs; ;) {
      const askedAt = performance.now();
      const value = await wait(leftMs);
      // A wait that gives up early, such as on a connection that has ended, has nothing to wait for.
      const gaveUp = performance.now() - askedAt < leftMs / 2;
      leftMs = control.limitMs(floorMs) - (performance.now() - startedAt);
      if (done(value) || gaveUp || leftMs <= 0) return { value, pace: control.stop() };
    }
  } finally {
    control.stop();
  }
}

/**
 * For a request that may never be answered: asks with a limit of `floorMs`, and where that is silent once more, with ten times
 * what a plain SELECT took meanwhile. The pace is that of the last attempt; one that was silent waited for all of its limit.
 */
export async function askPatiently<T>(
  target: Pick<Target, "sql">,
  as: Account | null,
  { wait, done, floorMs }: Patience<T>,
): Promise<{ readonly value: T; readonly pace: Pace }> {
  const control = startControl(target, as);
  try {
    const value = await wait(floorMs);
    if (done(value)) return { value, pace: control.stop() };
    await control.once();
    const limitMs = Math.round(control.limitMs(floorMs));
    const again = await wait(limitMs);
    return { value: again, pace: { ...control.stop(), waitedMs: limitMs } };
  } finally {
    control.stop();
  }
}
