/**
 * Whether this machine was too busy for verdicts that rest on time. A checker that is late must not blame the server, and
 * neither must one whose server or `kalam` waits for a CPU of the same machine.
 */
import { readFileSync } from "node:fs";

export interface Strain {
  /** How late timers of this process fired, at most. */
  readonly timersLateMs: number;
  /** Of the time, the part in which a process of this machine waited for a CPU, from 0 to 1; null where Linux does not tell. */
  readonly cpuWaited: number | null;
  /** How many times as long as on an idle CPU the work of this process took; null where Linux does not tell. */
  readonly slowdown: number | null;
}

/** Starts watching; the returned function stops and returns what was seen. */
export type Watch = () => () => Strain;

/**
 * A healthy process is late by a few milliseconds, by some tens during a garbage collection. From here on it competed for its
 * CPU, and so did everything that it measured; by how much nobody can tell, so it is not weighed against what was measured.
 */
const timersLateMsMax = 200;

/**
 * A run on two cores keeps them busy about half of the time itself. Below this, nothing waited long. Above, it may be processes
 * that do not matter to us: one batch job with more threads than cores makes it 1 for as long as it runs.
 */
const cpuWaitedMax = 0.8;

/** So above it, what was slowed down must have been ours. A server and a checker that share two cores cost each other a factor of two. */
const slowdownMax = 4;

/**
 * For what compares moments: others that come and go make the one slower than the other, and nothing that is measured over
 * both tells. A check that runs alone keeps two cores from waiting for most of the time.
 */
const cpuWaitedTrendMax = 0.6;
/** Where Linux does not tell how long others waited: twice the cost of a server beside us. */
const slowdownTrendMax = 2;

/** Why a finding that rests on time, or on how times of several moments differ, shows nothing; undefined if it does. */
export function whyTooBusy(
  { timersLateMs, cpuWaited, slowdown }: Strain,
  timed: true | "trend" = true,
): string | undefined {
  const because = (what: string): string => `this machine was too busy to judge (${what})`;
  if (timersLateMs > timersLateMsMax) return because(`timers up to ${timersLateMs.toLocaleString("en-US")} ms late`);
  const waitedText = (waited: number): string => `processes waited for a CPU ${Math.round(waited * 100)} % of the time`;
  const isTrend = timed === "trend";
  if (isTrend && cpuWaited !== null) return cpuWaited > cpuWaitedTrendMax ? because(waitedText(cpuWaited)) : undefined;
  if (cpuWaited !== null && cpuWaited < cpuWaitedMax) return undefined;
  if (slowdown !== null && slowdown >= (isTrend ? slowdownTrendMax : slowdownMax))
    return because(`its work took ${slowdown.toFixed(1)} times as long as on an idle CPU`);
  if (cpuWaited === null || slowdown !== null) return undefined;
  return because(waitedText(cpuWaited));
}

const everyMs = 10;

interface Watcher {
  readonly from: number;
  worst: number;
}

/** One timer for all who watch at the same time: each one of its own wakes the process a hundred times a second. */
const watchers = new Set<Watcher>();
let timer: NodeJS.Timeout | undefined;
let due = 0;

function noteDelay(watcher: Watcher, now: number): void {
  watcher.worst = Math.max(watcher.worst, now - Math.max(due, watcher.from));
}

function startTimer(now: number): void {
  due = now + everyMs;
  timer = setInterval(() => {
    const fired = performance.now();
    for (const watcher of watchers) noteDelay(watcher, fired);
    due = fired + everyMs;
  }, everyMs);
  // It must not keep the process alive.
  timer.unref();
}

export const watchMachine: Watch = () => {
  const [startedAt, waited, work] = [performance.now(), cpuWaitedMs(), ownWork()];
  const watcher: Watcher = { from: startedAt, worst: 0 };
  if (watchers.size === 0) startTimer(startedAt);
  watchers.add(watcher);
  return () => {
    const [now, waitedSince, workSince] = [performance.now(), cpuWaitedMs(), ownWork()];
    noteDelay(watcher, now);
    watchers.delete(watcher);
    if (watchers.size === 0) clearInterval(timer);
    const tookMs = now - startedAt;
    return {
      timersLateMs: Math.round(watcher.worst),
      cpuWaited:
        waited === undefined || waitedSince === undefined || tookMs < everyMs
          ? null
          : Math.min(1, Math.max(0, waitedSince - waited) / tookMs),
      slowdown: work === undefined || workSince === undefined ? null : slowdownOf(work, workSince),
    };
  };
};

interface Work {
  readonly ranMs: number;
  readonly waitedMs: number;
}

/** Less work than this shows nothing. */
const ranMsMin = 5;

function slowdownOf(before: Work, after: Work): number | null {
  const [ranMs, waitedMs] = [after.ranMs - before.ranMs, after.waitedMs - before.waitedMs];
  return ranMs < ranMsMin ? null : Math.max(1, (ranMs + waitedMs) / ranMs);
}

/** How long this process's main thread has run, and has been ready to run and waited; undefined where Linux does not tell. */
function ownWork(): Work | undefined {
  try {
    const [ran, waited] = readFileSync("/proc/self/schedstat", "utf8").split(" ").map(Number);
    if (ran === undefined || waited === undefined || !(ran > 0)) return undefined;
    return { ranMs: ran / 1e6, waitedMs: waited / 1e6 };
  } catch {
    return undefined;
  }
}

/** How long a process of this machine has waited for a CPU since it started; undefined where Linux does not tell. */
function cpuWaitedMs(): number | undefined {
  try {
    const total = /^some .*total=(\d+)/m.exec(readFileSync("/proc/pressure/cpu", "utf8"))?.[1];
    return total === undefined ? undefined : Number(total) / 1_000;
  } catch {
    return undefined;
  }
}
